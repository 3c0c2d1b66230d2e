from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points

import pytest

import irbench
from irbench.errors import UnknownNameError, UsageError
from irbench.plugins.registry import Catalogue, catalogue, load_plugin
from irbench.scoring.calibration import _shipped

GOOD = """
import numpy as np
from irbench import MethodInfo, ScoreMapDetector, parameter

class Mine(ScoreMapDetector):
    '''Mine.'''
    info = MethodInfo(name="{name}", title="Mine", group="Mine", year=2026, reference="none")
    k: float = parameter(default=2.0, low=0)

    def compute(self, image):
        return self.k * image
"""


def test_built_in_methods_and_datasets_are_found():
    assert {"tophat", "newtophat", "maxmedian", "lcm", "mpcm"} <= catalogue(
        "methods"
    ).classes.keys()
    assert {"nudt", "nuaa", "irstd1k", "synth", "folder"} <= catalogue("datasets").classes.keys()
    for group in ("methods", "datasets", "reports"):
        assert catalogue(group).failures == []


def test_a_plugin_file_adds_its_method(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(GOOD.format(name="mine-1"))
    assert load_plugin(file) == ["mine-1"]
    assert irbench.load_method("mine-1", k=3).params == {"k": 3.0}
    # Loading it again, as a worker may, is no error.
    assert load_plugin(file) == ["mine-1"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        ("def broken(:", "SyntaxError"),
        ("x = 1", "defines no Detector"),
        (GOOD.format(name="tophat"), "the name 'tophat' is taken"),
        (GOOD.replace("{name}", "").format(), "info.name must not be empty"),
        ("raise SystemExit(3)", "fails to import: SystemExit: 3"),
    ],
)
def test_a_bad_plugin_file_says_why(tmp_path, content, message):
    file = tmp_path / "bad.py"
    file.write_text(content)
    with pytest.raises(UsageError, match=message):
        load_plugin(file)


def test_a_missing_plugin_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nothing\.py"):
        load_plugin(tmp_path / "nothing.py")


def test_a_taken_name_is_a_listed_failure():
    found = Catalogue()
    one, other = (type("Other", (), {"info": irbench.load_method("tophat").info}) for _ in "ab")
    found.add(one, "first")
    found.add(other, "second")
    assert found.classes == {"tophat": one}
    assert [failure.source for failure in found.failures] == ["second"]


def test_unknown_names_get_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean tophat"):
        irbench.load_method("top-hat")
    with pytest.raises(UnknownNameError, match="Did you mean nudt"):
        irbench.load_dataset("nudtt")
    with pytest.raises(UnknownNameError, match="Did you mean size"):
        irbench.load_method("tophat", sise=3)
    with pytest.raises(UnknownNameError, match="split scheme of nudt"):
        irbench.load_dataset("nudt", scheme="70-30")


def test_a_directory_that_is_missing_is_said_to_be():
    with pytest.raises(UnknownNameError, match="no directory some/where"):
        irbench.load_dataset("some/where")


def test_listing_loads_nothing_heavy():
    code = (
        "import sys; from irbench.plugins.registry import catalogue; catalogue('methods');"
        "heavy = ('torch', 'cv2', 'pandas', 'matplotlib', 'skimage');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def found_beside(tmp_path, monkeypatch):
    """Lists a group with one more entry point, to something in a module of the text given."""
    monkeypatch.syspath_prepend(tmp_path)

    def find(text, attribute="", group="methods", look=None):
        if text is not None:
            (tmp_path / "theirs_alone.py").write_text(text)
        value = "theirs_alone" + (f":{attribute}" if attribute else "")
        theirs = EntryPoint("theirs", value, f"irbench.{group}")
        points = [theirs, *entry_points(group=f"irbench.{group}")]
        for module in ("plugins.registry", "scoring.calibration"):
            monkeypatch.setattr(f"irbench.{module}.entry_points", lambda group: points)
        return catalogue.__wrapped__(group) if look is None else look.__wrapped__()

    yield find
    sys.modules.pop("theirs_alone", None)


METHOD = GOOD.format(name="mine-2")


@pytest.mark.parametrize(
    ("attribute", "text", "reason"),
    [
        ("Mine", "class Mine: pass", r"Mine must be derived from irbench\.detector\.Detector"),
        ("Mine", METHOD.replace("info =", "other ="), "Mine lacks `info`"),
        ("Mine", METHOD.replace("compute", "other"), "Mine lacks compute"),
        ("Mine", METHOD.replace("k: float", "kind = 'map'; k: float"), "kind must be one of"),
        ("x", "x = 3", "names 3, which is neither a class nor a module"),
        ("Mine", "x = 3", "AttributeError: .*Mine"),
        # Scanned as a module, and as the class itself.
        *(
            (attribute, METHOD.replace(old, new), reason)
            for attribute in ("", "Mine")
            for old, new, reason in [
                ("info =", "info = 3; other =", "info must be of type MethodInfo, got 3"),
                ('"mine-2"', "None", "info.name must be of type str, got None"),
                ('"mine-2"', '""', "info.name must not be empty"),
                ("year=2026", 'year="2026"', "info.year must be of type int, got '2026'"),
                ("year=2026", "year=1, min_pixels='9'", "info.min_pixels must be of type int | N"),
            ]
        ),
        ("", "raise SystemExit(3)", "SystemExit: 3"),
        ("", "import no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_a_bad_entry_point_is_listed_and_breaks_nothing(found_beside, attribute, text, reason):
    found = found_beside(text, attribute)
    (failure,) = found.failures
    assert failure.source == "theirs_alone" + (f":{attribute}" if attribute else "")
    assert re.search(reason.replace("|", r"\|"), failure.reason)
    assert found.classes == catalogue("methods").classes


@pytest.mark.parametrize("group", ["datasets", "reports"])
def test_nor_does_one_of_another_group(found_beside, group):
    found = found_beside(METHOD, "Mine", group)
    (failure,) = found.failures
    assert "must be derived from" in failure.reason
    assert found.classes == catalogue(group).classes


@pytest.mark.parametrize("attribute", ["", "Mine"])
def test_a_good_entry_point_is_found(found_beside, attribute):
    found = found_beside(METHOD, attribute)
    assert found.failures == []
    assert found.classes.keys() - catalogue("methods").classes.keys() == {"mine-2"}


def test_shipped_calibrations_outlive_a_bad_entry_point(found_beside):
    assert found_beside("raise SystemExit(3)", look=_shipped) == _shipped()


def test_a_damaged_shipped_calibration_is_told(found_beside, tmp_path):
    package = tmp_path / "theirs_alone"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "calibration.json").write_text('{"methods": {"mine": 3}}')
    with pytest.warns(UserWarning, match=r"theirs_alone: no calibration\.json is used"):
        assert found_beside(None, look=_shipped) == _shipped()
