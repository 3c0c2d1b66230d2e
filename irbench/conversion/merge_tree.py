"""Peaks of a map and the levels at which they merge.

Above which level is a peak separate from every higher one? This single number
per peak answers, for all extents at once, which regions the conversion
``components/1`` keeps: lowering the water from the top, the component of a peak
meets the region of an earlier one exactly when the two are connected above the
peak's own cut. It is the saddle of the merge tree of the map, found here by
steepest ascent (each pixel climbs to its peak) and a maximum spanning tree over
neighbouring basins, instead of one connected-component pass per peak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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

    Returns
    -------
    MergeTree
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
