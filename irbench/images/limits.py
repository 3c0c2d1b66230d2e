"""How large an image may be: a guard against headers that claim more than memory holds."""

from __future__ import annotations

import os
from pathlib import Path

from irbench.errors import ImageError, UsageError

MAX_PIXELS = 2**28
"""By default more are never decoded: a camera frame is a few megapixels, so a header that claims
more than 16384 x 16384 is an error or an attack."""

VARIABLE = "IRBENCH_MAX_PIXELS"
"""The environment variable that states another number; workers inherit it."""

BYTES_A_PIXEL = 2
"""What a pixel may take when it is decoded; an image of fewer pixels may take more for each."""


def max_pixels() -> int:
    """The most pixels of an image that is decoded.

    Raises
    ------
    UsageError
        If the environment states no whole number above 0.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return MAX_PIXELS
    # int would take signs and underscores, and thousands of digits.
    if not (text.isascii() and text.isdecimal() and len(text) <= 18 and int(text)):
        raise UsageError(
            f"{VARIABLE} must be a whole number of pixels above 0, such as 400000000, got {text!r}."
        )
    return int(text)


def check_claim(path: Path, size: tuple[int, int], n_bytes: int) -> None:
    """Refuse an image by what its header claims, before anything is decoded.

    Parameters
    ----------
    path : Path
    size : (int, int)
        Height and width.
    n_bytes : int
        That it takes when it is decoded, or 0 where that is not known yet.

    Raises
    ------
    ImageError
        If it has no pixel, more than :func:`max_pixels`, or takes more than
        :data:`BYTES_A_PIXEL` for each of so many.
    """
    height, width = size
    n_pixels, limit = height * width, max_pixels()
    if not n_pixels > 0:
        raise ImageError(f"{path} claims {width}x{height} pixels; expected at least 1.")
    needed = max(n_pixels, -(-n_bytes // BYTES_A_PIXEL))
    if needed > limit:
        taken = f" that take {n_bytes} bytes" if n_bytes else ""
        bytes_ = f" and {BYTES_A_PIXEL * limit} bytes" if n_bytes else ""
        raise ImageError(
            f"{path} claims {width}x{height} pixels{taken}; expected at most {limit} "
            f"pixels{bytes_}. Cut a larger scene into tiles, or, where it is trusted and memory "
            f"holds it several times over, set the environment variable {VARIABLE}={needed}."
        )
