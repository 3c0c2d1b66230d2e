"""The 3D ROC curve of pixels: detection and false alarm probability against the threshold.

The area under the ROC curve says nothing of the values themselves: any monotone
transform of a map leaves it as it is. Chang [1]_ adds the threshold as a third axis. With
the map normalised to [0, 1] and τ uniform in it, ``PD(τ)`` and ``PF(τ)`` are the shares of
target and of background pixels that are at least τ, and each plane of the curve has an area:

=================  ==============================  ==============================
name               definition                      says
=================  ==============================  ==============================
``AUC(D,F)``       under PD over PF                separation
``AUC(D,τ)``       under PD over τ                 how bright targets are
``AUC(F,τ)``       under PF over τ                 how bright the background is
``AUC_TD``         ``AUC(D,F) + AUC(D,τ)``         target detectability
``AUC_BS``         ``AUC(D,F) - AUC(F,τ)``         background suppressibility
``AUC_TDBS``       ``AUC(D,τ) - AUC(F,τ)``         the two together
``AUC_OD``         ``AUC(D,F) + AUC(D,τ) -         overall detection
                   AUC(F,τ)``
``AUC_SNPR``       ``AUC(D,τ) / AUC(F,τ)``         signal to noise probability ratio
=================  ==============================  ==============================

Maps are normalised by minimum and maximum *per image*, after negative and non-finite values
became 0, and a constant map is 0. It is what the field does: in hyperspectral work, where the
measure comes from, the set is one image, and infrared papers compare maps stored as pictures, each
stretched to its own range. Over the set, one bright piece of clutter would darken every other
image, and a bootstrap that draws it would change all others. Probability maps are normalised
alike, or a network would not compare with a filter.

Since ``∫ P(X ≥ τ) dτ`` from 0 to 1 is the mean of X in [0, 1], ``AUC(D,τ)`` and ``AUC(F,τ)``
are the mean normalised values of target and background pixels: exact, without a step of τ.
``AUC(D,F)`` is that of the same normalised maps, and so differs from ``auc``, whose maps
are standardised.

.. [1] C.-I. Chang, "An Effective Evaluation Tool for Hyperspectral Target Detection: 3D Receiver
   Operating Characteristic Curve Analysis", IEEE Trans. Geosci. Remote Sens. 59(6), 2021,
   doi:10.1109/TGRS.2020.3021671.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.pixel_roc import (
    NO_BACKGROUND_PIXELS,
    NO_TARGET_PIXELS,
    PixelHistograms,
    RocCounts,
    auc,
    constant_histograms,
    pixel_histograms,
    target_pixels,
)
from irbench.metrics.score_maps import normalise
from irbench.metrics.value import MetricValue, ratio, total
from irbench.regions import Regions


@dataclass(frozen=True, eq=False)
class NormalisedStatistics:
    """What is kept of one image's map, normalised to [0, 1].

    Attributes
    ----------
    histograms : PixelHistograms
        In the bins ``unit/1``.
    target_sum, background_sum : float
        Sums of the normalised values over target and background pixels.
    """

    histograms: PixelHistograms
    target_sum: float
    background_sum: float


def normalised_statistics(cleaned: NDArray[np.float64], targets: Regions) -> NormalisedStatistics:
    """Normalise one image's map and sum it up.

    Parameters
    ----------
    cleaned : (H, W) ndarray of float64
        Of :func:`irbench.metrics.score_maps.clean_map`.
    targets : Regions

    Returns
    -------
    NormalisedStatistics

    Raises
    ------
    UsageError
        If the targets are those of an image of another shape.
    """
    values = normalise(cleaned)
    histograms = pixel_histograms(values, targets, "unit/1")
    pixels = target_pixels(targets)
    target_sum = float(values.ravel()[pixels].sum())
    # Summed without the targets, not subtracted: a dark background must not be rounding error.
    values.ravel()[pixels] = 0.0
    return NormalisedStatistics(histograms, target_sum, float(values.sum()))


def constant_statistics(n_target: int, n_background: int) -> NormalisedStatistics:
    """Those of a map that is 0 everywhere, which stands for an image without a map."""
    return NormalisedStatistics(constant_histograms(n_target, n_background, "unit/1"), 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Roc3dCounts:
    """Counts and sums of many images, which the areas are computed from.

    Attributes
    ----------
    roc : RocCounts
    target_sums, background_sums : (n_images,) ndarray of float64
    n_target, n_background : (n_images,) ndarray of int64
    """

    roc: RocCounts
    target_sums: NDArray[np.float64]
    background_sums: NDArray[np.float64]
    n_target: NDArray[np.int64]
    n_background: NDArray[np.int64]

    @classmethod
    def of(cls, images: Sequence[NormalisedStatistics]) -> Roc3dCounts:
        """Those of ``images``, in their order."""
        return cls(
            RocCounts.of(one.histograms for one in images),
            np.array([one.target_sum for one in images], dtype=np.float64),
            np.array([one.background_sum for one in images], dtype=np.float64),
            np.array([one.histograms.target.total for one in images], dtype=np.int64),
            np.array([one.histograms.background.total for one in images], dtype=np.int64),
        )


def auc_df(counts: Roc3dCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """``AUC(D,F)``: area under PD over PF, in [0, 1]; undefined without targets or background."""
    return auc(counts.roc, weights)


def auc_dt(counts: Roc3dCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """``AUC(D,τ)``: mean normalised value of target pixels, in [0, 1]."""
    n_pixels = total(counts.n_target, weights)
    return ratio(total(counts.target_sums, weights), n_pixels, NO_TARGET_PIXELS)


def auc_ft(counts: Roc3dCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """``AUC(F,τ)``: mean normalised value of background pixels, in [0, 1]; small is good."""
    n_pixels = total(counts.n_background, weights)
    return ratio(total(counts.background_sums, weights), n_pixels, NO_BACKGROUND_PIXELS)


def auc_td(counts: Roc3dCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """``AUC(D,F) + AUC(D,τ)``, in [0, 2]: target detectability."""
    return _sum(weights, counts, (auc_df, 1), (auc_dt, 1))


def auc_bs(counts: Roc3dCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """``AUC(D,F) - AUC(F,τ)``, in [-1, 1]: background suppressibility."""
    return _sum(weights, counts, (auc_df, 1), (auc_ft, -1))


def auc_tdbs(counts: Roc3dCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """``AUC(D,τ) - AUC(F,τ)``, in [-1, 1]: target detectability with background suppressed."""
    return _sum(weights, counts, (auc_dt, 1), (auc_ft, -1))


def auc_od(counts: Roc3dCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """``AUC(D,F) + AUC(D,τ) - AUC(F,τ)``, in [-1, 2]: overall detection."""
    return _sum(weights, counts, (auc_df, 1), (auc_dt, 1), (auc_ft, -1))


def auc_snpr(counts: Roc3dCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """``AUC(D,τ) / AUC(F,τ)``, at least 0; undefined where every background pixel is 0."""
    signal, noise = auc_dt(counts, weights), auc_ft(counts, weights)
    if signal.value is None or noise.value is None:
        return signal if signal.value is None else noise
    return ratio(signal.value, noise.value, "the maps are 0 on the whole background")


def _sum(weights: NDArray[Any] | None, counts: Roc3dCounts, *terms: tuple[Any, int]) -> MetricValue:
    result = 0.0
    for metric, sign in terms:
        one: MetricValue = metric(counts, weights)
        if one.value is None:
            return one
        result += sign * one.value
    return MetricValue(result)
