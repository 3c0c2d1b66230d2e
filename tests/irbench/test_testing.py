"""The contract test must pass good detectors and catch each kind of bad one."""

from __future__ import annotations

import numpy as np
import pytest

from irbench import BoxDetector, MethodInfo, ScoreMapDetector, SegmentationDetector, load_method
from irbench.detections import Detections
from irbench.plugins.registry import catalogue, method_class
from irbench.testing import ContractError, check_detector

INFO = MethodInfo(name="good", title="Good", group="Test", year=2026, reference="none")


class Good(ScoreMapDetector):
    info = INFO

    def compute(self, image):
        return image - image.mean()


class GoodBoxes(BoxDetector):
    info = INFO

    def compute(self, image):
        row, column = np.unravel_index(np.argmax(image), image.shape)
        return np.array([[column, row, column + 1, row + 1]]), np.array([image.max()])


class GoodSegments(SegmentationDetector):
    info = INFO

    def compute(self, image):
        return image


@pytest.mark.parametrize("cls", [Good, GoodBoxes, GoodSegments])
def test_good_detectors_pass(cls):
    check_detector(cls())


def ships(cls):
    """Whether to try it: ablations are one detector with other layers, so one does for all."""
    return cls.info.default or not cls.info.trainable or cls.info.name == "le-irstd-p2"


@pytest.mark.parametrize(
    "name", [name for name, cls in sorted(catalogue("methods").classes.items()) if ships(cls)]
)
def test_every_method_that_ships_keeps_the_contract(name):
    # What the contract says holds at any input size; 640 px would take seconds.
    small = {"image_size": 128} if method_class(name).info.trainable else {}
    check_detector(load_method(name, **small))


class WrongShape(Good):
    def compute(self, image):
        return image[1:]


class NotFinite(Good):
    def compute(self, image):
        return np.where(image > image.mean(), np.inf, 0.0)


class Random(Good):
    def compute(self, image):
        return image + np.random.default_rng().normal(0, 50, image.shape)


class Raises(Good):
    def compute(self, image):
        if image.shape[0] < 3:
            raise IndexError("too small")
        return image


class Outside(GoodBoxes):
    def compute(self, image):
        return np.array([[0, 0, image.shape[1] + 5, 1]]), np.array([1.0])


class OutsideUnchecked(Outside):
    def postprocess(self, output, shape):
        return Detections(*output)


class AcceptsNan(Good):
    def preprocess(self, image, value_range=None):
        return np.nan_to_num(np.asarray(image, float))


class Modifies(Good):
    def preprocess(self, image, value_range=None):
        super().preprocess(image, value_range)
        image *= 0
        return image.astype(float)


class NoProbability(GoodSegments):
    def compute(self, image):
        return image * 4 - 1


class BadName(Good):
    info = MethodInfo(name="Bad Name", title="Bad", group="Test", year=2026, reference="none")


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (WrongShape, "must return an array of the image's shape"),
        (NotFinite, "must be finite everywhere"),
        (Random, "the same for the same image"),
        (Raises, "1x1 noise: raised IndexError"),
        (Outside, r"must return boxes \(x0, y0, x1, y1\) inside the 48x64 image"),
        (OutsideUnchecked, "boxes inside the image"),
        (AcceptsNan, "NaN"),
        (Modifies, "modified its input"),
        (NoProbability, r"must lie in \[0, 1\]"),
        (BadName, r"info\.name"),
    ],
)
def test_bad_detectors_are_caught(cls, message):
    with pytest.raises(ContractError, match=message):
        check_detector(cls())
