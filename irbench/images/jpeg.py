"""JPEG: the structure of a file, its orientation, and a decoder that reports damage."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ImageError
from irbench.images.headers import directory_value, jpeg_segments

_ORIENTATION = 274
_APP1 = 0xE1


def metadata_segments(path: Path, encoded: bytes) -> list[bytes]:
    """Walk through a JPEG file to the end of its picture; the content of its APP1 segments.

    Raises
    ------
    ImageError
        If the file ends before its end marker, or is damaged.
    """
    try:
        return [content for marker, content in jpeg_segments(encoded) if marker == _APP1]
    except ValueError as error:
        raise ImageError(f"{path} is damaged: {error}.") from None
    except (IndexError, struct.error):
        message = f"{path} is truncated: its JPEG end marker is missing."
        raise ImageError(message) from None


def orientation_of(segments: Sequence[bytes]) -> int:
    """How :func:`metadata_segments` say that a picture is turned: 1 to 8, 1 where they do not."""
    blocks = [one[6:] for one in segments if one.startswith(b"Exif\0\0")]
    return exif_orientation(blocks[-1]) if blocks else 1


def is_radiometric(segments: Sequence[bytes]) -> bool:
    """Whether :func:`metadata_segments` hold FLIR's raw counts: the picture is a preview."""
    return any(one.startswith(b"FLIR\0") for one in segments)


def exif_orientation(block: bytes) -> int:
    """The orientation in an EXIF block, 1 to 8; 1 where it is missing or makes no sense."""
    found = directory_value(block, _ORIENTATION)
    return found if found is not None and 1 <= found <= 8 else 1


def decode_jpeg(path: Path, encoded: bytes) -> NDArray[np.uint8]:
    """Decode a JPEG file; a damaged scan is an error.

    libjpeg itself, and so OpenCV and Pillow, fills what it cannot read with grey and
    only warns.

    Returns
    -------
    (H, W) or (H, W, 3) ndarray of uint8
        Blue, green, red; as stored, not turned.
    """
    try:
        import simplejpeg
    except ModuleNotFoundError as error:
        raise ImageError(
            f"cannot decode {path}: JPEG needs the package simplejpeg (pip install simplejpeg)."
        ) from error
    try:
        space = simplejpeg.decode_jpeg_header(encoded)[2]
        wanted = "GRAY" if space == "Gray" else "BGR"
        decoded = simplejpeg.decode_jpeg(encoded, colorspace=wanted)
    except ValueError as error:
        raise ImageError(f"{path} is damaged: {error}.") from error
    return np.asarray(decoded[..., 0] if wanted == "GRAY" else decoded)


def upright(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn a stored image as its EXIF orientation says that it is shown.

    Parameters
    ----------
    image : (H, W) or (H, W, C) ndarray
    orientation : int
        1 to 8.

    Returns
    -------
    ndarray
        For 5 to 8, height and width are exchanged.

    Examples
    --------
    >>> upright(np.array([[1, 2], [3, 4]]), 6).tolist()
    [[3, 1], [4, 2]]
    """
    if orientation >= 5:
        image = np.swapaxes(image, 0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)
