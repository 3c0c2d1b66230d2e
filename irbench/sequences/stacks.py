"""Stacks that are one array: NumPy and FITS files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ImageError
from irbench.extras import require_packages
from irbench.sequences.frame_source import Frame, FrameSource

_STACK_DIMENSIONS = 3


class ArraySource(FrameSource):
    """A file that is one array: ``(H, W)`` or ``(N, H, W)``, of which single frames are read."""

    @abstractmethod
    def _claimed(self) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and type of the array, from its header.

        Raises
        ------
        ImageError
            If the file is damaged.
        """

    @abstractmethod
    def _read(self, index: int) -> NDArray[Any]:
        """A copy of one frame, or of an array of two dimensions, which is frame 0.

        Raises
        ------
        ImageError
            If it is damaged.
        """

    @cached_property
    def _length(self) -> int:
        shape, dtype = self._claimed()
        if len(shape) not in (2, _STACK_DIMENSIONS) or 0 in shape or dtype.kind not in "uif":
            raise ImageError(
                f"{self.path} holds {dtype} values of shape {shape}; expected numbers "
                "of shape (H, W) or (N, H, W), frame by frame."
            )
        return shape[0] if len(shape) == _STACK_DIMENSIONS else 1

    @property
    def n_frames(self) -> int:
        """The length of its first axis; 1 where it cannot be read."""
        try:
            return self._length
        except ImageError:
            return 1

    def frames(self, step: int = 1) -> Iterator[Frame]:
        """See :meth:`FrameSource.frames`."""
        for index in range(0, self.n_frames, step):
            yield self.frame(index)

    def frame(self, index: int) -> Frame:
        """See :meth:`FrameSource.frame`; nothing else is read."""
        try:
            readable = index < self._length
        except ImageError as error:
            return Frame(self.path, None, None, str(error))
        if not readable:
            return super().frame(index)
        try:
            frame = self._read(index)
        except ImageError as error:
            return Frame(self.path, index, None, str(error))
        # FITS is stored with the high byte first.
        return Frame(self.path, index, frame.astype(frame.dtype.newbyteorder("="), copy=False))


class NpySource(ArraySource):
    """A ``.npy`` file, mapped into memory."""

    @cached_property
    def _array(self) -> NDArray[Any]:
        try:
            array: NDArray[Any] = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ImageError(f"cannot read {self.path} as a NumPy array: {error}.") from error
        return array

    def _claimed(self) -> tuple[tuple[int, ...], np.dtype[Any]]:
        return self._array.shape, self._array.dtype

    def _read(self, index: int) -> NDArray[Any]:
        array = self._array
        return np.array(array if array.ndim == 2 else array[index])


class FitsSource(ArraySource):
    """The first image of a FITS file, such as a cube of frames; needs astropy.

    Frames are read by sections of the file, not mapped: scaled integers (BZERO, as of unsigned
    16 bit) cannot be.
    """

    def _claimed(self) -> tuple[tuple[int, ...], np.dtype[Any]]:
        with self._image() as image:
            # Scaling decides the type, so that a pixel shows it.
            return image.shape, image.section[(slice(0, 1),) * len(image.shape)].dtype

    def _read(self, index: int) -> NDArray[Any]:
        with self._image() as image:
            section = image.section
            whole = section[:, :] if len(image.shape) == 2 else section[index, :, :]
            return np.array(whole)

    @contextmanager
    def _image(self) -> Iterator[Any]:
        require_packages(f"reading {self.path}", "camera", "astropy")
        from astropy.io import fits

        try:
            with (
                self.path.open("rb") as file,
                fits.open(file, memmap=False, lazy_load_hdus=True) as units,
            ):
                for unit in units:
                    if unit.is_image and unit.header.get("NAXIS", 0) >= _STACK_DIMENSIONS - 1:
                        yield unit
                        return
        # Its parser ends on a damaged file in whatever its arithmetic ends in.
        except Exception as error:
            raise ImageError(f"cannot read the FITS file {self.path}: {error}.") from error
        raise ImageError(f"{self.path} holds no FITS image.")
