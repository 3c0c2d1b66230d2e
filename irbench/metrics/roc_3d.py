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

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.detections.regions import Regions
from irbench.metrics.pixel_roc import (
    NO_BACKGROUND_PIXELS,
    NO_TARGET_PIXELS,
    PixelHistograms,
    RocCounts,
    area_form,
    area_metric,
    constant_histograms,
    pixel_histograms,
)
from irbench.metrics.score_maps import normalise
from irbench.metrics.weighted import Form, Ratio, divided


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
    pixels = targets.pixels
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

    @property
    def n_images(self) -> int:
        """Number of images."""
        return self.roc.n_images

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


def _dt(counts: Roc3dCounts) -> Form:
    return Ratio(counts.target_sums, counts.n_target)


def _ft(counts: Roc3dCounts) -> Form:
    return Ratio(counts.background_sums, counts.n_background)


def _df(counts: Roc3dCounts) -> Form:
    area = area_form(counts.roc)
    # Five metrics are made of it.
    return lambda draws: np.asarray(draws.once(("auc_df", id(counts)), lambda: area(draws)))


def _sum(*terms: tuple[Callable[[Roc3dCounts], Form], int]) -> Callable[[Roc3dCounts], Form]:
    def made(counts: Roc3dCounts) -> Form:
        forms = [(form(counts), sign) for form, sign in terms]
        return lambda draws: np.sum([sign * form(draws) for form, sign in forms], axis=0)

    return made


def _snpr(counts: Roc3dCounts) -> Form:
    signal, noise = _dt(counts), _ft(counts)
    return lambda draws: divided(signal(draws), noise(draws))


def _why_undefined(counts: Roc3dCounts, weights: NDArray[Any]) -> str:
    return NO_BACKGROUND_PIXELS if counts.n_target @ weights else NO_TARGET_PIXELS


def _why_no_snpr(counts: Roc3dCounts, weights: NDArray[Any]) -> str:
    if counts.n_target @ weights and counts.n_background @ weights:
        return "the maps are 0 on the whole background"
    return _why_undefined(counts, weights)


_area = partial(
    area_metric,
    reference="C.-I. Chang, IEEE Trans. Geosci. Remote Sens. 59(6), 2021",
    dialect="minimum and maximum per image",
    reason=_why_undefined,
)

auc_df = _area(
    "auc_df",
    "AUC(D,F)",
    "∫ PD dPF",
    "Area under the ROC curve of pixels, of maps normalised to [0, 1].",
    form=_df,
)
auc_dt = _area(
    "auc_dt",
    "AUC(D,τ)",
    "∫ PD dτ",
    "Mean of the normalised map over target pixels.",
    form=_dt,
    reason=NO_TARGET_PIXELS,
)
auc_ft = _area(
    "auc_ft",
    "AUC(F,τ)",
    "∫ PF dτ",
    "Mean of the normalised map over background pixels.",
    form=_ft,
    reason=NO_BACKGROUND_PIXELS,
    higher=False,
)
auc_td = _area(
    "auc_td",
    "AUC TD",
    "AUC(D,F) + AUC(D,τ)",
    "Target detectability.",
    form=_sum((_df, 1), (_dt, 1)),
    bounds=(0.0, 2.0),
)
auc_bs = _area(
    "auc_bs",
    "AUC BS",
    "AUC(D,F) - AUC(F,τ)",
    "Background suppressibility.",
    form=_sum((_df, 1), (_ft, -1)),
    bounds=(-1.0, 1.0),
)
auc_tdbs = _area(
    "auc_tdbs",
    "AUC TDBS",
    "AUC(D,τ) - AUC(F,τ)",
    "Target detectability with background suppressed.",
    form=_sum((_dt, 1), (_ft, -1)),
    bounds=(-1.0, 1.0),
)
auc_od = _area(
    "auc_od",
    "AUC OD",
    "AUC(D,F) + AUC(D,τ) - AUC(F,τ)",
    "Overall detection.",
    form=_sum((_df, 1), (_dt, 1), (_ft, -1)),
    bounds=(-1.0, 2.0),
)
auc_snpr = _area(
    "auc_snpr",
    "AUC SNPR",
    "AUC(D,τ) / AUC(F,τ)",
    "Signal to noise probability ratio.",
    form=_snpr,
    reason=_why_no_snpr,
    bounds=(0.0, math.inf),
)

METRICS = (auc_df, auc_dt, auc_ft, auc_td, auc_bs, auc_tdbs, auc_od, auc_snpr)
