"""Score maps for the gallery, for which the detectors of a run run again."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import NoFigureError
from irbench.figures.marks import read_image
from irbench.figures.recomputing import compute_map, has_maps, remake_detector
from irbench.messages.progress import terminal_progress

from ._figure_jobs import group_comparison
from ._side_by_side import DataGroup

_QUALITY = 85


def add_score_maps(
    group: DataGroup, images: Sequence[dict[str, Any]], positions: Mapping[str, int]
) -> None:
    """Compute the score map of every image by every method that has them, and report progress.

    Parameters
    ----------
    group : DataGroup
    images : sequence of dict
        Of the gallery. Each gets ``p``: by method, a JPEG in Base64.
    positions : mapping of str to int
        Of the methods on the page.
    """
    progress = terminal_progress()
    comparison = group_comparison(group, progress)
    truths = {truth.id: truth for truth in comparison.scored.truths}
    failures: dict[str, str] = {}
    for method in comparison.scored.methods:
        if not has_maps(comparison, method):
            continue
        try:
            detector = remake_detector(comparison, method)
        except NoFigureError as error:
            failures[method] = str(error)
            continue
        title = f"Score maps of {comparison.styles[method].title} again"
        with progress.track(title, len(images)) as advance:
            for image in images:
                try:
                    sample = read_image(comparison.dataset, truths[image["id"]])
                    values = compute_map(detector, sample)
                except NoFigureError as error:
                    failures.setdefault(method, str(error))
                else:
                    maps = image.setdefault("p", {})
                    maps[str(positions[method])] = base64.b64encode(encode_map(values)).decode()
                advance()
    for reason in failures.values():
        progress.say(f"No score map: {reason}")


def encode_map(values: NDArray[Any]) -> bytes:
    """A score map as a grey JPEG, from its least value, black, to its greatest."""
    import cv2

    finite = np.isfinite(values)
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 0.0)
    shares = (np.where(finite, values, low) - low) / max(high - low, 1e-300)
    grey = np.rint(255 * shares).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(encoded)
