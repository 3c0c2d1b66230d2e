"""Images: read unchanged from disk, checked, and mapped to the range a detector wants."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ImageError
from irbench.image_headers import JPEG, PNG, claimed_size, image_format, png_chunks

ValueRange = tuple[float, float]

IMAGE_SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg")
"""Endings of the files that count as images, in lower case."""

MAX_PIXELS = 2**28
"""More are never decoded: a camera frame is a few megapixels, so a header that claims more
than 16384 x 16384 is an error or an attack."""

_DTYPE_RANGES: dict[str, ValueRange] = {
    "uint8": (0.0, 255.0),
    "uint16": (0.0, 65535.0),
    "float16": (0.0, 1.0),
    "float32": (0.0, 1.0),
    "float64": (0.0, 1.0),
}


def read_image(path: Path | str) -> NDArray[Any]:
    """Read a grey image as it is stored.

    Parameters
    ----------
    path : path-like
        A PNG, TIFF, BMP or JPEG file.

    Returns
    -------
    (H, W) ndarray of uint8, uint16, float32 or float64
        Never cut from 16 to 8 bit. Equal channels give that channel, else the
        luma ``0.299 R + 0.587 G + 0.114 B``, rounded to the stored type. An
        alpha channel is ignored.

    Raises
    ------
    ImageError
        If the file is missing, truncated, or no image of these types.
    """
    import cv2

    path = Path(path)
    try:
        encoded = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise ImageError(f"cannot read the image {path}: {error.strerror or error}.") from error
    if encoded.size == 0:
        raise ImageError(f"cannot read the image {path}: the file is empty.")
    check_complete(path, encoded.tobytes())
    try:
        # Untouched orientation and depth; IMREAD_UNCHANGED keeps 16 bit.
        decoded = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ImageError(f"cannot decode the image {path}: {error.err}.") from error
    if decoded is None:
        raise ImageError(
            f"cannot decode the image {path}: expected a complete PNG, TIFF, BMP or JPEG file."
        )
    image = to_grey(decoded)
    if str(image.dtype) not in _DTYPE_RANGES:
        raise ImageError(f"{path} holds {image.dtype} pixels; expected uint8, uint16 or float.")
    return image


def check_complete(path: Path, encoded: bytes) -> None:
    """Refuse, before anything is decoded, what must not or cannot be decoded whole.

    OpenCV decodes the upper part of a truncated or damaged file and fills the rest with
    zeros; a benchmark must not score that. It also knows many formats that nobody here
    needs, by content whatever the file's name.

    Raises
    ------
    ImageError
        If the file is no PNG, JPEG, BMP or TIFF; if its header is cut off, or claims no
        pixel or more than :data:`MAX_PIXELS`; if the end of a PNG or JPEG is missing, or
        a part of a PNG is not what its checksum says.
    """
    kind = image_format(encoded)
    if kind is None:
        raise ImageError(
            f"cannot decode the image {path}: expected a complete PNG, TIFF, BMP or JPEG file."
        )
    size = claimed_size(encoded)
    if size is None:
        raise ImageError(f"{path} is truncated or damaged: its {kind} header tells no size.")
    height, width = size
    if not 0 < width * height <= MAX_PIXELS:
        raise ImageError(
            f"{path} claims {width}x{height} pixels; expected 1 to {MAX_PIXELS} pixels in all. "
            "Cut a larger scene into tiles."
        )
    if kind == PNG:
        _check_png(path, encoded)
    elif kind == JPEG and b"\xff\xd9" not in encoded[-64:]:
        raise ImageError(f"{path} is truncated: its JPEG end marker is missing.")


def _check_png(path: Path, encoded: bytes) -> None:
    for name, content, checksum in png_chunks(encoded):
        # Chunks whose name begins with a small letter are ancillary: no pixel depends on them.
        if name[:1].isupper() and zlib.crc32(content, zlib.crc32(name)) != checksum:
            raise ImageError(f"{path} is damaged: the checksum of a PNG chunk does not hold.")
        if name == b"IEND":
            return
    raise ImageError(f"{path} is truncated: its PNG end marker is missing.")


def to_grey(image: NDArray[Any]) -> NDArray[Any]:
    """One grey channel of a decoded image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) ndarray
        Channels in OpenCV's order (blue, green, red[, alpha]).

    Returns
    -------
    (H, W) ndarray of the same dtype
        The common channel where all are equal, else the luma.
    """
    import cv2

    if image.ndim == 2:
        return image
    if image.ndim != 3 or image.shape[2] not in (1, 2, 3, 4):
        raise ImageError(f"expected an (H, W) or (H, W, 1..4) image, got shape {image.shape}.")
    if image.shape[2] <= 2:
        return np.ascontiguousarray(image[..., 0])
    colour = np.ascontiguousarray(image[..., :3])
    if np.array_equal(colour[..., 0], colour[..., 1]) and np.array_equal(
        colour[..., 1], colour[..., 2]
    ):
        return np.ascontiguousarray(colour[..., 0])
    if colour.dtype == np.float64:
        weights = np.array([0.114, 0.587, 0.299])
        return np.asarray(colour @ weights)
    return np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY))


def check_image(image: Any, value_range: ValueRange | None = None) -> ValueRange:
    """Check a grey image array and tell its value range.

    Parameters
    ----------
    image : (H, W) ndarray
        uint8, uint16 or float; other integer types with ``value_range`` only.
    value_range : (float, float), optional
        The values of black and white; by default the dtype's: uint8 0 to 255,
        uint16 0 to 65535, float 0 to 1. A 14-bit camera passes ``(0, 16383)``.

    Returns
    -------
    (float, float)
        The range in force.

    Raises
    ------
    ImageError
        For another shape or type, an empty image, NaN or infinity, or a value
        outside the range.
    """
    if not isinstance(image, np.ndarray):
        raise ImageError(f"image must be a numpy array, got {type(image).__name__}.")
    if image.ndim != 2:
        raise ImageError(
            f"image must have shape (H, W), got {image.shape}; irbench.images.to_grey "
            "makes a grey image of a colour one."
        )
    if image.size == 0:
        raise ImageError(f"image must hold at least one pixel, got shape {image.shape}.")
    if value_range is None:
        if str(image.dtype) not in _DTYPE_RANGES:
            raise ImageError(
                f"image must be uint8, uint16 or float, got {image.dtype}; "
                "pass value_range=(black, white) for another integer type."
            )
        value_range = _DTYPE_RANGES[str(image.dtype)]
    elif image.dtype.kind not in "uif":
        raise ImageError(f"image must hold real numbers, got {image.dtype}.")
    low, high = (float(bound) for bound in value_range)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ImageError(
            f"value_range must be (black, white) with black < white, got {value_range}."
        )
    smallest, largest = float(image.min()), float(image.max())
    # NaN fails both comparisons, infinity one of them.
    if not (smallest >= low and largest <= high):
        if not np.isfinite(image).all():
            row, column = np.argwhere(~np.isfinite(image))[0]
            raise ImageError(f"image holds NaN or infinity, first at row {row}, column {column}.")
        raise ImageError(
            f"image values must lie in value_range ({low:g}, {high:g}), got {smallest:g} to "
            f"{largest:g}; pass value_range=(black, white) for this camera."
        )
    return low, high


def to_grey_levels(
    image: NDArray[Any], value_range: ValueRange | None = None
) -> NDArray[np.float64]:
    """Map an image to grey levels 0 to 255, not rounded, as the classical methods expect.

    Parameters
    ----------
    image : (H, W) ndarray
        See :func:`check_image`.
    value_range : (float, float), optional

    Returns
    -------
    (H, W) ndarray of float64
        A new array in [0, 255].
    """
    low, high = check_image(image, value_range)
    grey = image.astype(np.float64)
    if low != 0.0:
        grey -= low
    if high - low != 255.0:
        grey *= 255.0 / (high - low)
    return grey


def to_unit_range(
    image: NDArray[Any], value_range: ValueRange | None = None
) -> NDArray[np.float32]:
    """Map an image to [0, 1], as networks expect.

    Parameters
    ----------
    image : (H, W) ndarray
        See :func:`check_image`.
    value_range : (float, float), optional

    Returns
    -------
    (H, W) ndarray of float32
        A new array in [0, 1].
    """
    low, high = check_image(image, value_range)
    unit = (image.astype(np.float64) - low) / (high - low)
    return unit.astype(np.float32)
