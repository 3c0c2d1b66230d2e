"""Which of the six columns of YOLO text is the confidence, from all of the numbers.

Ultralytics and most tools write ``class cx cy w h confidence``, darknet and tools around it
``class confidence cx cy w h``. Read by the wrong order a confidence becomes a position and a
height a confidence: numbers of the right kind, and boxes that nobody has drawn. A box of one
order seldom fits into the image by the other, and small targets have small boxes in one order
and boxes across the image in the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from irbench.conventions import YoloConfidence
from irbench.data.annotations.place import read_text
from irbench.errors import AnnotationError, DetectionsError

_OUTSIDE = 0.02
"""So far out of the image, as a share of its side, a box of a detector hardly reaches."""

_MANY = 0.1
"""From this share of boxes outside of the image on, an order is not the one that was meant."""

_SMALL, _LARGE = 0.1, 0.2
"""A confidence up to ``_SMALL`` beside boxes from ``_LARGE`` of the image on is a height."""


def check_columns(files: Iterable[Path], stated: YoloConfidence | None) -> list[str]:
    """Refuse the last column as confidence where the numbers prove that it is none.

    Parameters
    ----------
    files : iterable of Path
        YOLO text; what cannot be read is left to its reader.
    stated : {"last", "second"} or None
        None where nobody has stated it.

    Returns
    -------
    list of str
        Notes, a clause each: the order that was assumed where nothing proves it, or that the
        stated one is not what the numbers say.

    Raises
    ------
    DetectionsError
        Naming the option.
    """
    rows, example = rows_of(files, 6)
    if not len(rows):
        return []
    last, second = rows[:, 1:], rows[:, [2, 3, 4, 5, 1]]
    evidence = _against(last, second)
    if stated is None and evidence:
        raise DetectionsError(
            f"{example}: the sixth column is no confidence: {evidence}. State --yolo-confidence "
            "second for `class confidence cx cy w h`, or --yolo-confidence last."
        )
    if stated == "last" and evidence:
        return [f"--yolo-confidence last is stated, though {evidence}"]
    against = _against(second, last)
    if stated == "second" and against:
        return [f"--yolo-confidence second is stated, though by it {against}"]
    return []


def _against(order: NDArray[np.float64], other: NDArray[np.float64]) -> str:
    """What speaks against an order ``cx cy w h confidence`` and for the other; empty if nothing."""
    outside, other_outside = _share_outside(order), _share_outside(other)
    if outside > _MANY and other_outside < outside / 4:
        return (
            f"{100 * outside:.0f} % of the boxes would reach out of the image, by the other order "
            f"{100 * other_outside:.0f} %"
        )
    confidence, side = np.median(order[:, 4]), np.median(order[:, 2:4].max(axis=1))
    other_side = np.median(other[:, 2:4].max(axis=1))
    if confidence <= _SMALL and side >= _LARGE and other_side <= _SMALL and other_outside <= _MANY:
        return (
            f"its median is {confidence:.3g}, beside boxes of a median {100 * side:.0f} % of the "
            f"image, by the other order {100 * other_side:.1f} %"
        )
    return ""


def _share_outside(order: NDArray[np.float64]) -> float:
    low, high = order[:, :2] - order[:, 2:4] / 2, order[:, :2] + order[:, 2:4] / 2
    return float(((low < -_OUTSIDE) | (high > 1 + _OUTSIDE)).any(axis=1).mean())


def rows_of(files: Iterable[Path], n_fields: int) -> tuple[NDArray[np.float64], str]:
    """The lines of so many numbers of all files, and the first such file."""
    rows: list[list[float]] = []
    example = ""
    for path in files:
        try:
            lines = read_text(path).splitlines()
        except AnnotationError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) != n_fields:
                continue
            try:
                numbers = [float(text) for text in fields]
            except ValueError:
                continue
            if all(map(np.isfinite, numbers)):
                rows.append(numbers)
                example = example or str(path)
    return np.array(rows, dtype=np.float64).reshape(-1, n_fields), example
