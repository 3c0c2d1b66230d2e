"""A threshold holds for a detector of the settings that it was found with."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

import irbench
from irbench.cli.calibrate import calibrate
from irbench.cli.detect import detect
from irbench.cli.export import _check_settings
from irbench.cli.run import run
from irbench.engine.planning.plan import plan_methods
from irbench.errors import UsageError
from irbench.networks.weights_file import WeightsFile
from irbench.scoring.calibration_settings import DetectorSettings, settings_difference


def call(command, *words):
    words = [*map(str, words)]
    return CliRunner().invoke(command, words, catch_exceptions=False, standalone_mode=False)


@pytest.fixture
def camera(tmp_path, monkeypatch):
    """Frames without targets, and a folder of four labelled ones."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(4)
    frames = rng.normal(7000, 20, (30, 48, 64)).round().astype(np.uint16)
    np.save("empty.npy", frames)
    mask = np.zeros((48, 64), np.uint8)
    mask[10:13, 20:23] = 255
    for part in ("images", "masks"):
        (tmp_path / "data" / part).mkdir(parents=True)
    for index, frame in enumerate(frames[:4]):
        cv2.imwrite(f"data/images/{index}.png", np.where(mask, 7500, frame).astype(np.uint16))
        cv2.imwrite(f"data/masks/{index}.png", mask)
    return tmp_path


def at_one_alarm(*words):
    done = call(calibrate, "--frames", "empty.npy", "--alarms-per-frame", 1, *words)
    assert done.return_value == 0, done.output


def run_on_data(out, *words):
    quick = ("--jobs", 1, "--timing-images", 0, "--out", out)
    done = call(run, "--dataset", "data", "--methods", "tophat", *quick, *words)
    assert done.return_value == 0, done.output
    return done.output


SIZE_9 = ("--param", "tophat.size=9")
FOUND = "the threshold of tophat was found with size=9, here it is size=5"
RANGE = ("--value-range", 0, 16383)


def test_another_parameter_is_reported(camera):
    at_one_alarm("--methods", "tophat", "--out", "camera.json", *SIZE_9)
    words = ("tophat", "empty.npy", "--pictures", "none", "--calibration", "camera.json")
    assert FOUND in call(detect, *words).output
    assert "may be wrong" not in call(detect, *words, *SIZE_9).output
    assert FOUND in run_on_data("small", "--calibration", "camera.json")
    assert "may be wrong" not in run_on_data("large", "--calibration", "camera.json", *SIZE_9)
    assert FOUND in run_on_data("of run", "--calibration", "large")
    assert FOUND not in call(detect, *words, "--threshold", 3).output  # Not the file's.


def test_another_value_range_is_reported_by_a_run_and_of_a_run(camera):
    at_one_alarm("--methods", "tophat", "--out", "camera.json", *RANGE)
    assert "give --value-range 0 16383" in run_on_data("a", "--calibration", "camera.json")
    assert "may be wrong" not in run_on_data("b", "--calibration", "camera.json", *RANGE)
    assert "give --value-range 0 16383" in run_on_data("c", "--calibration", "b")
    words = ("tophat", "empty.npy", "--pictures", "none", "--calibration", "b")
    assert "give --value-range 0 16383" in call(detect, *words).output
    assert "may be wrong" not in call(detect, *words, *RANGE).output
    # A run of images whose range nobody stated says nothing of it.
    assert "may be wrong" not in run_on_data("d", "--calibration", "a", *RANGE)


def test_a_found_range_is_found_again(camera):
    auto = ("--value-range", "auto", "--dead-pixels", "auto")
    at_one_alarm("--methods", "tophat", "--out", "camera.json", *auto)
    assert "may be wrong" not in run_on_data("a", "--calibration", "camera.json", *auto)
    assert "may be wrong" not in run_on_data("b", "--calibration", "a", *auto)
    words = ("tophat", "empty.npy", "--pictures", "none", *auto)
    assert "may be wrong" not in call(detect, *words, "--calibration", "camera.json").output
    # One that was stated is not.
    at_one_alarm("--methods", "tophat", "--out", "stated.json", *RANGE, "--dead-pixels", "auto")
    for output in (
        call(detect, *words, "--calibration", "stated.json").output,
        run_on_data("c", "--calibration", "stated.json", *auto),
    ):
        assert "found at the value range 0 16383, here it is auto" in output


def test_a_calibration_by_labels_records_its_settings_too(camera):
    for split, names in {"train": "0", "val": "1", "test": "2\n3"}.items():
        (camera / "data" / f"{split}.txt").write_text(names)
    words = ("--dataset", "data", "--methods", "tophat", "--out", "labels.json", "--jobs", 1)
    assert call(calibrate, *words, *SIZE_9, *RANGE).return_value == 0
    output = run_on_data("a", "--calibration", "labels.json")
    assert FOUND in output
    assert "give --value-range 0 16383" in output


def test_nothing_calibrated_is_nothing_written(camera):
    words = ("--methods", "le-irstd", "--frames", "empty.npy", "--alarms-per-frame", 1)
    done = call(calibrate, *words)
    assert done.return_value == 1
    assert "nothing was calibrated; not written: calibration.json" in done.output
    assert "use it by" not in done.output
    assert not (camera / "calibration.json").exists()


@pytest.fixture
def weights(tmp_path, make_card):
    """Weights of 64 px, by name and digest."""

    def make(name, digit):
        return WeightsFile(tmp_path / f"{name}.safetensors", make_card(sha256=digit * 64))

    return make


def settings(file, **params):
    return DetectorSettings.of_params({"image_size": None, "backend": "torch", **params}, file)


def test_weights_are_told_by_their_digest(tmp_path, weights):
    def difference(before, now):
        path = tmp_path / "camera.json"
        path.write_text(json.dumps({"methods": {"net": {"detector": before.as_dict()}}}))
        return settings_difference(path, "net", now)

    one, other = weights("one", "a"), weights("one", "b")
    assert difference(settings(one), settings(weights("renamed", "a"))) == ""
    assert "weights one (sha aaaaaaaa), here it is weights one (sha bbbbbbbb)" in difference(
        settings(one), settings(other)
    )
    # The size of the weights, stated or not.
    assert difference(settings(one), settings(one, image_size=64)) == ""
    assert difference(settings(one, image_size=64), settings(one)) == ""
    text = difference(settings(one), settings(one, image_size=128))
    assert "found with image_size=64, here it is image_size=128" in text
    # What changes scores by rounding alone, and what was not recorded.
    assert difference(settings(one), settings(one, backend="openvino")) == ""
    assert difference(settings(one), settings(one, precision="int8")) == ""
    text = difference(settings(one, precision="fp32"), settings(one, precision="int8"))
    assert "precision=fp32" in text


def test_a_run_keeps_that_no_size_was_asked_for(weights):
    one = weights("one", "a")
    before = {"params": {"image_size": None, "weights": "one"}, "weights_sha256": "a" * 64}
    assert settings(one).differences(before) == []
    assert settings(one, image_size=64).differences(before) == []
    assert settings(one, image_size=128).differences(before) == [
        ("image_size=64", "image_size=128")
    ]


def test_a_model_is_not_exported_with_the_threshold_of_another_size(tmp_path, capsys):
    detector = irbench.load_method("le-irstd", weights="nudt")
    path = tmp_path / "camera.json"
    fields = {"threshold": 0.1, "detector": DetectorSettings.of(detector).as_dict()}
    path.write_text(json.dumps({"methods": {"le-irstd": fields}}))
    _check_settings(path, detector)
    small = irbench.load_method("le-irstd", weights="nudt", image_size=320)
    with pytest.raises(UsageError, match="image_size=640, here it is image_size=320"):
        _check_settings(path, small)
    other = irbench.load_method("le-irstd", weights="nuaa")
    with pytest.raises(UsageError, match=r"weights le-irstd-nudt .* weights le-irstd-nuaa"):
        _check_settings(path, other)
    # As of `irbench choose --backends openvino:bf16`, whose commands export in fp32.
    fields["detector"]["params"]["precision"] = "bf16"
    path.write_text(json.dumps({"methods": {"le-irstd": fields}}))
    assert capsys.readouterr().err == ""
    _check_settings(path, detector)
    assert "precision=bf16, here it is precision=fp32" in capsys.readouterr().err


def test_a_plan_has_the_settings_of_its_detector():
    (plan,) = plan_methods(["le-irstd"], {"le-irstd": {"weights": "nudt"}}, device="cpu")
    detector = irbench.load_method("le-irstd", weights="nudt")
    assert plan.settings.as_dict() == DetectorSettings.of(detector).as_dict()
    assert plan.settings.as_dict()["params"]["image_size"] == 640
