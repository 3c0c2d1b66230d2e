"""TIFF stacks: one page after another, or the frames that lie behind a single page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from irbench.errors import ImageError
from irbench.sequences.frame_source import Frame, FrameSource, ImageFileSource
from irbench.tiff import check_page, frames_behind_one_page, page_values, whole_pages


class TiffStackSource(FrameSource):
    """The images of a TIFF file; of a file with one, that image."""

    @cached_property
    def n_frames(self) -> int:
        """Its images, without thumbnails; 1 where its directory cannot be read."""
        from tifffile import TiffFile

        try:
            with TiffFile(self.path) as file:
                pages = whole_pages(file)
                if len(pages) == 1:
                    return frames_behind_one_page(file, pages[0])
                return max(len(pages), 1)
        # A damaged directory ends in whatever the reader's arithmetic ends in; read as an
        # image, it is refused by name.
        except Exception:
            return 1

    def frames(self, step: int = 1) -> Iterator[Frame]:
        """See :meth:`FrameSource.frames`."""
        if self.n_frames == 1:
            yield from ImageFileSource(self.path).frames()
            return
        from tifffile import TiffFile

        with TiffFile(self.path) as file:
            pages = whole_pages(file)
            if len(pages) == 1:
                yield from self._behind_one_page(file, step)
                return
            n_bytes = self.path.stat().st_size
            for index in range(0, len(pages), step):
                yield self._page(pages[index], index, n_bytes)

    def frame(self, index: int) -> Frame:
        """See :meth:`FrameSource.frame`; other pages are not decoded."""
        if self.n_frames == 1:
            return super().frame(index)
        from tifffile import TiffFile

        with TiffFile(self.path) as file:
            pages = whole_pages(file)
            if len(pages) == 1:
                return super().frame(index)
            return self._page(pages[index], index, self.path.stat().st_size)

    def _page(self, page: Any, index: int, n_bytes: int) -> Frame:
        from irbench.images import to_grey

        place = self.path.with_name(f"{self.path.name}#{index}")
        try:
            check_page(place, page, n_bytes)
            read = page_values(place, page)
            values = read.values if read.colours is None else read.colours[read.values]
            return Frame(self.path, index, to_grey(values))
        except ImageError as error:
            return Frame(self.path, index, None, str(error))
        except MemoryError:
            raise
        # As for a single image.
        except Exception as error:
            return Frame(
                self.path, index, None, f"{place} is damaged ({type(error).__name__}: {error})."
            )

    def _behind_one_page(self, file: Any, step: int) -> Iterator[Frame]:
        """Frames of ImageJ and of tifffile's ``truncate``: one array, which is mapped."""
        from tifffile import memmap

        try:
            stack = memmap(self.path, mode="r")
        except ValueError as error:
            yield Frame(
                self.path,
                None,
                None,
                f"{self.path}: its {self.n_frames} frames lie behind one compressed page "
                f"({error}); write one page a frame.",
            )
            return
        if stack.ndim != 3:
            yield Frame(
                self.path,
                None,
                None,
                f"{self.path} is a stack of shape {stack.shape}; expected (N, H, W).",
            )
            return
        for index in range(0, len(stack), step):
            frame = np.array(stack[index])
            yield Frame(self.path, index, frame.astype(frame.dtype.newbyteorder("="), copy=False))
