"""The images of a run, small enough for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.analysis.target_scr import keep_target_scr, open_dataset_of
from irbench.data.manifest import UNUSABLE
from irbench.dataset import Dataset, Sample
from irbench.errors import IrbenchError
from irbench.ground_truth import GroundTruth
from irbench.metrics.signal_to_clutter import signal_to_clutter
from irbench.pictures.drawing import to_display

from ._side_by_side import DataGroup

MOST_BYTES = 7_500_000
"""Of all pictures of a page, before Base64 makes them a third larger."""

_SIZES = ((1024, 95), (1024, 90), (512, 90), (384, 88), (320, 85), (256, 82), (192, 78), (128, 70))
"""Longest side in pixels and JPEG quality; the first that fits is taken."""

_WHOLE = (100_000, 95)
_N_TRIED = 8
_UNREADABLE = (*UNUSABLE, IrbenchError, OSError, KeyError, ValueError)


@dataclass(frozen=True, eq=False)
class Pictures:
    """The images of a run.

    Attributes
    ----------
    jpegs : dict of str to bytes
        By image; without those that could not be read.
    scr : (n_targets,) ndarray of float64, or None
        Signal-to-clutter ratio of every target, image by image, NaN where undefined; None
        where an image is missing, or the data has boxes only.
    note : str
        What is missing, or how the pictures were made smaller.
    """

    jpegs: dict[str, bytes]
    scr: NDArray[np.float64] | None
    note: str


def read_pictures(
    group: DataGroup, truths: Sequence[GroundTruth], most_bytes: int | None = MOST_BYTES
) -> Pictures:
    """Read every image once.

    Parameters
    ----------
    group : DataGroup
    truths : sequence of GroundTruth
        Their images are read.
    most_bytes : int or None
        What the pictures may take in sum; None for whole pictures.

    Returns
    -------
    Pictures
        Without images where the dataset is not on this machine; the note says why.
    """
    if not truths:
        return Pictures({}, None, "")
    dataset, reason = open_dataset_of(group.runs)
    if dataset is None:
        return Pictures({}, None, f"No pictures: {reason}.")
    side, quality = _WHOLE
    if most_bytes is not None:
        side, quality = _size_that_fits(dataset, truths, most_bytes)
    jpegs: dict[str, bytes] = {}
    ratios = [np.zeros(0)]
    missing = {}
    was_larger = False
    for truth in truths:
        try:
            sample = _matching(dataset, truth)
        except _UNREADABLE as error:
            missing[truth.id] = str(error)
            continue
        was_larger |= max(truth.shape) > side
        jpegs[truth.id] = encode(sample, side, quality)
        if sample.targets is not None:
            ratios.append(signal_to_clutter(sample.image, sample.targets))
    scr = np.concatenate(ratios)
    complete = len(scr) == sum(len(truth.boxes) for truth in truths)
    if complete:
        # Figures of the same command need not read the images again.
        keep_target_scr(group.runs, scr)
    notes = []
    if was_larger:
        notes.append(f"Pictures are made smaller, to {side} px, so that the page stays small.")
    if missing:
        name, reason = next(iter(missing.items()))
        notes.append(f"{len(missing)} images without a picture, such as {name}: {reason}")
    return Pictures(jpegs, scr if complete else None, " ".join(notes))


def encode(sample: Sample, side: int, quality: int) -> bytes:
    """An image as JPEG, its longest side at most ``side`` pixels."""
    import cv2

    grey: NDArray[Any] = to_display(sample.image)
    scale = side / max(grey.shape)
    if scale < 1:
        size = (max(round(grey.shape[1] * scale), 1), max(round(grey.shape[0] * scale), 1))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(encoded)


def _size_that_fits(
    dataset: Dataset, truths: Sequence[GroundTruth], most_bytes: int
) -> tuple[int, int]:
    """By a few images from all over the split."""
    indices = np.unique(np.linspace(0, len(truths) - 1, _N_TRIED, dtype=int))
    samples = []
    for index in indices:
        try:
            samples.append(dataset.load(truths[index].id))
        except _UNREADABLE:
            continue
    for side, quality in _SIZES if samples else ():
        mean = sum(len(encode(one, side, quality)) for one in samples) / len(samples)
        if mean * len(truths) <= most_bytes:
            return side, quality
    return _SIZES[-1]


def _matching(dataset: Dataset, truth: GroundTruth) -> Sample:
    sample = dataset.load(truth.id)
    if sample.shape != truth.shape or not np.array_equal(sample.boxes, truth.boxes):
        raise ValueError("the image on disk has another size or other targets than in the run")
    return sample
