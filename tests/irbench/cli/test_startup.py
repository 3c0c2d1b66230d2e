"""Nothing heavy is imported before it is needed; `benchmarks/startup.py` has the times."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import irbench

HEAVY = {
    "IPython", "cv2", "dask", "filelock", "jinja2", "matplotlib", "multiprocessing", "onnx",
    "onnxruntime", "pandas", "psutil", "pyarrow", "rich", "safetensors", "scipy",
    "skimage", "tabulate", "threadpoolctl", "torch", "urllib.request",
}  # fmt: skip

PROBE = """
import sys
from pathlib import Path
from irbench.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0, end.code
sys.stderr.write(" ".join(sys.modules))
"""


def modules_of(*arguments):
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout, set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--help"], ["data", "--help"]]
)
def test_help_needs_no_numbers(arguments):
    out, modules = modules_of(*arguments)
    assert out
    assert not modules & (HEAVY | {"numpy", "orjson"})


@pytest.mark.parametrize("arguments", [["methods", "list"], ["methods", "list", "--json"]])
def test_methods_are_listed_without_what_runs_them(arguments):
    out, modules = modules_of(*arguments)
    assert "le-irstd" in out
    assert "pstnn" in out
    assert not modules & HEAVY


def test_no_class_of_click_is_made_of_a_generic_one():
    """They are generic from click 8.4 on, and pyproject.toml takes 8.2."""
    sources = (Path(irbench.__file__).parent / "cli").glob("*.py")
    assert [p.name for p in sources if re.search(r"class .*click\.\w+\[", p.read_text())] == []


def test_a_command_that_ends_looks_for_no_garbage():
    # What is registered first runs last, when the command has put all objects out of reach.
    code = (
        "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 1000));"
        "from irbench.cli.main import main; main(['--version'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True"
