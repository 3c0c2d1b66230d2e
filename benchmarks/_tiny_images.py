"""A plug-in of 100,000 images of 16x16 or 32x32 pixels and detectors that do next to nothing.

What a run of them takes is the engine's own work. With ``busy_ms`` they take as long as a real one.
"""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np

from irbench import (
    BoxDetector,
    Dataset,
    DatasetInfo,
    MethodInfo,
    Sample,
    ScoreMapDetector,
    parameter,
)

N_IMAGES = 100_000
N_DETECTORS = 10
SIDE = 16
MASKED_SIDE = 32


class _Numbered(Dataset):
    """Images that are made of their number."""

    @property
    def splits(self) -> tuple[str, ...]:
        return ("test",)

    def split_ids(self, split: str) -> list[str]:
        return [f"{number:06d}" for number in range(N_IMAGES)]


class Tiny(_Numbered):
    """Made of the number of the image, each with one target of 3x3 pixels."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="tiny", title="tiny", reference="irbench, generated", schemes=("numbers",)
    )

    def load(self, sample_id: str) -> Sample:
        number = int(sample_id)
        image = np.full((SIDE, SIDE), 50, np.uint8)
        row, column = number % (SIDE - 2), number // (SIDE - 2) % (SIDE - 2)
        image[row : row + 3, column : column + 3] = 90
        image[row + 1, column + 1] = 100 + number % 100
        box = np.array([[column, row, column + 3, row + 3]], np.float32)
        return Sample(sample_id, image, None, box)


class TinyMasks(_Numbered):
    """Cut out of one plane of noise, each with one target of 3x3 pixels and its mask."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="tiny-masks", title="tiny-masks", reference="irbench, generated", schemes=("numbers",)
    )
    _plane: ClassVar = np.random.default_rng(0).integers(40, 60, (500, 500), np.uint8)

    def load(self, sample_id: str) -> Sample:
        number = int(sample_id)
        top, left = number % 467, number // 467 % 467
        image = self._plane[top : top + MASKED_SIDE, left : left + MASKED_SIDE].copy()
        mask = np.zeros(image.shape, bool)
        row, column = number % (MASKED_SIDE - 3), number // 29 % (MASKED_SIDE - 3)
        mask[row : row + 3, column : column + 3] = True
        image[mask] = 120 + number % 100
        return Sample(sample_id, image, mask)


class TrivialMap(ScoreMapDetector):
    """The image less its mean, and a little of the row above: no two values of it are equal."""

    info: ClassVar[MethodInfo] = MethodInfo(
        name="trivial-map", title="Trivial map", group="Trivial", year=2026, reference="none"
    )

    def compute(self, image):
        found: np.ndarray = image - image.mean() + np.roll(image, 1, axis=0) / np.pi
        return found


class _Brightest(BoxDetector):
    """A box round the brightest pixel, off by one in some of the images."""

    number: ClassVar[int] = 0
    busy_ms: float = parameter(default=0.0, low=0, unit="ms", help="processor time of an image")

    def compute(self, image):
        until = time.thread_time() + self.busy_ms / 1e3
        while time.thread_time() < until:
            pass
        row, column = divmod(int(image.argmax()), image.shape[1])
        row += (int(image.max() * 255) + self.number) % 3 == 0
        x0, y0 = max(column - 1, 0), max(row - 1, 0)
        box = [x0, y0, min(x0 + 3, image.shape[1]), min(y0 + 3, image.shape[0])]
        return np.array([box], np.float32), np.array([image.max()], np.float32)


def _detector(number: int) -> type[_Brightest]:
    info = MethodInfo(
        name=f"trivial-{number}", title=f"Trivial {number}", group="Trivial", year=2026,
        reference="none",
    )  # fmt: skip
    members = {"info": info, "number": number, "__module__": __name__, "__doc__": "One of ten."}
    return type(f"Trivial{number}", (_Brightest,), members)


Trivial0, Trivial1, Trivial2, Trivial3, Trivial4 = map(_detector, range(5))
Trivial5, Trivial6, Trivial7, Trivial8, Trivial9 = map(_detector, range(5, 10))
