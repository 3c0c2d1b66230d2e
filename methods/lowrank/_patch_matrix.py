"""The patch-image model: an image as a matrix of overlapping patches, and back.

A matrix of patches has shape ``(n_patches, patch * patch)``: one patch a row, both
patches and the pixels within one in raster order. The papers write its transpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FEWEST_PATCHES = 4
"""Below this, the singular values that the methods need do not exist."""


@dataclass(frozen=True, eq=False)
class PatchMatrixGrid:
    """Where the patches of an image lie.

    Attributes
    ----------
    shape : (int, int)
        Height and width of the image.
    patch : int
        Side of a patch, in pixels.
    rows, columns : (N,) ndarray of int
        Ascending first rows, and first columns, of the patches; their product is
        the grid.
    """

    shape: tuple[int, int]
    patch: int
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]

    @classmethod
    def regular(cls, shape: tuple[int, int], patch: int, step: int, cover: str) -> PatchMatrixGrid:
        """A grid of patches every ``step`` pixels.

        Parameters
        ----------
        shape : (int, int)
        patch, step : int
            In pixels.
        cover : {"steps", "full", "inside"}
            ``"steps"`` leaves out the rows and columns after the last full step;
            ``"full"`` adds a last patch that ends with the image; ``"inside"`` is
            ``"steps"`` without a patch that ends exactly with the image.

        Returns
        -------
        PatchMatrixGrid
            Without patches where the image is smaller than one.
        """
        height, width = shape
        return cls(
            shape,
            patch,
            _patch_starts(height, patch, step, cover),
            _patch_starts(width, patch, step, cover),
        )

    @classmethod
    def fitted(cls, shape: tuple[int, ...], patch: int, step: int, cover: str) -> PatchMatrixGrid:
        """A regular grid; on images with fewer than four patches, of smaller patches.

        There the patch shrinks to half of itself, or of the image's shorter side if that
        is less, and the step in proportion; both are at least one pixel.

        Parameters
        ----------
        shape : (int, int)
        patch, step : int
        cover : {"steps", "full", "inside"}
            See :meth:`regular`.

        Returns
        -------
        PatchMatrixGrid
        """
        height, width = shape
        grid = cls.regular((height, width), patch, step, cover)
        if grid.n_patches >= _FEWEST_PATCHES:
            return grid
        smaller = max(1, min(height, width, patch) // 2)
        return cls.regular((height, width), smaller, max(1, step * smaller // patch), cover)

    @property
    def n_patches(self) -> int:
        """The number of patches."""
        return len(self.rows) * len(self.columns)

    def cut(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cut an image into patches.

        Parameters
        ----------
        image : (H, W) ndarray of float64

        Returns
        -------
        (n_patches, patch * patch) ndarray of float64
            A copy, C-contiguous.
        """
        side = self.patch
        windows = np.lib.stride_tricks.sliding_window_view(image, (side, side))
        patches = windows[np.ix_(self.rows, self.columns)]
        return np.ascontiguousarray(patches).reshape(self.n_patches, side * side)

    def median(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Put an image together, each pixel the median of the patches over it.

        Parameters
        ----------
        matrix : (n_patches, patch * patch) ndarray of float64

        Returns
        -------
        (H, W) ndarray of float64
            The mean of the two middle values for an even number of patches; 0 where
            there is none.
        """
        count = self._count()
        stack = np.full((*self.shape, count.max(initial=1)), np.inf)
        for layer, (rows, columns, block) in enumerate(self._layers(matrix)):
            stack[rows, columns, layer] = block
        # Infinity fills the places of absent patches, and sorts behind all present.
        stack.sort(axis=2)
        middle = np.stack([np.maximum(count - 1, 0) // 2, count // 2], axis=2)
        middle = np.minimum(middle, stack.shape[2] - 1)
        median: NDArray[np.float64] = np.take_along_axis(stack, middle, axis=2).mean(axis=2)
        median[count == 0] = 0.0
        return median

    def mean(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Put an image together, each pixel the mean of the patches over it.

        Parameters
        ----------
        matrix : (n_patches, patch * patch) ndarray of float64

        Returns
        -------
        (H, W) ndarray of float64
            0 where there is no patch.
        """
        total = np.zeros(self.shape)
        for rows, columns, block in self._layers(matrix):
            total[rows, columns] += block
        return np.asarray(total / np.maximum(self._count(), 1))

    def _count(self) -> NDArray[np.intp]:
        """How many patches lie over each pixel, ``(H, W)``."""
        height, width = self.shape
        return np.outer(
            _patches_over(height, self.rows, self.patch),
            _patches_over(width, self.columns, self.patch),
        )

    def _layers(
        self, matrix: NDArray[np.float64]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]]:
        """Split the patches into the fewest layers within which none overlap.

        Yields the pixels of a layer as an open mesh of rows and columns, and their values.
        """
        if self.n_patches == 0:
            return
        side = self.patch
        patches = matrix.reshape(len(self.rows), len(self.columns), side, side)
        n_down, n_across = _overlap(self.rows, side), _overlap(self.columns, side)
        within = np.arange(side)
        for i in range(n_down):
            rows = (self.rows[i::n_down, None] + within).reshape(-1, 1)
            for j in range(n_across):
                columns = (self.columns[j::n_across, None] + within).reshape(1, -1)
                block = patches[i::n_down, j::n_across].swapaxes(1, 2)
                yield rows, columns, block.reshape(rows.size, columns.size)


def _patch_starts(length: int, patch: int, step: int, cover: str) -> NDArray[np.intp]:
    """First pixels of the patches along one axis."""
    last = length - patch
    end = last if cover == "inside" else last + 1
    starts = np.arange(0, max(end, 0), step, dtype=np.intp)
    if cover == "full" and starts.size and starts[-1] != last:
        starts = np.append(starts, last)
    return starts


def _patches_over(length: int, starts: NDArray[np.intp], patch: int) -> NDArray[np.intp]:
    """How many patches lie over each pixel of one axis."""
    pixels = np.arange(length)
    begun = np.searchsorted(starts, pixels, side="right")
    return begun - np.searchsorted(starts, pixels - patch, side="right")


def _overlap(starts: NDArray[np.intp], patch: int) -> int:
    """The smallest k for which a patch never overlaps with the k-th after it."""
    begun = np.searchsorted(starts, starts + patch, side="left")
    return int((begun - np.arange(len(starts))).max(initial=1))
