"""The areas of the 3D ROC curve against integrating its planes step by step."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.images.masks import mask_regions
from irbench.metrics import roc_3d
from irbench.metrics.definition import METRICS
from irbench.metrics.roc_3d import Roc3dCounts, constant_statistics, normalised_statistics
from irbench.metrics.score_maps import clean_map

NAMES = ("auc_df", "auc_dt", "auc_ft", "auc_td", "auc_bs", "auc_tdbs", "auc_od", "auc_snpr")


def counts_of(scenes):
    return Roc3dCounts.of(
        [normalised_statistics(clean_map(m), mask_regions(mask)) for m, mask in scenes]
    )


def values_of(counts, weights=None):
    return {name: getattr(roc_3d, name)(counts, weights).value for name in NAMES}


def scenes_of(seed, n=3, shape=(20, 25)):
    rng = np.random.default_rng(seed)
    masks = rng.random((n, *shape)) < 0.05
    return [(np.abs(rng.normal(size=shape)) ** 2 + 4 * mask - 0.1, mask) for mask in masks]


def planes_by_steps(scenes, n_steps=4000):
    """PD and PF at many thresholds, and the areas of the three planes by trapezia."""
    scaled = []
    for score_map, mask in scenes:
        low = np.where(score_map > 0, score_map, 0.0)
        scaled.append(((low - low.min()) / (low.max() - low.min()), mask))
    target = np.concatenate([u[mask] for u, mask in scaled])
    other = np.concatenate([u[~mask] for u, mask in scaled])
    tau = np.linspace(0, 1, n_steps + 1)
    pd = np.array([(target >= t).mean() for t in tau] + [0.0])
    pf = np.array([(other >= t).mean() for t in tau] + [0.0])
    return (
        -np.trapezoid(pd, pf),
        np.trapezoid(pd[:-1], tau),
        np.trapezoid(pf[:-1], tau),
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_planes_have_these_areas(seed):
    scenes = scenes_of(seed)
    values = values_of(counts_of(scenes))
    found = [values[name] for name in ("auc_df", "auc_dt", "auc_ft")]
    np.testing.assert_allclose(found, planes_by_steps(scenes), atol=1e-3)


def test_combinations_are_as_published():
    v = values_of(counts_of(scenes_of(7)))
    df, dt, ft = v["auc_df"], v["auc_dt"], v["auc_ft"]
    assert v["auc_td"] == df + dt
    assert v["auc_bs"] == df - ft
    assert v["auc_tdbs"] == dt - ft
    assert v["auc_od"] == df + dt - ft
    assert v["auc_snpr"] == dt / ft


def test_closed_forms():
    # Values 0, .25, .5 and 1 of the range; targets are .5 and 1.
    score_map = np.array([[2.0, 3, 4, 6]])
    mask = np.array([[False, False, True, True]])
    values = values_of(counts_of([(score_map, mask)]))
    assert values == {
        "auc_df": 1.0,
        "auc_dt": 0.75,
        "auc_ft": 0.125,
        "auc_td": 1.75,
        "auc_bs": 0.875,
        "auc_tdbs": 0.625,
        "auc_od": 1.625,
        "auc_snpr": 6.0,
    }


def test_the_best_and_the_worst_map_reach_the_bounds():
    mask = np.zeros((5, 6), bool)
    mask[2, 2:4] = True
    best, worst = (values_of(counts_of([(m.astype(float), mask)])) for m in (mask, ~mask))
    for name in set(NAMES) - {"auc_snpr"}:
        low, high = METRICS[name].bounds
        good, bad = (high, low) if METRICS[name].higher_is_better else (low, high)
        assert (best[name], worst[name]) == (good, bad)
    assert best["auc_snpr"] is None
    assert worst["auc_snpr"] == 0


def test_undefined_cases_have_their_reasons():
    mask = np.zeros((3, 3), bool)
    mask[1, 1] = True
    black = roc_3d.auc_snpr(counts_of([(mask * 2.0, mask)]))
    assert black.reason == "the maps are 0 on the whole background"
    empty = counts_of([(np.arange(9.0).reshape(3, 3), ~np.ones((3, 3), bool))])
    for name in set(NAMES) - {"auc_ft"}:
        assert getattr(roc_3d, name)(empty).reason == "no target pixel in any image"
    full = counts_of([(np.arange(9.0).reshape(3, 3), np.ones((3, 3), bool))])
    assert roc_3d.auc_ft(full).reason == roc_3d.auc_snpr(full).reason
    assert roc_3d.auc_ft(full).reason == "no background pixel in any image"


def test_a_constant_map_is_zero():
    mask = np.zeros((3, 3), bool)
    mask[1, 1] = True
    flat = values_of(counts_of([(np.full((3, 3), 0.1), mask)]))
    assert [flat[name] for name in ("auc_df", "auc_dt", "auc_ft")] == [0.5, 0, 0]
    assert values_of(Roc3dCounts.of([constant_statistics(1, 8)])) == flat


def test_a_weight_is_the_image_so_many_times():
    scenes = scenes_of(3, n=4)
    times = [2, 0, 1, 3]
    repeated = [one for one, n in zip(scenes, times, strict=True) for _ in range(n)]
    weighted, expected = values_of(counts_of(scenes), times), values_of(counts_of(repeated))
    assert weighted == pytest.approx(expected, abs=1e-12)


def test_gain_offset_flips_and_order_cancel():
    scenes = scenes_of(4)
    expected = values_of(counts_of(scenes))
    changed = [
        (np.fliplr(3.7 * np.maximum(m, 0) + 20), np.fliplr(mask)) for m, mask in reversed(scenes)
    ]
    # A value at the edge of a bin may change sides.
    assert values_of(counts_of(changed)) == pytest.approx(expected, abs=1e-4)
