"""The installed package, far from the repository and in its root, whose folder shadows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]

MOST_BYTES = 60e6


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """What git would commit, so that a forgotten file is missed here and not by users."""
    source = tmp_path_factory.mktemp("checkout") / "source"
    listing = ["git", "-C", str(REPOSITORY), "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run(listing, check=True, capture_output=True).stdout
    for name in listed.split(b"\0"):
        file = REPOSITORY / name.decode()
        if name and file.is_file():
            target = source / name.decode()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    return source


@pytest.fixture(scope="module")
def wheel(source):
    """Built from a copy: setuptools leaves a folder ``build`` behind."""
    folder = source.parent
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("irbench-*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel):
    """An environment with the wheel, and with the libraries of this one but not its irbench.

    A folder that a ``.pth`` file names is searched, but its own ``.pth`` files, such as that
    of an editable installation, are not read.
    """
    folder = wheel.parent / "environment"
    venv.create(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    libraries = [path for path in sys.path if path.endswith("-packages")]
    (site / "libraries.pth").write_text("\n".join(libraries) + "\n")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return folder / "bin" / "python"


@pytest.fixture
def run(python):
    """Run that environment's Python somewhere."""
    environment = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}

    def run(folder, *arguments):
        done = subprocess.run(
            [python, *map(str, arguments)], cwd=folder, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


WHERE = """
import irbench, irbench.methods, irbench.plugins.registry
irbench.load_method("tophat")
for group in ("methods", "datasets", "reports"):
    print(len(irbench.plugins.registry.catalogue(group).classes))
print(irbench.__file__, irbench.methods.__file__)
"""


def test_the_wheel_is_not_too_large(wheel):
    assert wheel.stat().st_size < MOST_BYTES


def test_the_wheel_runs_elsewhere(python, run, tmp_path):
    *_, where = run(tmp_path, "-c", WHERE).splitlines()
    assert where.count(str(python.parents[1])) == 2
    run(
        tmp_path, "-m", "irbench", "run", "--methods", "tophat,le-irstd", "--dataset", "synth",
        "--limit", 3, "--timing-images", 0, "--out", "run",
    )  # fmt: skip
    rows = json.loads((tmp_path / "run" / "results.json").read_text())["rows"]
    assert [(row["method"], row["state"]) for row in rows] == [
        ("tophat", "done"),
        ("le-irstd", "done"),
    ]
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    assert (site / "irbench" / "py.typed").exists()


def test_in_the_root_of_a_checkout_all_is_from_there(source, run, tmp_path):
    *counts, where = run(source, "-c", WHERE).splitlines()
    *elsewhere, _ = run(tmp_path, "-c", WHERE).splitlines()
    assert counts == elsewhere
    assert where.split() == [
        str(source / "irbench/__init__.py"),
        str(source / "methods/__init__.py"),
    ]


def test_in_the_root_of_a_checkout_the_package_does_not_contain_itself(source, run):
    walk = (
        "import irbench, pkgutil; print(*(m.name for m in pkgutil.iter_modules(irbench.__path__)))"
    )
    assert not {"irbench", "tests"} & set(run(source, "-c", walk).split())


def test_in_the_root_of_a_checkout_the_workers_are_from_there(source, run, tmp_path):
    # The installed code would know nothing of this method.
    file = source / "methods" / "background" / "tophat.py"
    text = file.read_text()
    file.write_text(text.replace('name="tophat"', 'name="tophat-of-the-checkout"'))
    try:
        run(
            source, "-m", "irbench", "run", "--methods", "tophat-of-the-checkout", "--dataset",
            "synth", "--limit", 3, "--timing-images", 0, "--jobs", 2, "--out", tmp_path / "run",
        )  # fmt: skip
    finally:
        file.write_text(text)
    (row,) = json.loads((tmp_path / "run" / "results.json").read_text())["rows"]
    assert row["state"] == "done"
