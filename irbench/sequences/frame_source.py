"""What frames come from: one file with one frame, or with many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from irbench.errors import ImageError


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame, or why it cannot be read.

    Attributes
    ----------
    path : Path
        The file that holds it.
    index : int or None
        Its place in that file, from 0; None in a file of one image.
    pixels : (H, W) ndarray, or None
        As stored; None for a frame that cannot be read.
    error : str
        Why not; empty for a frame that was read.
    """

    path: Path
    index: int | None
    pixels: NDArray[Any] | None
    error: str = ""

    @property
    def name(self) -> str:
        """The path, and behind ``#`` the place in the file where it holds several frames.

        Examples
        --------
        >>> Frame(Path("clip.tif"), 7, None, "damaged").name
        'clip.tif#7'
        """
        return str(self.path) if self.index is None else f"{self.path}#{self.index}"


class FrameSource(ABC):
    """A file with frames, which are read one at a time.

    Attributes
    ----------
    path : Path
    frame_rate : float or None
        Frames a second where the file says so.
    """

    frame_rate: float | None = None

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    @abstractmethod
    def n_frames(self) -> int:
        """As many as the file claims, without decoding any."""

    @abstractmethod
    def frames(self, step: int = 1) -> Iterator[Frame]:
        """Every ``step``-th frame from the first on, in order.

        A frame that is damaged comes with its error, and those behind it follow. One frame is
        in memory at a time.
        """

    def frame(self, index: int) -> Frame:
        """One frame by its place; by default those before it are read as well."""
        found = next(islice(self.frames(), index, None), None)
        missing = f"{self.path} has no frame {index}: it is truncated or damaged."
        return Frame(self.path, index, None, missing) if found is None else found


class ImageFileSource(FrameSource):
    """A file of one image; see :func:`irbench.images.read_image`."""

    @property
    def n_frames(self) -> int:
        """One."""
        return 1

    def frames(self, step: int = 1) -> Iterator[Frame]:
        """See :meth:`FrameSource.frames`."""
        from irbench.images import read_image_file
        from irbench.sequences.containers import refuse_preview

        try:
            image = read_image_file(self.path)
            refuse_preview(self.path, image)
            yield Frame(self.path, None, image.pixels)
        except ImageError as error:
            yield Frame(self.path, None, None, str(error))
