"""Where the pictures of ``irbench detect`` go: no two to one file, and none over an image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from irbench.errors import UsageError


def picture_files(files: Sequence[Path], out: Path) -> list[Path]:
    """Where the picture of each image goes, no two to the same file.

    Parameters
    ----------
    files : sequence of Path
    out : Path
        The folder of the pictures.

    Returns
    -------
    list of Path
        ``out/STEM.png``; of images whose stems are the same but for case, which some file
        systems take for one, the second gets ``out/STEM-2.png``, and so on.

    Examples
    --------
    >>> files = [Path("a/x.png"), Path("b/x.png"), Path("x-2.tif")]
    >>> [path.name for path in picture_files(files, Path("out"))]
    ['x.png', 'x-3.png', 'x-2.png']
    """
    # An image has the picture of its own name, whatever is numbered before it.
    taken = {file.stem.casefold() for file in files}
    seen: set[str] = set()
    pictures = []
    for file in files:
        name, number = file.stem, 1
        if name.casefold() in seen:
            while name.casefold() in taken:
                number += 1
                name = f"{file.stem}-{number}"
            taken.add(name.casefold())
        seen.add(name.casefold())
        pictures.append(out / f"{name}.png")
    return pictures


def check_targets(files: Iterable[Path], targets: Iterable[Path]) -> None:
    """Refuse to write over an image that is to be read.

    Parameters
    ----------
    files : iterable of Path
        The images.
    targets : iterable of Path
        What is to be written.

    Raises
    ------
    UsageError
        Naming the image. Links, and names that differ in what a file system does not distinguish
        apart, are seen through.
    """
    # A target that is an image exists, since the image does.
    images = {_identity(file): file for file in files}
    for target in targets:
        if target.exists() and (image := images.get(_identity(target))):
            raise UsageError(
                f"the image {image} would be overwritten by {target}, which `irbench detect` is "
                "to write; give another folder by --out."
            )


def _identity(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_dev, status.st_ino
