"""Pictures of images with detections on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.images import ValueRange

# Okabe and Ito's colours, which the colour-blind can tell apart, as (blue, green, red).
ORANGE = (0, 159, 230)

SMALLEST_PICTURE_PX = 512
MARGIN_PX = 3
"""Boxes are drawn so much outside of the target, which would be hidden otherwise."""


def to_display(image: NDArray[Any], value_range: ValueRange | None = None) -> NDArray[np.uint8]:
    """Map an image to 8 bit for looking at.

    Parameters
    ----------
    image : (H, W) ndarray
    value_range : (float, float), optional
        Black and white; by default 8-bit images are left alone and others stretched
        from their 0.1 to their 99.9 percentile, since most of 16 bit is unused.

    Returns
    -------
    (H, W) ndarray of uint8
    """
    if image.dtype == np.uint8 and value_range is None:
        return image.copy()
    grey = image.astype(np.float64)
    low, high = value_range or tuple(np.percentile(grey, [0.1, 99.9]).tolist())
    stretched = (grey - low) / max(high - low, 1e-12)
    return np.asarray(np.clip(np.rint(stretched * 255), 0, 255), dtype=np.uint8)


def draw_overlay(
    image: NDArray[Any], found: Detections, value_range: ValueRange | None = None
) -> NDArray[np.uint8]:
    """An image with a box round each detection and its score beside it.

    Parameters
    ----------
    image : (H, W) ndarray
    found : Detections
    value_range : (float, float), optional

    Returns
    -------
    (h, w, 3) ndarray of uint8
        Blue, green, red; a whole multiple of the image's size, at least 512 px on its
        longer side.
    """
    import cv2

    grey = to_display(image, value_range)
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


def save_overlay(
    path: Path, image: NDArray[Any], found: Detections, value_range: ValueRange | None = None
) -> None:
    """Write the picture of :func:`draw_overlay` as PNG, atomically.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    import cv2

    from irbench.atomic import write_bytes

    _, encoded = cv2.imencode(".png", draw_overlay(image, found, value_range))
    write_bytes(path, encoded.tobytes())
