"""Stacks that are one array: NumPy and FITS files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from irbench.errors import ImageError
from irbench.extras import require_packages
from irbench.sequences.frame_source import Frame, FrameSource

_STACK_DIMENSIONS = 3


class ArraySource(FrameSource):
    """A file that is one array in memory's own layout: ``(H, W)`` or ``(N, H, W)``."""

    def _array(self) -> Any:
        raise NotImplementedError

    @cached_property
    def _stack(self) -> Any:
        array = self._array()
        if (
            array.ndim not in (2, _STACK_DIMENSIONS)
            or array.size == 0
            or array.dtype.kind
            not in (
                "u",
                "i",
                "f",
            )
        ):
            raise ImageError(
                f"{self.path} holds {array.dtype} values of shape {array.shape}; expected numbers "
                "of shape (H, W) or (N, H, W), frame by frame."
            )
        return array if array.ndim == _STACK_DIMENSIONS else array[None]

    @property
    def n_frames(self) -> int:
        """The length of its first axis; 1 where it cannot be read."""
        try:
            return len(self._stack)
        except ImageError:
            return 1

    def frames(self, step: int = 1) -> Iterator[Frame]:
        """See :meth:`FrameSource.frames`."""
        for index in range(0, self.n_frames, step):
            yield self.frame(index)

    def frame(self, index: int) -> Frame:
        """See :meth:`FrameSource.frame`; nothing else is read."""
        try:
            frame = np.array(self._stack[index])
        except ImageError as error:
            return Frame(self.path, None, None, str(error))
        # FITS is stored with the high byte first.
        return Frame(self.path, index, frame.astype(frame.dtype.newbyteorder("="), copy=False))


class NpySource(ArraySource):
    """A ``.npy`` file, mapped into memory."""

    def _array(self) -> Any:
        try:
            return np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ImageError(f"cannot read {self.path} as a NumPy array: {error}.") from error


class FitsSource(ArraySource):
    """The first image of a FITS file, such as a cube of frames; needs astropy."""

    def _array(self) -> Any:
        require_packages(f"reading {self.path}", "camera", "astropy")
        from astropy.io import fits

        try:
            # Scaled integers (BZERO, as of unsigned 16 bit) cannot be mapped.
            with (
                self.path.open("rb") as file,
                fits.open(file, memmap=False, lazy_load_hdus=True) as units,
            ):
                for unit in units:
                    if unit.is_image and unit.header.get("NAXIS", 0) >= _STACK_DIMENSIONS - 1:
                        return np.asarray(unit.data)
        # Its parser ends on a damaged file in whatever its arithmetic ends in.
        except Exception as error:
            raise ImageError(f"cannot read the FITS file {self.path}: {error}.") from error
        raise ImageError(f"{self.path} holds no FITS image.")


def source_of(path: Path) -> FrameSource:
    """The source of a file, by its ending.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UsageError
        For a camera's container that is not read, saying what to convert it with.
    """
    from irbench.sequences.containers import refuse_container
    from irbench.sequences.frame_source import ImageFileSource
    from irbench.sequences.tiff_stack import TiffStackSource
    from irbench.sequences.video import VIDEO_SUFFIXES, VideoSource

    refuse_container(path)
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return VideoSource(path)
    if suffix in (".tif", ".tiff"):
        return TiffStackSource(path)
    if suffix == ".npy":
        return NpySource(path)
    return FitsSource(path) if suffix in (".fits", ".fit", ".fts") else ImageFileSource(path)
