"""The metrics of score maps as functions of how often each image counts, for many draws at once.

Each is a ratio of sums over images, a median over targets, or an area under a pooled ROC curve.
The area needs no curve for each draw. With ``t_i(b)`` target and ``f_j(b)`` background pixels of
images i and j in bin b, its numerator is::

    Σ_b T(b) (F(< b) + F(b) / 2) = Σ_ij w_i w_j M_ij,   M_ij = Σ_b t_i(b) (f_j(< b) + f_j(b) / 2)

for the pooled ``T = Σ w_i t_i`` and ``F = Σ w_j f_j``: the matrix M is made once, and a draw is a
quadratic form.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.clutter_suppression import Gains
from irbench.metrics.map_statistics import MAP_METRICS, MapCounts
from irbench.metrics.pixel_roc import RocCounts
from irbench.metrics.roc_3d import Roc3dCounts
from irbench.metrics.score_maps import N_BINS

Draws = NDArray[np.float64]
"""``(n_images, n_draws)`` how often each image counts in each draw."""

Metric = Callable[[Draws], NDArray[np.float64]]
"""From draws to ``(n_draws,)`` values, NaN where undefined."""

_GAINS = ("scrg", "bsf", "cg")


def map_metrics(counts: MapCounts, metrics: Collection[str]) -> dict[str, Metric]:
    """The metrics of score maps as functions of draws of images.

    Parameters
    ----------
    counts : MapCounts
    metrics : collection of str
        Others than those of :data:`irbench.metrics.map_statistics.MAP_METRICS` are left out.

    Returns
    -------
    dict of str to callable
        From ``(n_images, n_draws)`` weights to ``(n_draws,)`` values, NaN where undefined; each
        equals the metric of the same name on every draw.
    """
    made: dict[str, Metric] = {}
    wanted = [name for name in MAP_METRICS if name in metrics]
    if "auc" in wanted:
        made["auc"] = _area(counts.roc)
    if any(name.startswith("auc_") for name in wanted):
        made.update(_areas_3d(counts.roc_3d))
    for name in _GAINS:
        made[name] = _median(counts.gains, name)
        made[f"{name}_mean"] = _mean(counts.gains, name)
    return {name: made[name] for name in wanted}


def pair_areas(counts: RocCounts) -> NDArray[np.float64]:
    """``(n_images, n_images)`` pairs of a target pixel of i over a background pixel of j.

    A pair counts 1 where the target pixel's bin is the higher, and 1/2 where the bins are equal.
    """
    from scipy.sparse import coo_array

    shape = (counts.n_images, N_BINS)
    images, bins, pixels = counts.target
    target = coo_array((pixels, (images, bins)), shape=shape).tocsr()
    images, bins, pixels = counts.background
    background = coo_array((pixels, (images, bins)), shape=shape).toarray()
    below = np.cumsum(background, axis=1) - background / 2
    return np.asarray(target @ below.T)


def _area(counts: RocCounts) -> Metric:
    pairs = pair_areas(counts)
    target, background = (_image_sums(counts.n_images, one) for one in _parts(counts))

    def values(weights: Draws) -> NDArray[np.float64]:
        won = ((pairs @ weights) * weights).sum(axis=0)
        return _ratio(won, (target @ weights) * (background @ weights))

    return values


def _areas_3d(counts: Roc3dCounts) -> dict[str, Metric]:
    df = _area(counts.roc)

    def dt(weights: Draws) -> NDArray[np.float64]:
        return _ratio(counts.target_sums @ weights, counts.n_target @ weights)

    def ft(weights: Draws) -> NDArray[np.float64]:
        return _ratio(counts.background_sums @ weights, counts.n_background @ weights)

    return {
        "auc_df": df,
        "auc_dt": dt,
        "auc_ft": ft,
        "auc_td": lambda weights: df(weights) + dt(weights),
        "auc_bs": lambda weights: df(weights) - ft(weights),
        "auc_tdbs": lambda weights: dt(weights) - ft(weights),
        "auc_od": lambda weights: df(weights) + dt(weights) - ft(weights),
        "auc_snpr": lambda weights: _ratio(dt(weights), ft(weights)),
    }


def _median(gains: Gains, name: str) -> Metric:
    values = getattr(gains, name)
    order = np.argsort(values, kind="stable")
    # NaN comes last; infinite values stay.
    order = order[: len(values) - int(np.isnan(values).sum())]
    ranked, images = values[order], gains.images[order]

    def medians(weights: Draws) -> NDArray[np.float64]:
        found = np.full(weights.shape[1], np.nan)
        if not len(ranked):
            return found
        # The two middle ones of the list in which each value stands so many times.
        reached = np.cumsum(weights[images], axis=0)
        half = reached[-1] / 2
        some = half > 0
        lower = (reached < half).sum(axis=0)[some]
        upper = (reached <= half).sum(axis=0)[some]
        found[some] = (ranked[lower] + ranked[upper]) / 2
        found[np.isinf(found)] = np.nan
        return found

    return medians


def _mean(gains: Gains, name: str) -> Metric:
    values = getattr(gains, name)
    finite = np.isfinite(values)
    images, n = gains.images[finite], gains.n_images
    sums = np.bincount(images, weights=values[finite], minlength=n)
    times = np.bincount(images, minlength=n)
    return lambda weights: _ratio(sums @ weights, times @ weights)


def _parts(
    counts: RocCounts,
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]], ...]:
    return counts.target, counts.background


def _image_sums(
    n_images: int, sparse: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
) -> NDArray[np.float64]:
    images, _, pixels = sparse
    return np.asarray(np.bincount(images, weights=pixels, minlength=n_images))


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = np.full(len(denominator), np.nan)
    np.divide(numerator, denominator, out=ratio, where=denominator > 0)
    return ratio
