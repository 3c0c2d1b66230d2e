"""Regions of detections, run-length coded.

A run is ``(start, length)`` in the raster order of the image; a region is a
set of runs. All regions of an image are kept in one array, so that a thousand
of them cost three arrays, not a thousand objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import DetectionsError
from irbench.ragged_arrays import offsets_of, ranges


@dataclass(frozen=True, eq=False)
class Regions:
    """Pixel sets of N detections on one image.

    Parameters
    ----------
    runs : (R, 2) int32 ndarray
        Start (raster index) and length of each run, grouped by region, in
        raster order within a region. A run never wraps to the next row.
    offsets : (N + 1,) int64 ndarray
        Region ``i`` has the runs ``offsets[i]:offsets[i + 1]``.
    shape : (int, int)
        Height and width of the image.

    Raises
    ------
    DetectionsError
        If a region is empty, a run lies outside the image or wraps.
    """

    runs: NDArray[np.int32]
    offsets: NDArray[np.int64]
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        runs = np.ascontiguousarray(self.runs, dtype=np.int32).reshape(-1, 2)
        offsets = np.ascontiguousarray(self.offsets, dtype=np.int64)
        if offsets.ndim != 1 or offsets.size == 0 or offsets[0] != 0 or offsets[-1] != len(runs):
            raise DetectionsError(
                f"region offsets must run from 0 to the number of runs ({len(runs)}), "
                f"got {offsets}."
            )
        if (np.diff(offsets) <= 0).any():
            empty = int(np.argmax(np.diff(offsets) <= 0))
            raise DetectionsError(f"region {empty} is empty; every detection needs a pixel.")
        height, width = self.shape
        starts, lengths = runs[:, 0].astype(np.int64), runs[:, 1].astype(np.int64)
        bad = (starts < 0) | (lengths < 1) | (starts + lengths > height * width)
        if not bad.any():
            bad = starts // width != (starts + lengths - 1) // width
        if bad.any():
            index = int(np.searchsorted(offsets, int(np.argmax(bad)), side="right")) - 1
            raise DetectionsError(
                f"region {index} has the run {runs[int(np.argmax(bad))].tolist()}, which is not "
                f"within one row of a {height}x{width} image."
            )
        for array in (runs, offsets):
            array.setflags(write=False)
        object.__setattr__(self, "runs", runs)
        object.__setattr__(self, "offsets", offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Regions:
        """No regions at all, on an image of ``shape``."""
        return cls(np.zeros((0, 2), np.int32), np.zeros(1, np.int64), shape)

    @classmethod
    def from_labels(cls, labels: NDArray[Any], n_regions: int) -> Regions:
        """The regions ``1 … n_regions`` of a label image.

        Parameters
        ----------
        labels : (H, W) integer ndarray
            0 is background; every label from 1 to ``n_regions`` occurs.
        n_regions : int

        Returns
        -------
        Regions
        """
        height, width = labels.shape
        # A column of zeros on the right breaks the runs at the end of each row.
        padded = np.zeros((height, width + 1), dtype=np.int32)
        padded[:, :width] = labels
        flat = padded.ravel()
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        if flat.size and flat[0]:
            changes = np.concatenate([[0], changes])
        values = flat[changes]
        ends = np.append(changes[1:], flat.size)
        inside = values > 0
        starts, lengths, values = changes[inside], (ends - changes)[inside], values[inside]
        starts = starts - starts // (width + 1)
        order = np.argsort(values, kind="stable")
        runs = np.stack([starts[order], lengths[order]], axis=1)
        counts = np.bincount(values, minlength=n_regions + 1)[1 : n_regions + 1]
        return cls(runs.astype(np.int32), offsets_of(counts), (height, width))

    def take(self, indices: NDArray[Any] | Sequence[int]) -> Regions:
        """The chosen regions, in the order of ``indices``."""
        chosen = np.asarray(indices, dtype=np.int64)
        counts = np.diff(self.offsets)[chosen]
        runs = self.runs[ranges(self.offsets[chosen], counts)]
        return Regions(runs, offsets_of(counts), self.shape)

    def region_runs(self, index: int) -> NDArray[np.int32]:
        """The ``(r, 2)`` runs of one region."""
        return self.runs[self.offsets[index] : self.offsets[index + 1]]

    # These two are asked for by one metric after another, of targets by one method after another.
    @cached_property
    def areas(self) -> NDArray[np.int64]:
        """``(N,)`` number of pixels of each region; read-only."""
        return _read_only(run_areas(self.runs, self.offsets))

    @property
    def first_pixels(self) -> NDArray[np.int64]:
        """``(N,)`` raster index of the first pixel of each region."""
        return np.asarray(self.runs[self.offsets[:-1], 0], dtype=np.int64)

    @property
    def pixels(self) -> NDArray[np.int64]:
        """``(P,)`` raster indices of the pixels of each region in turn: ``areas`` of each."""
        return run_pixels(self.runs)

    @cached_property
    def centroids(self) -> NDArray[np.float64]:
        """``(N, 2)`` mean pixel position ``(x, y)`` of each region, in pixels; read-only."""
        return _read_only(run_centroids(self.runs, self.offsets, self.shape[1]))

    @property
    def boxes(self) -> NDArray[np.float32]:
        """``(N, 4)`` half-open bounding boxes ``(x0, y0, x1, y1)``."""
        if len(self) == 0:
            return np.zeros((0, 4), np.float32)
        width = self.shape[1]
        starts, lengths = self.runs[:, 0], self.runs[:, 1]
        rows, columns = starts // width, starts % width
        first = self.offsets[:-1]
        x0 = np.minimum.reduceat(columns, first)
        x1 = np.maximum.reduceat(columns + lengths, first)
        y0 = np.minimum.reduceat(rows, first)
        y1 = np.maximum.reduceat(rows + 1, first)
        return np.stack([x0, y0, x1, y1], axis=1).astype(np.float32)

    def to_mask(self, keep: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """The union of the regions, or of those with ``keep``, as an ``(H, W)`` bool array."""
        runs = self.runs
        if keep is not None:
            runs = runs[np.repeat(np.asarray(keep, dtype=bool), np.diff(self.offsets))]
        mask = np.zeros(self.shape, dtype=bool)
        mask.ravel()[run_pixels(runs)] = True
        return mask


def run_pixels(runs: NDArray[np.int32]) -> NDArray[np.int64]:
    """``(P,)`` raster indices of the pixels of each run in turn."""
    return ranges(*runs.astype(np.int64).T)


def run_areas(runs: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """``(N,)`` number of pixels of regions; see :class:`Regions` for the arguments."""
    return _sums(runs[:, 1].astype(np.int64), offsets)


def run_centroids(
    runs: NDArray[np.int32], offsets: NDArray[np.int64], width: int | NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean pixel positions of regions.

    Parameters
    ----------
    runs, offsets : ndarray
        See :class:`Regions`.
    width : int or (R,) ndarray of int64
        Of the image, in pixels, or of the image of each run.

    Returns
    -------
    (N, 2) ndarray of float64
        ``(x, y)`` in pixels; 0 for a region without pixels.
    """
    starts, lengths = runs[:, 0].astype(np.int64), runs[:, 1].astype(np.int64)
    rows, columns = np.divmod(starts, np.maximum(width, 1))
    # Twice the sum of the columns of a run, so that the sums stay integers.
    x2 = _sums(lengths * (2 * columns + lengths - 1), offsets)
    y = _sums(lengths * rows, offsets)
    areas = np.maximum(run_areas(runs, offsets), 1)
    return np.stack([x2 / (2 * areas), y / areas], axis=1)


def _sums(per_run: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.diff(offsets_of(per_run)[offsets])


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array


def label_mask(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Number the 8-connected components of a mask in raster order of their first pixel.

    Parameters
    ----------
    mask : (H, W) ndarray of bool

    Returns
    -------
    labels : (H, W) ndarray of int32
        0 is background.
    n_components : int
    """
    from scipy import ndimage

    labels, n_components = ndimage.label(mask, structure=np.ones((3, 3), dtype=int))
    return labels.astype(np.int32, copy=False), int(n_components)
