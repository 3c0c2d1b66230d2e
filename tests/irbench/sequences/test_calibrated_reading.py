"""A threshold holds for frames that are read as those it was found on."""

from __future__ import annotations

import json

import pytest

from irbench.cli.export import _range_of
from irbench.errors import UsageError
from irbench.sequences.calibrated_reading import calibrated_range, reading_difference


@pytest.fixture
def file(tmp_path):
    def write(value_range, **more):
        on = {"frames": "empty", "value_range": value_range, **more}
        methods = {"mine": {"threshold": 1.0, "on": on}, "other": {"on": {"dataset": "synth"}}}
        path = tmp_path / "camera.json"
        path.write_text(json.dumps({"methods": methods}))
        return path

    return write


@pytest.mark.parametrize(
    ("before", "now", "advice"),
    [
        ([6412.0, 7579.5], (6412.0, 7579.5), ""),
        ([6412.0, 7579.5], "auto", "give --value-range 6412 7579.5,"),
        ([6412.0, 7579.5], None, "give --value-range 6412 7579.5,"),
        ([6412.0, 7579.5], (0, 16383), "give --value-range 6412 7579.5,"),
        ("auto-frame", "auto-frame", ""),
        ("auto-frame", "auto", "give --value-range auto-frame,"),
        (None, None, ""),
        (None, "auto", "give no --value-range,"),
    ],
)
def test_another_value_range(file, before, now, advice):
    text = reading_difference(file(before), "mine", now, False)
    assert advice in text
    assert bool(advice) == bool(text)
    assert reading_difference(file(before), "other", (1, 2), True) == ""


def test_what_was_found_is_found_again(file):
    path = file([6412.0, 7579.5], range_rule="auto/1")
    assert reading_difference(path, "mine", "auto", False) == ""
    assert "give --value-range 6412 7579.5," in reading_difference(path, "mine", (0, 1), False)


def test_dead_pixels_of_one_side_alone(file):
    path = file(None, dead_pixels={"asked": "dead.txt"})
    assert reading_difference(path, "mine", None, True) == ""
    assert "give --dead-pixels dead.txt," in reading_difference(path, "mine", None, False)
    assert reading_difference(path, "mine", None) == ""
    text = reading_difference(file(None), "mine", (0, 1), True)
    assert "without dead pixels replaced, here with" in text
    assert "give no --value-range and no --dead-pixels," in text


def test_a_model_takes_the_range_of_its_threshold(file, tmp_path):
    path = file([6412.0, 7579.5])
    assert calibrated_range(path, "mine") == (6412.0, 7579.5)
    assert _range_of(path, "mine", None) == (6412.0, 7579.5)
    assert _range_of(path, "other", (0, 1)) == (0, 1)
    with pytest.raises(UsageError, match=r"6412 7579\.5, here it is 0 16383"):
        _range_of(path, "mine", (0.0, 16383.0))
    with pytest.raises(UsageError, match="which a device cannot do"):
        _range_of(file("auto-frame"), "mine", None)
    assert _range_of(tmp_path, "mine", None) is None  # A run directory.
