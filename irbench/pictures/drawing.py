"""Pictures of images with detections on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections

# Okabe and Ito's colours, which the colour-blind can tell apart, as (blue, green, red).
ORANGE = (0, 159, 230)

SMALLEST_PICTURE_PX = 512
MARGIN_PX = 3
"""Boxes are drawn so much outside of the target, which would be hidden otherwise."""


_SAMPLED = 2**16
"""Pixels that the display's stretch is found from: percentiles of all would take longer than
many a detector."""


def to_display(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Map an image to 8 bit for looking at, whatever value range a detector gets.

    Parameters
    ----------
    image : (H, W) ndarray

    Returns
    -------
    (H, W) ndarray of uint8
        8-bit images as they are; others are stretched from their 0.1 to their 99.9 percentile,
        since frames of a camera fill a small part of its range. NaN is black.
    """
    if image.dtype == np.uint8:
        return image.copy()
    seen = image.reshape(-1)[:: max(image.size // _SAMPLED, 1)]
    if seen.dtype.kind == "f":
        seen = seen[np.isfinite(seen)]
    low, high = (0.0, 0.0) if seen.size == 0 else np.percentile(seen, [0.1, 99.9]).tolist()
    stretched = image.astype(np.float32)
    stretched -= np.float32(low)
    stretched *= np.float32(255 / max(high - low, 1e-12))
    np.nan_to_num(stretched, copy=False, posinf=255.0, neginf=0.0)
    return np.asarray(np.clip(np.rint(stretched), 0, 255), dtype=np.uint8)


def in_grid(cells: Sequence[NDArray[np.uint8]], n_columns: int) -> NDArray[np.uint8]:
    """Pictures of one size in rows of ``n_columns``; the last row is filled up with black."""
    n_missing = -len(cells) % n_columns
    filled = [*cells, *[np.zeros_like(cells[0])] * n_missing]
    rows = [np.hstack(filled[i : i + n_columns]) for i in range(0, len(filled), n_columns)]
    return np.vstack(rows)


def draw_overlay(image: NDArray[Any], found: Detections) -> NDArray[np.uint8]:
    """An image with a box round each detection and its score beside it.

    Parameters
    ----------
    image : (H, W) ndarray
    found : Detections

    Returns
    -------
    (h, w, 3) ndarray of uint8
        Blue, green, red; a whole multiple of the image's size, at least 512 px on its
        longer side.
    """
    import cv2

    grey = to_display(image)
    scale = max(1, -(-SMALLEST_PICTURE_PX // max(grey.shape)))
    enlarged = np.repeat(np.repeat(grey, scale, axis=0), scale, axis=1)
    picture = np.repeat(enlarged[..., None], 3, axis=2)
    for box, score in found:
        x0, y0, x1, y1 = (round(float(side) * scale) for side in box)
        corner = (x0 - MARGIN_PX, y0 - MARGIN_PX)
        cv2.rectangle(picture, corner, (x1 + MARGIN_PX, y1 + MARGIN_PX), ORANGE, 1)
        position = (x0 - MARGIN_PX, max(y0 - MARGIN_PX - 3, 9))
        cv2.putText(
            picture,
            f"{score:.3g}",
            position,
            cv2.FONT_HERSHEY_SIMPLEX,
            0.35,
            ORANGE,
            1,
            cv2.LINE_AA,
        )
    return picture


def save_overlay(path: Path, image: NDArray[Any], found: Detections) -> None:
    """Write the picture of :func:`draw_overlay` as PNG, atomically.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    import cv2

    from irbench.atomic import write_bytes

    # Level 1 takes a third of the time for some more bytes.
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    _, encoded = cv2.imencode(".png", draw_overlay(image, found), options)
    write_bytes(path, encoded.tobytes())
