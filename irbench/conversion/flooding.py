"""The peaks of a map and their regions, by floods of OpenCV.

Above which level is a peak separate from every higher one? This single number
per peak says, for all extents at once, which regions the conversion
``components/1`` keeps: lowering the water from the top, the component of a peak
meets the region of an earlier one exactly when the two are connected above the
peak's own cut. It is the saddle of the merge tree of the map, found here by
steepest ascent (each pixel climbs to its peak) and a maximum spanning tree over
neighbouring basins, instead of one connected-component pass per peak.

:mod:`irbench.conversion.descent` returns the same several times as fast, and is used
wherever numba can compile, from the second map of a process on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.detections.regions import Regions
from irbench.errors import UsageError

MAX_PIXELS = 2**24 - 1
"""Above the mean of a map. OpenCV floods 32-bit floats, which hold whole numbers so far."""


@dataclass(frozen=True, eq=False)
class PeakRegions:
    """The accepted peaks of a map at one extent, by descending value, then raster order.

    Attributes
    ----------
    values : (M,) ndarray of float64
        Value of the map at each peak.
    boxes : (M, 4) ndarray of float32
        Half-open bounding boxes ``(x0, y0, x1, y1)`` of their regions, in pixels.
    regions : Regions or None
        The pixels, where they were asked for.
    """

    values: NDArray[np.float64]
    boxes: NDArray[np.float32]
    regions: Regions | None


def flooded_regions(
    image: NDArray[np.float64],
    mean: float,
    lowest_peak: float,
    extents: Sequence[float],
    max_regions: int,
    keep_regions: bool,
) -> list[PeakRegions]:
    """Peaks and their regions at several extents.

    Parameters
    ----------
    image : (H, W) ndarray of float64
        Finite, not negative.
    mean : float
        Of the image. A region's cut is ``mean + extent * (peak - mean)``, and it holds only
        pixels strictly above the mean.
    lowest_peak : float
        Not below the mean; peaks are strictly above it.
    extents : sequence of float
        In (0, 1].
    max_regions : int
        The first so many accepted peaks are kept.
    keep_regions : bool
        Whether pixels are asked for, beside boxes.

    Returns
    -------
    list of PeakRegions
        One per extent.

    Raises
    ------
    UsageError
        For a map with more than 2^24 pixels above its mean.
    """
    tree = merge_tree(image, mean)
    peak_values = tree.values[tree.peaks - 1]
    high = peak_values > lowest_peak
    found = []
    for extent in extents:
        cuts = region_cuts(peak_values, mean, extent)
        accepted = np.flatnonzero(high & (tree.saddles < cuts))[:max_regions]
        boxes, regions = _flood(tree, tree.peaks[accepted], cuts[accepted], keep_regions)
        found.append(PeakRegions(peak_values[accepted], boxes, regions))
    return found


def region_cuts(peaks: NDArray[np.float64], mean: float, extent: float) -> NDArray[np.float64]:
    """The level down to which the region of each peak reaches; never above the peak."""
    return np.minimum(mean + extent * (peaks - mean), peaks)


@dataclass(frozen=True, eq=False)
class MergeTree:
    """Pixels above a floor, ranked, and their peaks.

    Pixels are ranked by ascending value, ties by descending raster order, so that
    a higher rank is visited earlier; rank 0 stands for pixels not above the floor.

    Attributes
    ----------
    ranks : (H, W) ndarray of int32
        1 to n above the floor, else 0.
    values : (n,) ndarray of float64
        Ascending values; ``values[rank - 1]`` is a pixel's value.
    peaks : (P,) ndarray of int64
        Ranks of the peaks, in descending order.
    saddles : (P,) ndarray of float64
        The highest level at which a peak is 8-connected to one visited earlier;
        minus infinity for none above the floor. The peak's own value where it is no
        regional maximum, or not the first raster pixel of one.
    """

    ranks: NDArray[np.int32]
    values: NDArray[np.float64]
    peaks: NDArray[np.int64]
    saddles: NDArray[np.float64]


def merge_tree(image: NDArray[np.float64], floor: float) -> MergeTree:
    """Build the merge tree of the pixels strictly above ``floor``.

    Parameters
    ----------
    image : (H, W) ndarray of float64
        Finite.
    floor : float
    """
    flat = image.ravel()
    above = np.flatnonzero(flat > floor)
    # Descending value, then raster order (the sort is stable and `above` ascends).
    order = above[np.argsort(-flat[above], kind="stable")][::-1]
    ranks = np.zeros(flat.size, dtype=np.int32)
    ranks[order] = np.arange(1, len(order) + 1, dtype=np.int32)
    rank_image = ranks.reshape(image.shape)
    values = flat[order]

    basins = _climb(rank_image)
    found = np.unique(basins)[::-1]
    peaks = np.asarray(found[found > 0], dtype=np.int64)
    saddle_ranks = _saddle_ranks(rank_image, basins, peaks)
    levels = np.concatenate([[-np.inf], values])
    return MergeTree(rank_image, values, peaks, levels[saddle_ranks])


def _climb(ranks: NDArray[np.int32]) -> NDArray[np.int32]:
    """The rank of the peak that each pixel reaches by steepest ascent."""
    padded = np.pad(ranks, 1)
    across = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    best = np.maximum(np.maximum(across[:-2], across[1:-1]), across[2:])
    parent = np.zeros(int(ranks.max(initial=0)) + 1, dtype=np.int32)
    inside = ranks > 0
    parent[ranks[inside]] = best[inside]
    while True:
        grandparent = parent[parent]
        if np.array_equal(grandparent, parent):
            break
        parent = grandparent
    return parent[ranks]


def _saddle_ranks(
    ranks: NDArray[np.int32], basins: NDArray[np.int32], peaks: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The rank of the pixel at which each peak's basin first meets an earlier peak's."""
    first, second, weight = _basin_borders(ranks, basins)
    number = np.zeros(int(ranks.max(initial=0)) + 1, dtype=np.int64)
    number[peaks] = np.arange(len(peaks))
    first, second, weight = _maximum_spanning_forest(
        number[first], number[second], weight, len(peaks)
    )
    # Kruskal with the elder rule: where two trees join, the later peak ends.
    saddles = [0] * len(peaks)
    root = list(range(len(peaks)))
    for a, b, level in zip(first.tolist(), second.tolist(), weight.tolist(), strict=True):
        while root[a] != a:
            root[a] = root[root[a]]
            a = root[a]
        while root[b] != b:
            root[b] = root[root[b]]
            b = root[b]
        elder, younger = (a, b) if a < b else (b, a)
        root[younger] = elder
        saddles[younger] = level
    return np.asarray(saddles, dtype=np.int64)


def _basin_borders(
    ranks: NDArray[np.int32], basins: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of touching basins and the rank of the lower pixel at each touch."""
    whole, low, high = slice(None), slice(None, -1), slice(1, None)
    neighbours = (
        ((whole, low), (whole, high)),
        ((low, whole), (high, whole)),
        ((low, low), (high, high)),
        ((low, high), (high, low)),
    )
    first, second, weight = [], [], []
    for one, other in neighbours:
        a, b = basins[one], basins[other]
        touch = (a != b) & (a > 0) & (b > 0)
        first.append(np.maximum(a, b)[touch])
        second.append(np.minimum(a, b)[touch])
        weight.append(np.minimum(ranks[one], ranks[other])[touch])
    return (
        np.concatenate(first).astype(np.int64),
        np.concatenate(second).astype(np.int64),
        np.concatenate(weight).astype(np.int64),
    )


def _maximum_spanning_forest(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    weight: NDArray[np.int64],
    n_nodes: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The edges of a maximum spanning forest, by descending weight."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    if len(first) == 0:
        return first, second, weight
    # Of several touches of two basins only the highest counts.
    order = np.lexsort((-weight, second, first))
    first, second, weight = first[order], second[order], weight[order]
    keep = np.ones(len(first), dtype=bool)
    keep[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    first, second, weight = first[keep], second[keep], weight[keep]
    # Ranks are at least 1, so that no negated weight is the "no edge" of SciPy, which before
    # 1.15 takes indices of 32 bits only.
    indices = (first.astype(np.int32), second.astype(np.int32))
    graph = csr_array((-weight.astype(np.float64), indices), shape=(n_nodes, n_nodes))
    tree = minimum_spanning_tree(graph).tocoo()
    order = np.argsort(tree.data, kind="stable")
    return (
        tree.row[order].astype(np.int64),
        tree.col[order].astype(np.int64),
        -tree.data[order].astype(np.int64),
    )


def _flood(
    tree: MergeTree, peaks: NDArray[np.int64], cuts: NDArray[np.float64], keep_regions: bool
) -> tuple[NDArray[np.float32], Regions | None]:
    """Boxes and pixels of the components around ``peaks`` that are at least ``cuts`` high."""
    import cv2

    if len(tree.values) > MAX_PIXELS:
        raise UsageError(
            f"a map with {len(tree.values)} pixels above its mean is too large; "
            "cut the image in tiles."
        )
    shape = tree.ranks.shape
    # Ranks instead of values: exact in 32 bit, and ties are already decided.
    flooded = tree.ranks.astype(np.float32)
    lowest = np.searchsorted(tree.values, cuts, side="left") + 1
    pixel_of_rank = np.zeros(len(tree.values) + 1, dtype=np.int64)
    pixel_of_rank[tree.ranks.ravel()] = np.arange(tree.ranks.size)
    seeds = pixel_of_rank[peaks]
    # Filled pixels are marked here, which bars later fills; the components are disjoint.
    filled = np.zeros((shape[0] + 2, shape[1] + 2), dtype=np.uint8)
    flags = 8 | cv2.FLOODFILL_FIXED_RANGE
    boxes = np.empty((len(peaks), 4), dtype=np.float32)
    for index, (seed, peak, low) in enumerate(
        zip(seeds.tolist(), peaks.tolist(), lowest.tolist(), strict=True)
    ):
        point = (seed % shape[1], seed // shape[1])
        _, _, _, (x, y, width, height) = cv2.floodFill(
            flooded, filled, point, -(index + 1), loDiff=peak - low, upDiff=0, flags=flags
        )
        boxes[index] = x, y, x + width, y + height
    if not keep_regions:
        return boxes, None
    labels = np.maximum(-flooded, 0).astype(np.int32)
    return boxes, Regions.from_labels(labels, len(peaks))
