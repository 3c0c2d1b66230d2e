from __future__ import annotations

import subprocess
import sys

import pytest

import irbench
from irbench.errors import UnknownNameError, UsageError
from irbench.registry import Catalogue, catalogue, load_plugin

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
        "import sys; from irbench.registry import catalogue; catalogue('methods');"
        "heavy = ('torch', 'cv2', 'pandas', 'matplotlib', 'skimage');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
