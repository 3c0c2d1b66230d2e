"""Pixels of score maps as a detection problem: the ROC curve, and the area under it.

Every pixel of a target mask should score above every other pixel of the set. Maps are
compared on a scale of each image (:mod:`irbench.metrics.score_maps`) and kept as two
histograms an image, of target pixels and of background pixels: small enough to store, and
to weigh again for every draw of a bootstrap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.detections.regions import Regions
from irbench.errors import UsageError
from irbench.metrics.metric import Metric, Part
from irbench.metrics.score_maps import N_BINS, Binning, bin_edges, bin_values
from irbench.metrics.value import MetricValue
from irbench.metrics.weighted import Draws, Form, Values, divided

NO_TARGET_PIXELS = "no target pixel in any image"
NO_BACKGROUND_PIXELS = "no background pixel in any image"

MOST_PAIRED_IMAGES = 2000
"""Up to so many images, all pairs of them are kept: 32 MB."""

MANY_DRAWS = 16
"""Draws whose curves are pooled at a time; for more of them ``pair_areas`` is faster."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """Occupied bins of one image.

    Attributes
    ----------
    bins : (K,) ndarray of uint16
        Ascending.
    counts : (K,) ndarray of int32
        Pixels in each, at least 1.
    """

    bins: NDArray[np.uint16]
    counts: NDArray[np.int32]

    @classmethod
    def of_counts(cls, counts: NDArray[Any]) -> Histogram:
        """The occupied ones of ``(4096,)`` counts."""
        bins = np.flatnonzero(counts)
        return cls(bins.astype(np.uint16), counts[bins].astype(np.int32))

    @property
    def total(self) -> int:
        """Number of pixels."""
        return int(self.counts.sum(dtype=np.int64))


@dataclass(frozen=True, eq=False)
class PixelHistograms:
    """Histograms of the target pixels and of the background pixels of one image."""

    target: Histogram
    background: Histogram


def check_map_and_targets(score_map: NDArray[Any], targets: Regions) -> None:
    """Check that targets are those of the image that a map was made of.

    Raises
    ------
    UsageError
    """
    if score_map.shape != targets.shape:
        raise UsageError(
            f"targets must be those of an image of shape {score_map.shape}, got {targets.shape}."
        )


def pixel_histograms(values: NDArray[Any], targets: Regions, binning: Binning) -> PixelHistograms:
    """Count the pixels of one image.

    Parameters
    ----------
    values : (H, W) ndarray of float32 or float64
        Standardised or in [0, 1], as ``binning`` asks for.
    targets : Regions
        Disjoint; all other pixels are background.
    binning : {"standardised/1", "unit/1"}

    Returns
    -------
    PixelHistograms

    Raises
    ------
    UsageError
        If the targets are those of an image of another shape.
    """
    check_map_and_targets(values, targets)
    bins = bin_values(values, binning).ravel()
    all_counts = np.bincount(bins, minlength=N_BINS)
    target_counts = np.bincount(bins[targets.pixels], minlength=N_BINS)
    return PixelHistograms(
        Histogram.of_counts(target_counts), Histogram.of_counts(all_counts - target_counts)
    )


def constant_histograms(n_target: int, n_background: int, binning: Binning) -> PixelHistograms:
    """Those of a map that is 0 everywhere, which stands for an image without a map."""
    (zero,) = bin_values(np.zeros(1), binning).tolist()
    target, background = np.zeros((2, N_BINS), dtype=np.int64)
    target[zero], background[zero] = n_target, n_background
    return PixelHistograms(Histogram.of_counts(target), Histogram.of_counts(background))


OccupiedBins = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Image, bin and pixels of every occupied bin of every image, each ``(n,)``."""


@dataclass(frozen=True, eq=False)
class RocCounts:
    """Histograms of many images, which the areas are computed from.

    Attributes
    ----------
    n_images : int
    target, background : (image, bin, count), each (n,) ndarray
    """

    n_images: int
    target: OccupiedBins
    background: OccupiedBins

    @classmethod
    def of(cls, images: Iterable[PixelHistograms]) -> RocCounts:
        """Those of ``images``, in their order."""
        listed = list(images)
        return cls(
            len(listed),
            _flatten([one.target for one in listed]),
            _flatten([one.background for one in listed]),
        )

    @cached_property
    def pair_areas(self) -> NDArray[np.float64]:
        """``(n_images, n_images)`` pairs of a target pixel of i over a background pixel of j.

        A pair counts 1 where the target pixel's bin is the higher, and 1/2 where the bins are
        equal. With ``t_i(b)`` target and ``f_j(b)`` background pixels of images i and j in bin b,
        the area under the curve pooled over images that count ``w`` times has the numerator::

            Σ_b T(b) (F(< b) + F(b) / 2) = Σ_ij w_i w_j M_ij

        for ``T = Σ w_i t_i``, ``F = Σ w_j f_j`` and ``M_ij = Σ_b t_i(b) (f_j(< b) + f_j(b) / 2)``:
        M is made once, a draw is a quadratic form, and no curve is pooled again: for many draws of
        up to :data:`MOST_PAIRED_IMAGES`, since M grows with the square of their number.
        """
        # Of the background only what is below a bin with target pixels, or in it: whole numbers and
        # halves, exact in any order.
        n, rows = self.n_images, np.unique(self.target[1])
        images, bins, counts = self.background
        level = np.searchsorted(rows, bins)
        tied = np.append(rows, N_BINS)[level] == bins
        shape = (len(rows) + 1, n)
        below = np.bincount((level + tied) * n + images, counts, shape[0] * n).reshape(shape)
        np.cumsum(below, axis=0, out=below)
        own = np.bincount((level * n + images)[tied], counts[tied] / 2, below.size)
        return np.asarray(self._by_bin[0][rows].T @ (below + own.reshape(shape))[:-1])

    def won_pairs(self, draws: Draws) -> Values:
        """``(n_draws,)`` numerators of the area under the pooled curve; see ``pair_areas``."""
        if draws.n_draws > MANY_DRAWS and self.n_images <= MOST_PAIRED_IMAGES:
            from scipy.linalg.blas import dtrmm

            # Transposed, as BLAS has its arrays: a draw after another. Sums of halves are exact.
            by_draw = draws.weights.T
            weighted = dtrmm(1.0, self._folded_areas, by_draw, side=1)
            return np.asarray(np.einsum("ij,ij->i", weighted, by_draw))
        won = np.empty(draws.n_draws)
        for first in range(0, draws.n_draws, MANY_DRAWS):
            some = slice(first, first + MANY_DRAWS)
            target, background = (part @ draws.weights[:, some] for part in self._by_bin)
            below = np.cumsum(background, axis=0) - background / 2
            won[some] = (target * below).sum(axis=0)
        return won

    @cached_property
    def _folded_areas(self) -> NDArray[np.float64]:
        """``pair_areas`` with what is below the diagonal added above: half the products."""
        areas = self.pair_areas
        return np.asfortranarray(np.triu(areas + areas.T, 1) + np.diag(np.diag(areas)))

    @cached_property
    def _by_bin(self) -> tuple[Any, Any]:
        """``(4096, n_images)`` sparse arrays of target and background pixels."""
        from scipy.sparse import csr_array

        shape = (N_BINS, self.n_images)
        return (
            csr_array((self.target[2], (self.target[1], self.target[0])), shape=shape),
            csr_array((self.background[2], (self.background[1], self.background[0])), shape=shape),
        )

    def pooled(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``(4096,)`` target and background pixels of all images."""
        target, background = (
            np.asarray(np.bincount(bins, counts, N_BINS), dtype=np.float64)
            for _, bins, counts in (self.target, self.background)
        )
        return target, background


@dataclass(frozen=True, eq=False)
class PixelRoc:
    """The ROC curve of pixels, for a figure.

    Attributes
    ----------
    thresholds : (4097,) ndarray of float64
        Descending; a pixel is kept where its value is at least this.
    pd : (4097,) ndarray of float64
        Target pixels that are kept, of all target pixels: ascending from 0 to 1.
    fa : (4097,) ndarray of float64
        Background pixels that are kept, of all background pixels: ascending from 0 to 1.
    """

    thresholds: NDArray[np.float64]
    pd: NDArray[np.float64]
    fa: NDArray[np.float64]

    def __post_init__(self) -> None:
        for array in (self.thresholds, self.pd, self.fa):
            array.setflags(write=False)


def pixel_roc(counts: RocCounts, binning: Binning) -> PixelRoc | None:
    """The curve of Pd against Fa over pixels, pooled over images.

    Parameters
    ----------
    counts : RocCounts
    binning : {"standardised/1", "unit/1"}
        That of the counts.

    Returns
    -------
    PixelRoc or None
        None without any target pixel, or any background pixel.
    """
    target, background = counts.pooled()
    if not target.any() or not background.any():
        return None
    pd, fa = (
        np.concatenate([[0.0], np.cumsum(part[::-1]) / part.sum()]) for part in (target, background)
    )
    return PixelRoc(bin_edges(binning)[::-1].copy(), pd, fa)


def area_form(counts: RocCounts) -> Form:
    """The area under the ROC curve of pixels, pooled over images, as a function of draws.

    The probability that a random target pixel scores above a random background pixel of the set,
    ties half. Pixels in one bin are ties, so that it differs from the area by ranking the same maps
    by no more than :func:`auc_resolution`.
    """
    target, background = (
        _image_sums(counts.n_images, one) for one in (counts.target, counts.background)
    )

    def form(draws: Draws) -> Values:
        return divided(counts.won_pairs(draws), draws.sums(target) * draws.sums(background))

    return form


def _why_no_area(counts: RocCounts, weights: NDArray[Any]) -> str:
    n_target = _image_sums(counts.n_images, counts.target) @ weights
    return NO_BACKGROUND_PIXELS if n_target else NO_TARGET_PIXELS


def area_metric(
    name: str,
    title: str,
    formula: str,
    description: str,
    *,
    form: Callable[[Any], Form],
    reason: str | Callable[[Any, NDArray[np.float64]], str] = _why_no_area,
    needs: Part = "roc_3d",
    bounds: tuple[float, float] = (0.0, 1.0),
    higher: bool = True,
    reference: str,
    dialect: str,
) -> Metric:
    """A metric of score maps that is made of areas under curves of pixels.

    Parameters
    ----------
    name, title, formula, description, form, reason, needs, bounds, reference, dialect
        See :class:`irbench.metrics.metric.Metric`.
    higher : bool
        Whether more is better.
    """
    return Metric(
        name=name,
        title=title,
        kind="maps",
        higher_is_better=higher,
        bounds=bounds,
        decimals=4,
        reference=reference,
        description=description,
        formula=formula,
        dialect=dialect,
        needs=needs,
        form=form,
        reason=reason,
    )


auc = area_metric(
    "auc",
    "AUC",
    "P(target pixel > background pixel) + P(equal) / 2",
    "Area under the ROC curve of pixels, of standardised maps pooled over images.",
    reference="J. A. Hanley and B. J. McNeil, Radiology 143(1), 1982",
    dialect="standardised per image; probabilities as they are",
    needs="roc",
    form=area_form,
)

METRICS = (auc,)


def auc_resolution(counts: RocCounts) -> MetricValue:
    """By how much :func:`auc` can differ from the area by ranking: half the share of ties.

    ``sum over bins of pd(bin) * fa(bin) / 2``, for the shares of target and background
    pixels in a bin.

    Parameters
    ----------
    counts : RocCounts

    Returns
    -------
    MetricValue
        In [0, 0.5]; undefined where the area is.
    """
    area = auc(counts)
    if not area.is_defined:
        return area
    target, background = counts.pooled()
    return MetricValue(float(target @ background / (2 * target.sum() * background.sum())))


def _flatten(histograms: Sequence[Histogram]) -> OccupiedBins:
    sizes = [len(one.bins) for one in histograms]
    images = np.repeat(np.arange(len(histograms)), sizes)
    bins = np.concatenate([np.zeros(0, np.uint16), *(one.bins for one in histograms)])
    counts = np.concatenate([np.zeros(0, np.int32), *(one.counts for one in histograms)])
    return images, bins.astype(np.int64), counts.astype(np.float64)


def _image_sums(n_images: int, sparse: OccupiedBins) -> NDArray[np.float64]:
    images, _, pixels = sparse
    return np.asarray(np.bincount(images, weights=pixels, minlength=n_images))
