"""Image files: checked by their headers, then decoded as they are stored."""

from __future__ import annotations

import io
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ImageError
from irbench.images.headers import (
    BMP,
    JPEG,
    PNG,
    TIFF,
    claimed_bytes,
    claimed_size,
    image_format,
    png_chunks,
)
from irbench.images.limits import check_claim
from irbench.images.tiff import read_tiff

_EXPECTED = "expected a complete PNG, TIFF, BMP or JPEG file."
_PNG_PALETTE, _PNG_GREY = 3, 0
_BMP_RUN_LENGTHS = (1, 2)  # of 8 and of 4 bit; the header does not say how long they are


@dataclass(frozen=True, eq=False)
class Stored:
    """What an image file holds.

    Attributes
    ----------
    values : (H, W) or (H, W, C) ndarray
        Channels in OpenCV's order (blue, green, red[, alpha]).
    indices : (H, W) ndarray of integers, or None
        Where ``values`` are the colours of a palette, the numbers that the file stores.
    bits : int
        Of one sample. Grey levels of less than 8 bit are spread over 0 to 255.
    orientation : int
        The EXIF orientation by which ``values`` were turned; 1 for none.
    is_preview : bool
        Whether it is the picture that a thermal camera painted of counts kept beside it.
    """

    values: NDArray[Any]
    indices: NDArray[np.integer] | None = None
    bits: int = 8
    orientation: int = 1
    is_preview: bool = False


def read_stored(path: Path | str, *, with_indices: bool = False) -> Stored:
    """Read an image file.

    Parameters
    ----------
    path : path-like
        A PNG, TIFF, BMP or JPEG file.
    with_indices : bool
        Whether the numbers of a palette are wanted too.

    Raises
    ------
    ImageError
        If the file is missing, truncated, damaged, or no single image of these types.
    """
    path = Path(path)
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read the image {path}: {error.strerror or error}.") from error
    return decode_stored(path, encoded, with_indices=with_indices)


def decode_stored(path: Path, encoded: bytes, *, with_indices: bool = False) -> Stored:
    """Decode the content of an image file; see :func:`read_stored`.

    Parameters
    ----------
    path : Path
        What errors call it.
    encoded : bytes
    with_indices : bool
    """
    if not encoded:
        raise ImageError(f"cannot read the image {path}: the file is empty.")
    kind, size = check_complete(path, encoded)
    if kind == TIFF:
        return _stored_tiff(path, encoded)
    if kind == JPEG:
        from irbench.images.jpeg import (
            decode_jpeg,
            is_radiometric,
            metadata_segments,
            orientation_of,
            upright,
        )

        segments = metadata_segments(path, encoded)
        orientation = orientation_of(segments)
        pixels = upright(decode_jpeg(path, encoded), orientation)
        return Stored(pixels, orientation=orientation, is_preview=is_radiometric(segments))
    if kind == BMP:
        _check_bmp(path, encoded, size)
    orientation = _check_png(path, encoded) if kind == PNG else 1
    values = _decode(path, encoded)
    if values.shape[:2] != size:
        raise ImageError(
            f"{path} is damaged: {values.shape[:2]} pixels were decoded; its header says {size}."
        )
    indices = _palette_indices(path, encoded, kind) if with_indices else None
    bits = encoded[24] if kind == PNG and encoded[25] == _PNG_GREY else 8
    if orientation != 1:
        from irbench.images.jpeg import upright

        values = upright(values, orientation)
        indices = None if indices is None else upright(indices, orientation)
    return Stored(values, indices, bits, orientation)


def check_complete(path: Path, encoded: bytes) -> tuple[str, tuple[int, int]]:
    """Refuse, before anything is decoded, what must not be decoded.

    OpenCV knows many formats that nobody here needs, by content whatever the file's name,
    and takes any size.

    Returns
    -------
    kind : str
        See :func:`irbench.images.headers.image_format`.
    size : (int, int)
        Height and width.

    Raises
    ------
    ImageError
        If the file is no PNG, JPEG, BMP or TIFF; if its header is cut off, or claims no
        pixel, or more than :func:`irbench.images.limits.check_claim` allows.
    """
    kind = image_format(encoded)
    if kind is None:
        raise ImageError(f"cannot decode the image {path}: {_EXPECTED}")
    size = claimed_size(encoded)
    if size is None:
        raise ImageError(f"{path} is truncated or damaged: its {kind} header states no size.")
    # The rest of a TIFF file's directory is checked by its reader.
    check_claim(path, size, 0 if kind == TIFF else claimed_bytes(encoded, size))
    return kind, size


def _check_png(path: Path, encoded: bytes) -> int:
    """Refuse a damaged, truncated or animated PNG; else its orientation."""
    orientation = 1
    for name, content, checksum in png_chunks(encoded):
        # Chunks whose name begins with a small letter are ancillary: no pixel depends on them.
        if name[:1].isupper() and zlib.crc32(content, zlib.crc32(name)) != checksum:
            raise ImageError(f"{path} is damaged: the checksum of a PNG chunk does not hold.")
        if name == b"IEND":
            return orientation
        if name == b"eXIf":
            from irbench.images.jpeg import exif_orientation

            orientation = exif_orientation(content)
        elif name == b"acTL" and int.from_bytes(content[:4], "big") > 1:
            n_frames = int.from_bytes(content[:4], "big")
            raise ImageError(
                f"{path} is an animated PNG of {n_frames} frames; expected one image a file. "
                "Write each frame to a file of its own."
            )
    raise ImageError(f"{path} is truncated: its PNG end marker is missing.")


def _check_bmp(path: Path, encoded: bytes, size: tuple[int, int]) -> None:
    """Refuse a truncated BMP, of which OpenCV would print errors of its own."""
    is_os2 = encoded[14:18] == b"\x0c\0\0\0"
    bits = int.from_bytes(encoded[24:26] if is_os2 else encoded[28:30], "little")
    if not is_os2 and int.from_bytes(encoded[30:34], "little") in _BMP_RUN_LENGTHS:
        return
    # Rows are filled up to four bytes.
    height, row_bytes = size[0], math.ceil(size[1] * bits / 32) * 4
    n_bytes = int.from_bytes(encoded[10:14], "little") + height * row_bytes
    if len(encoded) < n_bytes:
        raise ImageError(
            f"{path} is truncated: {len(encoded)} bytes; its BMP header says {n_bytes}."
        )


def _decode(path: Path, encoded: bytes) -> NDArray[Any]:
    import cv2

    try:
        # IMREAD_UNCHANGED keeps 16 bit.
        decoded = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ImageError(f"cannot decode the image {path}: {error.err}.") from error
    if decoded is None:
        raise ImageError(f"cannot decode the image {path}: {_EXPECTED}")
    return np.asarray(decoded)


def _palette_indices(path: Path, encoded: bytes, kind: str) -> NDArray[np.integer] | None:
    if kind == PNG:
        has_palette = encoded[25] == _PNG_PALETTE
    else:
        has_palette = kind == BMP and 1 <= int.from_bytes(encoded[28:30], "little") <= 8
    if not has_palette:
        return None
    from PIL import Image

    try:
        with Image.open(io.BytesIO(encoded)) as picture:
            return np.array(picture) if picture.mode == "P" else None
    # Pillow ends on a damaged file in whatever its parsers end in.
    except Exception as error:
        raise ImageError(f"cannot decode the image {path}: {error}.") from error


def _stored_tiff(path: Path, encoded: bytes) -> Stored:
    page = read_tiff(path, encoded)
    if page.colours is not None:
        return Stored(page.colours[page.values], page.values)
    values = page.values
    if page.bits < 8:
        values = values * np.uint8(255 // (2**page.bits - 1))
    return Stored(values, bits=page.bits)
