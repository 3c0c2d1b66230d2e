"""Pairs of images that show the same background, perhaps shifted or mirrored.

A search in two steps. Thumbnails are correlated at all shifts and mirrorings, every image of
one set with every one of another; the few best candidates of each image are then aligned by
cross-correlation at a larger size, and compared where they overlap and neither has a target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from irbench.data.backgrounds import DETAIL_PX, GRID_PX, Background

Scalar = TypeVar("Scalar", bound=np.generic)

FLIPS = ("none", "horizontal", "vertical", "both")
"""Mirrorings: left to right, top to bottom, or both."""

N_CANDIDATES = 4
"""So many images are compared closely with each."""

LEAST_OVERLAP = 0.5
"""Of the smaller image; less of it says little."""

_PIECE = 32
_PADDED_PX = 2 ** int(np.ceil(np.log2(1.5 * DETAIL_PX)))


def find_candidates(
    first: Sequence[Background],
    second: Sequence[Background],
    n_candidates: int = N_CANDIDATES,
    advance: Callable[[], None] = lambda: None,
) -> list[tuple[int, int, int]]:
    """The most similar images of another set, by thumbnails.

    Parameters
    ----------
    first, second : sequence of Background
    n_candidates : int
        Of each image of ``first``.
    advance : callable
        Called after each image.

    Returns
    -------
    list of (int, int, int)
        Positions in the two sets, and the flip.
    """
    from scipy import fft

    if not first or not second:
        return []
    gallery = fft.rfft2(np.stack([one.thumbnail for one in second]))
    # In pieces that stay in the cache.
    pieces = np.array_split(gallery, -(-len(gallery) // _PIECE))
    found = []
    for index, one in enumerate(first):
        mirrored = np.stack([_flip(one.thumbnail, flip) for flip in range(len(FLIPS))])
        spectra = np.conj(fft.rfft2(mirrored))[:, None]
        best = np.concatenate(
            [fft.irfft2(piece * spectra, (GRID_PX,) * 2).max(axis=(-2, -1)) for piece in pieces],
            axis=1,
        )
        strength = best.max(axis=0)
        order = np.argsort(-strength, kind="stable")[:n_candidates]
        found += [(index, int(i), int(best[:, i].argmax())) for i in order if strength[i] > 0]
        advance()
    return found


def compare(
    first: Background, second: Background, flip: int = 0
) -> tuple[float, tuple[float, float], float]:
    """Align two backgrounds and correlate them where they overlap.

    Parameters
    ----------
    first, second : Background
        At the same scale.
    flip : int
        Position in :data:`FLIPS`: mirrors the first.

    Returns
    -------
    correlation : float
        In [-1, 1]; 0 where either is flat.
    shift : (float, float)
        Where the first lies in the second, x and y, in pixels of the images.
    overlap : float
        Share of the smaller image.
    """
    from scipy import fft

    a, b = _flip(first.detail, flip), second.detail
    size = (_PADDED_PX, _PADDED_PX)
    product = fft.rfft2(b, size) * np.conj(fft.rfft2(a, size))
    score = fft.irfft2(product, size) * _enough_overlap(a.shape, b.shape)
    y, x = (int(shift) for shift in np.unravel_index(int(score.argmax()), size))
    # The second half of a circular correlation is that of negative shifts.
    y, x = (shift - _PADDED_PX if shift >= _PADDED_PX // 2 else shift for shift in (y, x))
    rows_b, rows_a = _overlap(a.shape[0], b.shape[0], y)
    columns_b, columns_a = _overlap(a.shape[1], b.shape[1], x)
    both = _flip(first.known, flip)[rows_a, columns_a] & second.known[rows_b, columns_b]
    overlap = both.size / min(a.size, b.size)
    correlation = _correlate(a[rows_a, columns_a][both], b[rows_b, columns_b][both])
    return correlation, (x / second.scale, y / second.scale), overlap


def group_pairs(pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Names that are linked by pairs, directly or through others.

    Returns
    -------
    list of list of str
        The largest group first; names sorted.

    Examples
    --------
    >>> group_pairs([("a", "b"), ("x", "y"), ("c", "b")])
    [['a', 'b', 'c'], ['x', 'y']]
    """
    group: dict[str, list[str]] = {}
    for one, other in pairs:
        left, right = group.setdefault(one, [one]), group.setdefault(other, [other])
        if left is not right:
            left.extend(right)
            for name in right:
                group[name] = left
    unique = {id(names): sorted(names) for names in group.values()}
    return sorted(unique.values(), key=lambda names: (-len(names), names))


def _flip(image: NDArray[Scalar], flip: int) -> NDArray[Scalar]:
    if flip & 1:
        image = image[:, ::-1]
    return image[::-1] if flip & 2 else image


def _enough_overlap(a: tuple[int, ...], b: tuple[int, ...]) -> NDArray[np.float32]:
    """1 at the shifts at which the images overlap by :data:`LEAST_OVERLAP`, else 0."""
    shifts = np.arange(_PADDED_PX)
    shifts = np.where(shifts >= _PADDED_PX // 2, shifts - _PADDED_PX, shifts)
    rows, columns = (
        np.clip(np.minimum(b[k], a[k] + shifts) - np.maximum(shifts, 0), 0, None) for k in (0, 1)
    )
    least = LEAST_OVERLAP * min(a[0] * a[1], b[0] * b[1])
    return np.asarray(rows[:, None] * columns[None] >= least, dtype=np.float32)


def _overlap(length_a: int, length_b: int, shift: int) -> tuple[slice, slice]:
    """Where a line that is shifted lies in another, and which part of it."""
    start, stop = max(shift, 0), min(length_b, length_a + shift)
    return slice(start, stop), slice(start - shift, stop - shift)


def _correlate(a: NDArray[Any], b: NDArray[Any]) -> float:
    x, y = a.astype(np.float64), b.astype(np.float64)
    if x.size < 2:
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    # Sums instead of dot products, which a BLAS would spread over threads that cost more.
    norm = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / norm if norm > 0 else 0.0
