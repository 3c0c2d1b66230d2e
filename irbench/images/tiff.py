"""TIFF: one page, its stored values, or a refusal that says what was found."""

from __future__ import annotations

import io
import logging
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ImageError
from irbench.images.limits import check_claim

_REDUCED, _TRANSPARENCY = 1, 4  # bits of NewSubfileType
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_SEPARATE = 2
_ALPHA = (1, 2)
_JPEG_CODINGS = (6, 7)

DIRECTORY_ERRORS = (
    *(OSError, ValueError, TypeError, AttributeError, AssertionError),
    *(ArithmeticError, LookupError, struct.error),
)
"""What tifffile ends in when a damaged directory reaches its arithmetic."""

# Damaged files are refused by an error of ours; tifffile also logs them.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


@dataclass(frozen=True, eq=False)
class Page:
    """The page of a TIFF file that is the image.

    Attributes
    ----------
    values : (H, W) or (H, W, 3) ndarray
        As stored; channels in OpenCV's order (blue, green, red). An alpha channel is
        dropped.
    bits : int
        Of one sample.
    colours : (N, 3) ndarray of uint8, or None
        What the indices ``values`` are shown as, in OpenCV's order; None without a palette.
    """

    values: NDArray[Any]
    bits: int
    colours: NDArray[np.uint8] | None = None


def read_tiff(path: Path, encoded: bytes) -> Page:
    """Read the only image of a TIFF file.

    Parameters
    ----------
    path : Path
        For errors.
    encoded : bytes
        The whole file.

    Returns
    -------
    Page

    Raises
    ------
    ImageError
        If the file is damaged or cut off; holds several images; or stores something else
        than grey, grey with alpha, RGB or a palette, upright and black at zero.
    """
    from tifffile import TiffFile

    try:
        with TiffFile(io.BytesIO(encoded)) as file:
            page = _only_image(path, file)
            check_page(path, page, len(encoded))
            return page_values(path, page)
    except (ImageError, MemoryError):
        raise
    # A damaged directory ends in whatever the reader's arithmetic ends in.
    except Exception as error:
        raise ImageError(
            f"cannot decode the image {path}: its TIFF directory or data are damaged or of a "
            f"kind that cannot be read ({type(error).__name__}: {str(error)[:200]})."
        ) from error


def _only_image(path: Path, file: Any) -> Any:
    if is_cut_off(file):
        raise ImageError(
            f"{path} is truncated or damaged: its TIFF directory names a page behind its end."
        )
    n_pages = len(file.pages)
    pages = (file.pages[index] for index in range(n_pages))
    whole = [page for page in pages if is_whole(page)]
    n_frames = len(whole) if len(whole) != 1 else frames_behind_one_page(file, whole[0])
    if n_frames != 1:
        raise ImageError(
            f"{path} is a TIFF stack of {n_pages} pages, {n_frames} of them images; expected "
            "one image a file. Write each page to a file of its own, or use it as frames: "
            "irbench detect, or --dataset sequence with a mask a frame."
        )
    return whole[0]


def is_whole(page: Any) -> bool:
    """Whether a page is an image itself, no thumbnail and no mask."""
    return not page.subfiletype & (_REDUCED | _TRANSPARENCY)


def is_cut_off(file: Any) -> bool:
    """Whether the last page of an open file that can be found is not the last that there was.

    tifffile lists the pages before a broken link and logs the rest: a truncated stack is a
    shorter one to it. Of a whole file the link of the last page is zero.
    """
    file.filehandle.seek(file.pages.next_page_offset)
    n_bytes = file.tiff.offsetsize
    return bool(file.filehandle.read(n_bytes) != bytes(n_bytes))


def frames_behind_one_page(file: Any, page: Any) -> int:
    """Frames that follow each other under one directory, as ImageJ and tifffile write them."""
    if file.is_imagej and file.imagej_metadata:
        return int(file.imagej_metadata.get("images", 1))
    if file.is_shaped and file.shaped_metadata:
        shape = file.shaped_metadata[0].get("shape", page.shape)
        n_pixels, n_of_page = int(math.prod(shape)), int(math.prod(page.shape))
        return max(1, n_pixels // max(1, n_of_page))
    return 1


def check_page(path: Path, page: Any, n_bytes: int) -> None:
    """Refuse what the decoder would read otherwise than it is meant, or not whole."""
    height, width = page.imagelength, page.imagewidth
    samples, bits = page.samplesperpixel, page.bitspersample
    if min(height, width, samples) < 1 or page.imagedepth != 1:
        raise ImageError(f"{path} is no image: its TIFF directory claims {page.shape}.")
    orientation = page.tags.valueof(274, default=1)
    if orientation != 1:
        raise ImageError(
            f"{path} has the TIFF orientation {orientation}: it is stored turned or mirrored. "
            "Write it upright (orientation 1), as its labels see it."
        )
    if page.photometric == _WHITE_IS_ZERO:
        raise ImageError(
            f"{path} has the TIFF photometric MinIsWhite: its zero is white. Write it as "
            "MinIsBlack, so that hot is bright and background zero."
        )
    separate = samples > 1 and page.planarconfig == _SEPARATE
    if page.is_tiled:
        rows, columns = page.tilelength, page.tilewidth
    else:
        rows, columns = min(page.rowsperstrip, height), width
    if min(rows, columns) < 1:
        raise ImageError(f"{path} is damaged: its TIFF segments have no size.")
    across, down = math.ceil(width / columns), math.ceil(height / rows)
    n_segments = across * down * (samples if separate else 1)
    row_bytes = math.ceil(columns * (1 if separate else samples) * bits / 8)
    offsets, counts = page.dataoffsets, page.databytecounts
    if not len(offsets) == len(counts) == n_segments:
        raise ImageError(
            f"{path} is damaged: its TIFF directory lists {len(offsets)} strips or tiles; "
            f"expected {n_segments}."
        )
    if any(at < 8 or n < 1 or at + n > n_bytes for at, n in zip(offsets, counts, strict=True)):
        raise ImageError(f"{path} is truncated: part of its TIFF data lies behind its end.")
    if page.compression == 1:
        whole = across * rows * (samples if separate else 1) * row_bytes * down
        if not page.is_tiled:
            whole = height * row_bytes * (samples if separate else 1)
        if sum(counts) < whole:
            raise ImageError(
                f"{path} is truncated: {sum(counts)} bytes of TIFF data; expected {whole}."
            )
    n_decoded = height * width * samples * math.ceil(bits / 8)
    largest = max(n_decoded, rows * columns * samples * math.ceil(bits / 8))
    check_claim(path, (height, width), largest)


def page_values(path: Path, page: Any) -> Page:
    """The stored values of a page that was checked."""
    extra = tuple(int(kind) for kind in page.extrasamples)
    samples, photometric = int(page.samplesperpixel), int(page.photometric)
    is_coded_jpeg = int(page.compression) in _JPEG_CODINGS
    grey = photometric == _BLACK_IS_ZERO and (
        samples == 1 or (samples == 2 and extra[:1] and extra[0] in _ALPHA)
    )
    colour = samples in (3, 4) and (
        photometric in (_RGB, _BLACK_IS_ZERO) or (photometric == _YCBCR and is_coded_jpeg)
    )
    palette = photometric == _PALETTE and samples == 1 and page.colormap is not None
    if not (grey or colour or palette):
        raise ImageError(
            f"{path} stores {samples} samples a pixel as {page.photometric.name}"
            f"{f' with extra samples {extra}' if extra else ''}; expected grey, grey with "
            "alpha, RGB or a palette. Write the infrared channel as grey."
        )
    array = np.asarray(page.asarray())
    if samples > 1 and page.planarconfig == _SEPARATE:
        array = np.moveaxis(array, 0, -1)
    expected = (page.imagelength, page.imagewidth, *((samples,) if samples > 1 else ()))
    if array.shape != expected or array.dtype.kind not in "buif":
        raise ImageError(
            f"{path} holds {array.dtype} values of shape {array.shape}; expected real numbers "
            f"of shape {expected}."
        )
    if samples == 2:
        array = array[..., 0]
    elif samples > 2:
        bands = array[..., :3]
        if photometric == _BLACK_IS_ZERO and (bands != bands[..., :1]).any():
            raise ImageError(
                f"{path} stores {samples} bands that are no colours and differ; expected one. "
                "Write the infrared band as grey."
            )
        array = bands[..., ::-1]
    if array.dtype == bool:
        array = array.astype(np.uint8)
    colours = None
    if palette:
        table = np.asarray(page.colormap)
        colours = np.ascontiguousarray((table.T[:, ::-1] >> 8).astype(np.uint8))
        if array.max() >= len(colours):
            raise ImageError(f"{path} is damaged: an index has no colour in its palette.")
    return Page(np.ascontiguousarray(array), int(page.bitspersample), colours)
