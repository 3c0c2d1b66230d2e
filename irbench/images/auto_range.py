"""Value ranges found from the frames themselves, by a written rule.

``auto/1``: of at most :data:`N_FRAMES` frames, evenly spread, the 0.1 and the 99.9 percentile of
all finite pixels are taken; their distance is added on either side. A small target is a few
pixels of a million, above any percentile, and needs the room; dead pixels do not count.
What lies outside is clipped, and its share is reported. ``auto`` is one range for all frames of a
camera, ``auto-frame`` one of each frame, which forgets how bright one frame is beside another.

A stated range whose black is above its white is that of a black-hot camera: images are turned
round (:func:`made_white_hot`), so that everything that follows sees hot as bright.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ImageError
from irbench.images.reading import ValueRange, check_image, stated_range

AUTO, AUTO_FRAME = "auto", "auto-frame"
RangeChoice = ValueRange | Literal["auto", "auto-frame"] | None
"""Black and white, a name of the rule, or None for the range of the pixels' type."""

RULE = "auto/1"
N_FRAMES = 64
PERCENTILES = (0.1, 99.9)
ROOM = 1.0
"""Share of the percentiles' distance that is added on either side."""

_PIXELS_OF_FRAME, _PIXELS_OF_HINT = 2**16, 2**12
NARROW = 0.1
"""Frames that use less of the range than this deserve a hint."""


def find_range(images: Iterable[NDArray[Any]]) -> ValueRange:
    """The range of frames by the rule ``auto/1``.

    Parameters
    ----------
    images : iterable of (H, W) ndarray
        All of one type.

    Returns
    -------
    (float, float)
        Black and white.

    Raises
    ------
    ImageError
        If there is no frame, no finite pixel, or frames are of several types.

    Examples
    --------
    >>> import numpy as np
    >>> find_range([np.linspace(7000, 7400, 4000).reshape(40, 100)])
    (6601.2, 7798.8)
    """
    seen: list[NDArray[Any]] = []
    dtypes = set()
    for image in images:
        dtypes.add(image.dtype)
        pixels = image.reshape(-1)[:: max(image.size // _PIXELS_OF_FRAME, 1)]
        seen.append(pixels[np.isfinite(pixels)] if pixels.dtype.kind == "f" else pixels)
    if len(dtypes) > 1:
        raise ImageError(
            f"value range auto: frames are of several types ({', '.join(sorted(map(str, dtypes)))}"
            "); convert them to one."
        )
    if not seen or not sum(map(len, seen)):
        raise ImageError("value range auto: there is no frame with a finite pixel to find it from.")
    low, high = np.percentile(np.concatenate(seen), PERCENTILES).tolist()
    # A constant frame has a range too.
    room = ROOM * (high - low) or 0.5
    return round(low - room, 6), round(high + room, 6)


def clip_to_range(image: NDArray[Any], value_range: ValueRange) -> tuple[NDArray[Any], int]:
    """An image without values outside a range, and how many there were.

    Parameters
    ----------
    image : (H, W) ndarray
    value_range : (float, float)

    Returns
    -------
    image : (H, W) ndarray
        Integers stay what they are; the image itself where nothing is outside. NaN stays.
    n_clipped : int
    """
    low, high = value_range
    if image.dtype.kind in "ui":
        limits = np.iinfo(image.dtype)
        low, high = max(np.ceil(low), limits.min), min(np.floor(high), limits.max)
        if low > high:
            # No integer lies between: an odd range, which check_image refuses by name.
            return image, 0
    n_clipped = int(np.count_nonzero((image < low) | (image > high)))
    if not n_clipped:
        return image, 0
    return np.clip(image, low, high).astype(image.dtype, copy=False), n_clipped


def made_white_hot(image: NDArray[Any], value_range: ValueRange) -> tuple[NDArray[Any], ValueRange]:
    """An image of a black-hot camera turned round; any other as it is.

    Parameters
    ----------
    image : (H, W) ndarray
    value_range : (float, float)
        Black and white, as stated.

    Returns
    -------
    image : (H, W) ndarray
        ``black + white - image`` where black is above white, of the same type where that can
        hold it.
    value_range : (float, float)
        With the lower value first.

    Raises
    ------
    ImageError
        If values lie outside the range of an image that is to be turned.

    Examples
    --------
    >>> import numpy as np
    >>> made_white_hot(np.array([[1000, 16383]], np.uint16), (16383, 0))
    (array([[15383,     0]], dtype=uint16), (0, 16383))
    """
    black, white = value_range
    if black < white:
        return image, value_range
    check_image(image, (white, black))
    turned = black + white - image.astype(np.float64)
    kind = image.dtype
    # A stated range may reach beyond the type, such as that of 14 bits for a file of 8.
    if kind.kind == "f" or (
        (black + white) % 1 == 0 and np.iinfo(kind).min <= white and black <= np.iinfo(kind).max
    ):
        turned = turned.astype(kind)
    return turned, (white, black)


def fit_frame(
    image: NDArray[Any], choice: RangeChoice, *, clips: bool = False
) -> tuple[NDArray[Any], ValueRange | None, int]:
    """An image, the range that it is read by, and the number of pixels that were clipped.

    Parameters
    ----------
    image : (H, W) ndarray
    choice : (float, float), "auto-frame" or None
        ``"auto"`` must have been found by :func:`find_range`. For the range of a black-hot camera
        see :func:`made_white_hot`.
    clips : bool
        Whether the range was found, so that values outside are clipped. A stated range clips
        nothing: what lies outside is an error of :func:`irbench.images.check_image`.
    """
    if choice is None:
        return image, None, 0
    if choice == AUTO_FRAME:
        choice, clips = find_range([image]), True
    assert not isinstance(choice, str)
    if clips:
        fitted, n_clipped = clip_to_range(image, choice)
        return fitted, choice, n_clipped
    return (*made_white_hot(image, choice), 0)


def used_share(image: NDArray[Any], value_range: ValueRange | None) -> float:
    """The share of a range, whichever way round, between an image's 0.1 and 99.9 percentile."""
    low, high = stated_range(image, value_range)
    pixels = image.reshape(-1)[:: max(image.size // _PIXELS_OF_HINT, 1)]
    darkest, brightest = np.percentile(pixels, PERCENTILES).tolist()
    return float((brightest - darkest) / abs(high - low))
