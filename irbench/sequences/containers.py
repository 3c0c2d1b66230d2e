"""Files of cameras that are not read, each with what makes frames of them that are."""

from __future__ import annotations

from pathlib import Path

from irbench.errors import ImageError, UsageError
from irbench.images.reading import PREVIEW, ImageFile

_FLIR = (
    "a FLIR container of raw counts; write its frames as 16-bit TIFF with FLIR's own software "
    "(Research Studio: export, 16 bit counts) or by `exiftool -b -RawThermalImage`"
)
_RAW = (
    "raw values without a header; say its type and size once and keep a stack: "
    "numpy.save('clip.npy', numpy.fromfile(FILE, '<u2').reshape(-1, HEIGHT, WIDTH))"
)
_RECORDER = "a recorder's own container; export its frames as 16-bit TIFF with the recorder"

CONTAINERS = {
    **dict.fromkeys((".seq", ".csq", ".fff", ".fcf"), _FLIR),
    **dict.fromkeys((".ptw", ".ats", ".sfmov", ".irv", ".hcc"), _RECORDER),
    **dict.fromkeys((".raw", ".bin", ".dat"), _RAW),
}
"""By ending in lower case: what a file is, and how its raw counts become frames."""


def refuse_container(path: Path) -> None:
    """Refuse the file of a camera that is not read.

    Raises
    ------
    UsageError
        Saying what to convert it with.
    """
    if what := CONTAINERS.get(path.suffix.lower()):
        raise UsageError(f"{path} is not read: it is {what}.")


def refuse_preview(path: Path, image: ImageFile) -> None:
    """Refuse a JPEG with FLIR's raw counts inside: its picture is a painted preview.

    Raises
    ------
    ImageError
        Saying how to get at the counts.
    """
    if PREVIEW in image.notes:
        raise ImageError(
            f"{path} is a radiometric JPEG of FLIR: its picture is a painted preview, the counts "
            f"are in its metadata. Extract them by `exiftool -b -RawThermalImage {path.name} > "
            f"{path.stem}.tif`."
        )
