"""JPEG: the structure of a file, its orientation, and a decoder that reports damage."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ImageError
from irbench.images.headers import JPEG_BARE, directory_value

_ORIENTATION = 274
_END, _SCAN, _APP1 = 0xD9, 0xDA, 0xE1
# In a scan, FF 00 is a stored FF and FF D0 to FF D7 restart it.
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def metadata_segments(path: Path, encoded: bytes) -> list[bytes]:
    """Walk through a JPEG file to the end of its picture; the content of its APP1 segments.

    What follows the end is no part of the picture.

    Raises
    ------
    ImageError
        If the file ends before its end marker.
    """
    segments: list[bytes] = []
    at = 2
    truncated = ImageError(f"{path} is truncated: its JPEG end marker is missing.")
    try:
        while True:
            if encoded[at] != 0xFF:
                raise ImageError(f"{path} is damaged: byte {at} is no JPEG marker.")
            marker = encoded[at + 1]
            if marker == 0xFF:  # filling
                at += 1
                continue
            if marker == _END:
                return segments
            if marker in JPEG_BARE:
                at += 2
                continue
            length = struct.unpack_from(">H", encoded, at + 2)[0]
            if marker == _APP1:
                segments.append(encoded[at + 4 : at + 2 + length])
            at += 2 + length
            if marker == _SCAN:
                found = _MARKER_IN_SCAN.search(encoded, at)
                if found is None:
                    raise truncated
                at = found.start()
    except (IndexError, struct.error):
        raise truncated from None


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
