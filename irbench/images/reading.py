"""Images: read unchanged from disk, checked, and mapped to the range a detector wants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ImageError
from irbench.images.files import read_stored

ValueRange = tuple[float, float]

IMAGE_SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg")
"""Endings of the files that count as images, in lower case."""

DTYPE_RANGES: dict[str, ValueRange] = {
    "uint8": (0.0, 255.0),
    "uint16": (0.0, 65535.0),
    "float16": (0.0, 1.0),
    "float32": (0.0, 1.0),
    "float64": (0.0, 1.0),
}


IN_COLOUR = (
    "in colour: red, green and blue differ, and their luma is read, in which a hot target of a "
    "false-colour palette may be dark; export grey or radiometric images"
)
PREVIEW = (
    "a radiometric JPEG of FLIR, of which the picture is read, a preview stretched frame by frame, "
    "and not the counts in its metadata: exiftool -b -RawThermalImage extracts them"
)
TURNED = "turned as the EXIF orientation says, as labelling tools show it"


@dataclass(frozen=True, eq=False)
class ImageFile:
    """An image that was read from a file.

    Attributes
    ----------
    pixels : (H, W) ndarray
    notes : tuple of str
        What a person should know of it, a clause each: :data:`IN_COLOUR`, :data:`PREVIEW`,
        :data:`TURNED`.
    """

    pixels: NDArray[Any]
    notes: tuple[str, ...] = ()


def read_image(path: Path | str) -> NDArray[Any]:
    """Read a grey image as it is stored.

    Parameters
    ----------
    path : path-like
        A PNG, TIFF, BMP or JPEG file.

    Returns
    -------
    (H, W) ndarray of integers or float
        Never cut from 16 to 8 bit; of other types than uint8, uint16 and float,
        :func:`check_image` asks for the value range. Equal channels give that channel,
        else the luma ``0.299 R + 0.587 G + 0.114 B``, rounded to the stored type. An
        alpha channel is ignored. A JPEG is turned as its EXIF orientation says.

    Raises
    ------
    ImageError
        If the file is missing, truncated or damaged, holds several images, or is no
        image of these types.
    """
    return read_image_file(path).pixels


def read_image_file(path: Path | str) -> ImageFile:
    """Read a grey image with what should be known of its file; see :func:`read_image`."""
    stored = read_stored(path)
    image = to_grey(stored.values)
    notes = [TURNED] if stored.orientation != 1 else []
    notes += [PREVIEW] if stored.is_preview else []
    if stored.values.ndim == 3 and not _has_equal_channels(stored.values):
        notes.append(IN_COLOUR)
    return ImageFile(image, tuple(notes))


def _has_equal_channels(image: NDArray[Any]) -> bool:
    return image.shape[2] <= 2 or bool(
        np.array_equal(image[..., 0], image[..., 1])
        and np.array_equal(image[..., 1], image[..., 2])
    )


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
    if _has_equal_channels(colour):
        return np.ascontiguousarray(colour[..., 0])
    if colour.dtype not in (np.uint8, np.uint16, np.float32):
        luma = colour @ np.array([0.114, 0.587, 0.299])
        return np.asarray(luma if colour.dtype.kind == "f" else np.rint(luma)).astype(colour.dtype)
    return np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY))


def check_image(image: Any, value_range: ValueRange | None = None) -> ValueRange:
    """Check a grey image array and find its value range.

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
    check_grey_array(image)
    low, high = stated_range(image, value_range)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ImageError(
            f"value_range must be (black, white) with black < white, got {value_range}; "
            "irbench.images.auto_range.made_white_hot turns an image of a black-hot camera round."
        )
    smallest, largest = float(image.min()), float(image.max())
    # NaN fails both comparisons, infinity one of them.
    if not (smallest >= low and largest <= high):
        check_finite(image)
        raise ImageError(
            f"image values must lie in value_range ({low:g}, {high:g}), got {smallest:g} to "
            f"{largest:g}; pass value_range=(black, white) for this camera."
        )
    return low, high


def check_grey_array(image: Any) -> None:
    """Refuse what is no ``(H, W)`` array of pixels, whatever their values are.

    Raises
    ------
    ImageError
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
    # Its mask would be passed over, and what lies below it taken for pixels.
    if isinstance(image, np.ma.MaskedArray) and np.ma.is_masked(image):
        raise ImageError(
            f"image must have no masked pixels, got {int(np.ma.getmaskarray(image).sum())}; pass "
            "image.filled(value)."
        )


def check_finite(image: NDArray[Any]) -> None:
    """Refuse an image with NaN or infinity.

    Raises
    ------
    ImageError
        Naming the first.
    """
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        row, column = np.argwhere(~np.isfinite(image))[0]
        raise ImageError(f"image holds NaN or infinity, first at row {row}, column {column}.")


def stated_range(image: NDArray[Any], value_range: ValueRange | None) -> ValueRange:
    """The range in force for an image, whatever its values are; see :func:`check_image`."""
    if value_range is None:
        if str(image.dtype) not in DTYPE_RANGES:
            raise ImageError(
                f"image must be uint8, uint16 or float, got {image.dtype}; "
                "pass value_range=(black, white) for another integer type."
            )
        value_range = DTYPE_RANGES[str(image.dtype)]
    elif image.dtype.kind not in "uif":
        raise ImageError(f"image must hold real numbers, got {image.dtype}.")
    try:
        low, high = map(float, value_range)
    except (TypeError, ValueError):
        raise ImageError(
            f"value_range must be two numbers (black, white), got {value_range!r}; "
            "irbench.images.auto_range.find_range finds them from frames."
        ) from None
    return low, high


def check_file_values(image: NDArray[Any], value_range: ValueRange | None, path: Path) -> None:
    """Refuse an image file whose values do not lie in the value range in force.

    Raises
    ------
    ImageError
        It names the file and the option that states another range.
    """
    if value_range is None and image.dtype in (np.uint8, np.uint16):
        return
    try:
        check_image(image, value_range)
    except ImageError as error:
        raise ImageError(
            f"{path}: {str(error).removesuffix('.')}; state it by --value-range BLACK WHITE, or "
            "value_range = [BLACK, WHITE] in an irbench.toml beside a folder of data. The file "
            f"holds {image.dtype} values from {image.min():g} to {image.max():g}."
        ) from error


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
