"""What a plug-in imports is a part of its version: change it, and the row is another one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from irbench.engine.planning.plan import plan_methods
from irbench.plugins.code_version import code_version
from irbench.plugins.imported_code import imported_code
from irbench.plugins.registry import catalogue, load_plugin, method_class
from irbench.protocol import get_protocol

METHOD = """
from irbench import MethodInfo, ScoreMapDetector
{top}

class Imports(ScoreMapDetector):
    info = MethodInfo(name="{name}", title="I", group="I", year=2026, reference="none")

    def compute(self, image):
        {inside}
        return image
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith(("helper", "own_")):
            del sys.modules[name]


@pytest.fixture
def write_plugin(folder):
    def write(top="", inside="pass", name="imports"):
        file = folder / "plugin.py"
        file.write_text(METHOD.format(name=name, top=top, inside=inside))
        load_plugin(file)
        return method_class(name)

    return write


@pytest.mark.parametrize(
    ("top", "inside"),
    [
        ("import helper_a", "pass"),
        ("from helper_a import gain", "pass"),
        ("", "import helper_a"),
        ("", "from importlib import import_module; import_module('helper_a')"),
        ("from helper_package.inner import deep", "pass"),
        ("", "import helper_package.inner"),
        ("import helper_package", "pass"),
    ],
)
def test_a_changed_helper_of_a_helper_is_another_version(folder, write_plugin, top, inside):
    package, helper = folder / "helper_package", folder / "helper_b.py"
    package.mkdir()
    (folder / "helper_a.py").write_text("def gain():\n    from helper_b import gain\n")
    (package / "__init__.py").write_text("import helper_b\n")
    (package / "inner.py").write_text("def deep():\n    from ... import nowhere\n")
    helper.write_text("gain = 2\n")
    cls = write_plugin(top, inside)
    before = code_version(cls)
    helper.write_text("# Twice as much.\ngain = 2\n")
    assert code_version(cls) == before
    helper.write_text("gain = 30\n")
    assert code_version(cls) != before


def test_the_init_of_a_package_round_a_helper_counts(folder, write_plugin):
    package = folder / "helper_package"
    package.mkdir()
    (package / "__init__.py").write_text("gain = 1\n")
    (package / "inner.py").write_text("")
    cls = write_plugin(inside="import helper_package.inner")
    before = code_version(cls)
    (package / "__init__.py").write_text("gain = 200\n")
    assert code_version(cls) != before


def test_installed_packages_count_by_their_version(write_plugin, monkeypatch):
    import importlib.metadata

    write_plugin("import json", "import click, os.path, numpy.linalg, no_such_module")
    (plan,) = plan_methods(["imports"])
    versions = {name: importlib.metadata.version(name) for name in ("click", "numpy")}
    assert plan.facts(get_protocol("table1"))["packages"] == versions
    code = imported_code(method_class("imports"))
    assert not any(name.startswith(("json", "click", "numpy")) for name in code.files)


def test_a_file_that_hides_an_installed_module_is_the_users_own(folder, write_plugin):
    (folder / "tabulate.py").write_text("value = 1\n")
    sys.modules.pop("tabulate", None)
    code = imported_code(write_plugin(inside="import tabulate"))
    assert code.files["tabulate"] == folder / "tabulate.py"
    assert code.packages == {}


def test_a_package_behind_an_entry_point(folder):
    """Installed with metadata of its own: its modules are followed, as no version tells them."""
    package = folder / "own_detectors"
    facts = folder / "own_detectors-1.0.dist-info"
    package.mkdir()
    facts.mkdir()
    (package / "__init__.py").write_text("")
    (package / "shared.py").write_text("gain = 1\n")
    method = METHOD.format(name="own-row", top="from . import shared\nimport click", inside="pass")
    (package / "method.py").write_text(method)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: own-detectors\nVersion: 1.0\n")
    (facts / "top_level.txt").write_text("own_detectors\n")
    (facts / "RECORD").write_text("own_detectors/method.py,,\nown_detectors/shared.py,,\n")
    from irbench.plugins import imported_code as module

    module._by_module.cache_clear()
    try:
        import own_detectors.method

        cls = own_detectors.method.Imports
        code = imported_code(cls)
        assert set(code.packages) == {"click"}
        before = code_version(cls)
        (package / "shared.py").write_text("gain = 1000\n")
        assert code_version(cls) != before
    finally:
        module._by_module.cache_clear()


def test_a_helper_that_is_no_python_counts_by_its_bytes(folder, write_plugin):
    (folder / "helper_a.py").write_text("def broken(:\n")
    cls = write_plugin(inside="import helper_a")
    before = code_version(cls)
    (folder / "helper_a.py").write_text("def broken((:\n")
    assert code_version(cls) != before


def test_methods_of_irbench_have_the_versions_of_the_run_alone():
    for cls in catalogue("methods").classes.values():
        if cls.__module__.startswith("irbench.methods"):
            code = imported_code(cls)
            assert not code.packages
            assert all(name.startswith("irbench.") for name in code.files)


def test_nothing_is_imported_for_it():
    program = (
        "import sys\n"
        "from irbench.plugins.imported_code import imported_code\n"
        "from irbench.plugins.registry import method_class\n"
        "cls = method_class('le-irstd')\n"
        "before = set(sys.modules)\n"
        "assert 'irbench.networks.letterbox' in imported_code(cls).files\n"
        "print(*(set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
