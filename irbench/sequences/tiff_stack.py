"""TIFF stacks: one page after another, or the frames that lie behind a single page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from irbench.errors import ImageError
from irbench.images.tiff import (
    DIRECTORY_ERRORS,
    check_page,
    frames_behind_one_page,
    is_cut_off,
    is_whole,
    page_values,
)
from irbench.sequences.frame_source import Frame, FrameSource, ImageFileSource


@dataclass(frozen=True)
class _Contents:
    """What the directory of a file lists.

    Attributes
    ----------
    pages : tuple of int
        Places of the pages that are images, without thumbnails.
    n_behind : int
        Frames behind the only page, itself included; 1 where there are several pages.
    is_cut_off : bool
        Whether further pages are lost.
    """

    pages: tuple[int, ...] = ()
    n_behind: int = 1
    is_cut_off: bool = False


class TiffStackSource(FrameSource):
    """The images of a TIFF file; of a file with one, that image."""

    @cached_property
    def _contents(self) -> _Contents:
        """Read once; nothing where the directory cannot be read.

        How many frames there are cannot be known then: the file counts as one frame, which the
        reader of images refuses with the reason.
        """
        from tifffile import TiffFile

        try:
            with TiffFile(self.path) as file:
                readable = [_is_image(file, index) for index in range(len(file.pages))]
                n_readable = len(readable)
                while readable[n_readable - 1] is None:
                    n_readable -= 1
                # Within the stack a page that cannot be read costs itself, not those behind it.
                pages = tuple(i for i in range(n_readable) if readable[i] is not False)
                first = file.pages[pages[0]]
                n_behind = frames_behind_one_page(file, first) if len(pages) == 1 else 1
                return _Contents(pages, n_behind, n_readable < len(readable) or is_cut_off(file))
        except DIRECTORY_ERRORS:
            return _Contents()

    @property
    def n_frames(self) -> int:
        """Its images, and one more where those behind are cut off; 1 for a damaged directory."""
        contents = self._contents
        if contents.n_behind > 1:
            return contents.n_behind
        return max(len(contents.pages) + contents.is_cut_off, 1)

    def frames(self, step: int = 1) -> Iterator[Frame]:
        """See :meth:`FrameSource.frames`."""
        yield from self._at(range(0, self.n_frames, step))

    def frame(self, index: int) -> Frame:
        """See :meth:`FrameSource.frame`; other frames are not decoded."""
        if index >= self.n_frames:
            return super().frame(index)
        return next(self._at(range(index, index + 1)))

    def _at(self, indices: range) -> Iterator[Frame]:
        if self.n_frames == 1:
            yield from ImageFileSource(self.path).frames()
            return
        from tifffile import TiffFile

        pages, n_bytes = self._contents.pages, self.path.stat().st_size
        with TiffFile(self.path) as file:
            if self._contents.n_behind > 1:
                yield from self._behind_one_page(file, indices)
                return
            for index in indices:
                if index < len(pages):
                    yield self._page(file, index, n_bytes)
                else:
                    yield self._lost(index, len(pages))

    def _page(self, file: Any, index: int, n_bytes: int) -> Frame:
        from irbench.images import to_grey

        name = self.path.with_name(f"{self.path.name}#{index}")
        try:
            page = file.pages[self._contents.pages[index]]
            check_page(name, page, n_bytes)
            read = page_values(name, page)
            values = read.values if read.colours is None else read.colours[read.values]
            return Frame(self.path, index, to_grey(values))
        except ImageError as error:
            return Frame(self.path, index, None, str(error))
        except MemoryError:
            raise
        # As for a single image.
        except Exception as error:
            return Frame(
                self.path, index, None, f"{name} is damaged ({type(error).__name__}: {error})."
            )

    def _lost(self, index: int, n_read: int) -> Frame:
        return Frame(
            self.path,
            index,
            None,
            f"{self.path} ends after {n_read} frames, and its directory names more: it is "
            "truncated or damaged. What was read counts; copy the file again for the rest.",
        )

    def _behind_one_page(self, file: Any, indices: range) -> Iterator[Frame]:
        """Frames of ImageJ and of tifffile's ``truncate``: one array, read by its places."""
        n_bytes = self.path.stat().st_size
        try:
            page = file.pages[self._contents.pages[0]]
            check_page(self.path, page, n_bytes)
            offset, shape, dtype = self._array_of(file.series[0], page, file.byteorder)
        except ImageError as error:
            yield Frame(self.path, None, None, str(error))
            return
        except DIRECTORY_ERRORS as error:
            damage = f"{type(error).__name__}: {error}"
            yield Frame(self.path, None, None, f"{self.path} is damaged ({damage}).")
            return
        n_pixels = shape[0] * shape[1]
        n_whole = (n_bytes - offset) // (n_pixels * dtype.itemsize)
        for index in indices:
            if index >= n_whole:
                yield self._lost(index, n_whole)
                return
            at = offset + index * n_pixels * dtype.itemsize
            frame = np.fromfile(self.path, dtype, n_pixels, offset=at).reshape(shape)
            yield Frame(self.path, index, frame.astype(dtype.newbyteorder("="), copy=False))

    def _array_of(
        self, series: Any, page: Any, byteorder: str
    ) -> tuple[int, tuple[int, int], np.dtype[Any]]:
        """Where the array begins, the shape of a frame, and its type as stored."""
        if series.dataoffset is None:
            raise ImageError(
                f"{self.path}: its {self.n_frames} frames lie behind one compressed page; write "
                "one page a frame."
            )
        # Of a truncated file of ImageJ the reader has the first frame alone.
        shape = (self.n_frames, *page.shape) if series.shape == page.shape else series.shape
        if len(shape) != 3:
            raise ImageError(f"{self.path} is a stack of shape {shape}; expected (N, H, W).")
        dtype = np.dtype(page.dtype).newbyteorder(byteorder)
        if 0 in shape or dtype.kind not in "uif":
            raise ImageError(
                f"{self.path} holds {dtype} values of shape {shape}; expected numbers."
            )
        return int(series.dataoffset), shape[1:], dtype


def _is_image(file: Any, index: int) -> bool | None:
    """Whether a page is an image and no thumbnail; None where its directory is damaged."""
    try:
        return is_whole(file.pages[index])
    except DIRECTORY_ERRORS:
        return None
