"""What a person calls frames, opened: files and folders, in the order of a film."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from irbench.errors import UsageError
from irbench.images import IMAGE_SUFFIXES
from irbench.sequences.containers import refuse_container
from irbench.sequences.frame_source import Frame, FrameSource, ImageFileSource
from irbench.sequences.stacks import FitsSource, NpySource
from irbench.sequences.tiff_stack import TiffStackSource
from irbench.sequences.video import VIDEO_SUFFIXES, VideoSource

_SOURCES: dict[str, type[FrameSource]] = {
    **dict.fromkeys(IMAGE_SUFFIXES, ImageFileSource),
    **dict.fromkeys((".tif", ".tiff"), TiffStackSource),
    ".npy": NpySource,
    **dict.fromkeys((".fits", ".fit", ".fts"), FitsSource),
    **dict.fromkeys(VIDEO_SUFFIXES, VideoSource),
}
"""What reads a file, by its ending in lower case."""


@dataclass(frozen=True, eq=False)
class FrameSequence:
    """Frames of one or several files, in their order."""

    sources: tuple[FrameSource, ...]

    @property
    def n_frames(self) -> int:
        """As many as the files claim."""
        return sum(source.n_frames for source in self.sources)

    @property
    def frame_rate(self) -> float | None:
        """That of the first file which states one."""
        rates = (source.frame_rate for source in self.sources)
        return next((rate for rate in rates if rate is not None), None)

    def frames(self) -> Iterator[Frame]:
        """All frames; those that cannot be read with their error."""
        for source in self.sources:
            yield from source.frames()

    def frame(self, index: int) -> Frame:
        """One frame by its place in the sequence."""
        for source in self.sources:
            if index < source.n_frames:
                return source.frame(index)
            index -= source.n_frames
        raise IndexError(index)

    def spread(self, n: int) -> Iterator[Frame]:
        """About ``n`` frames, evenly spread over all of them."""
        step = max(self.n_frames // n, 1)
        n_before = 0
        for source in self.sources:
            if source.n_frames > 1:
                yield from source.frames(step)
            elif n_before % step == 0:
                yield from source.frames()
            n_before += source.n_frames


def open_sequence(paths: Iterable[Path]) -> FrameSequence:
    """Open files and folders of frames.

    Parameters
    ----------
    paths : iterable of Path
        Images, TIFF, NumPy or FITS stacks, videos, or folders of these, whose files come in
        natural order: ``frame_9`` before ``frame_10``.

    Raises
    ------
    UsageError
        For a path that does not exist, a folder without frames, or a camera's container that is
        not read.
    """
    sources: list[FrameSource] = []
    for path in paths:
        if path.is_dir():
            sources += map(_source_of, _files_of(path))
        elif path.exists():
            sources.append(_source_of(path))
        else:
            raise UsageError(f"there is no image {path}.")
    return FrameSequence(tuple(sources))


def _source_of(path: Path) -> FrameSource:
    refuse_container(path)
    return _SOURCES.get(path.suffix.lower(), ImageFileSource)(path)


def _files_of(folder: Path) -> Sequence[Path]:
    files = sorted(folder.iterdir(), key=lambda file: natural_key(file.name))
    found = [file for file in files if file.suffix.lower() in _SOURCES]
    if not found:
        for file in files:
            refuse_container(file)
        raise UsageError(f"the folder {folder} holds no image ({', '.join(_SOURCES)}).")
    return found


_DIGITS = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Sorts names with their runs of digits as numbers, whatever the case of letters.

    Returns
    -------
    tuple
        To be compared with those of other names. Names that are the same but for leading
        zeros or case follow their characters.

    Examples
    --------
    >>> sorted(["f10.png", "f9.png", "F1.png"], key=natural_key)
    ['F1.png', 'f9.png', 'f10.png']
    """
    parts = (
        (0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part.casefold())
        for part in _DIGITS.split(name)
        if part
    )
    return tuple(parts), name
