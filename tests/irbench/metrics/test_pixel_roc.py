"""The ROC curve of pixels against ranking every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from irbench.errors import UsageError
from irbench.images.masks import mask_regions
from irbench.metrics import pixel_roc as pixel_roc_module
from irbench.metrics.pixel_roc import (
    Histogram,
    PixelHistograms,
    RocCounts,
    auc,
    auc_resolution,
    constant_histograms,
    pixel_histograms,
    pixel_roc,
)
from irbench.metrics.score_maps import N_BINS, bin_edges, clean_map, standardise
from irbench.metrics.weighted import Draws


def scene(seed, shape=(24, 31), share=0.02, power=1, shift=2.0):
    """A map and a mask; targets are brighter."""
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < share
    return np.abs(rng.normal(size=shape) + shift * mask) ** power, mask


def count(score_map, mask):
    values = standardise(clean_map(score_map))
    return pixel_histograms(values, mask_regions(mask), "standardised/1")


def auc_by_rank(scenes):
    """Mann-Whitney's U, over all pixels of all images, from exact values."""
    values = np.concatenate([standardise(clean_map(m)).ravel() for m, _ in scenes])
    is_target = np.concatenate([mask.ravel() for _, mask in scenes])
    n, n_other = is_target.sum(), (~is_target).sum()
    return (rankdata(values)[is_target].sum() - n * (n + 1) / 2) / (n * n_other)


def counts_of(scenes):
    return RocCounts.of(count(*one) for one in scenes)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=5),
    st.sampled_from([1, 3, 8]),
    st.floats(-1, 5),
)
def test_differs_from_ranking_by_no_more_than_its_resolution(seeds, power, shift):
    scenes = [scene(seed, power=power, shift=shift) for seed in seeds]
    counts = counts_of(scenes)
    area, bound = auc(counts).value, auc_resolution(counts).value
    assert abs(area - auc_by_rank(scenes)) <= bound + 1e-12
    # Heavy tails squeeze the background into few bins, and the bound says so.
    assert bound < 3e-3 or power > 1


def test_resolution_counts_true_ties_too():
    scenes = [(np.round(m), mask) for m, mask in (scene(1), scene(2))]
    counts = counts_of(scenes)
    assert auc(counts).value == pytest.approx(auc_by_rank(scenes), abs=1e-6)
    assert auc_resolution(counts).value > 0.01


def test_closed_forms():
    mask = np.zeros((4, 5), bool)
    mask[1, 1:3] = True
    perfect = counts_of([(mask * 3.0, mask)])
    assert auc(perfect).value == 1
    assert auc_resolution(perfect).value == 0
    assert auc(counts_of([(3.0 - 3 * mask, mask)])).value == 0
    flat = counts_of([(np.full(mask.shape, 0.1), mask)])
    assert (auc(flat).value, auc_resolution(flat).value) == (0.5, 0.5)
    # One target pixel beats all, the other ties with every background pixel.
    half = mask * 1.0
    half[1, 1] = 0
    assert auc(counts_of([(half, mask)])).value == 0.75


def test_undefined_without_pixels_of_either_kind():
    none, every = np.zeros((3, 4), bool), np.ones((3, 4), bool)
    score_map = np.arange(12.0).reshape(3, 4)
    assert auc(counts_of([(score_map, none)])).reason == "no target pixel in any image"
    assert auc(counts_of([])).reason == "no target pixel in any image"
    assert auc(counts_of([(score_map, every)])).reason == "no background pixel in any image"
    assert auc_resolution(counts_of([(score_map, none)])).value is None
    assert pixel_roc(counts_of([(score_map, none)]), "standardised/1") is None


def test_the_curve_runs_from_corner_to_corner_and_has_this_area():
    counts = counts_of([scene(seed) for seed in range(4)])
    curve = pixel_roc(counts, "standardised/1")
    assert (curve.pd[0], curve.fa[0], curve.pd[-1], curve.fa[-1]) == (0, 0, 1, 1)
    assert (np.diff(curve.pd) >= 0).all()
    assert (np.diff(curve.fa) >= 0).all()
    assert (np.diff(curve.thresholds) < 0).all()
    assert np.trapezoid(curve.pd, curve.fa) == pytest.approx(auc(counts).value, abs=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        curve.pd[0] = 1


def test_points_of_the_curve_are_shares_at_their_threshold():
    score_map, mask = scene(5)
    curve = pixel_roc(counts_of([(score_map, mask)]), "standardised/1")
    values = standardise(clean_map(score_map))
    for index in np.flatnonzero((curve.thresholds > 0) & (curve.thresholds < 4))[::97]:
        kept = values >= curve.thresholds[index]
        assert curve.pd[index] == pytest.approx(kept[mask].mean())
        assert curve.fa[index] == pytest.approx(kept[~mask].mean())
    np.testing.assert_array_equal(curve.thresholds[::-1], bin_edges("standardised/1"))


@pytest.mark.parametrize("seed", range(3))
def test_a_weight_is_the_image_so_many_times(seed):
    scenes = [scene(10 * seed + i) for i in range(4)]
    times = np.random.default_rng(seed).integers(0, 4, 4)
    repeated = [one for one, n in zip(scenes, times, strict=True) for _ in range(n)]
    assert auc(counts_of(scenes), times).value == auc(counts_of(repeated)).value
    assert auc(counts_of(scenes), np.ones(4)).value == auc(counts_of(scenes)).value
    with pytest.raises(UsageError, match=r"weights must have shape \(4,\)"):
        auc(counts_of(scenes), [1, 2])


def test_neither_order_nor_flips_nor_shifts_matter():
    scenes = [scene(seed) for seed in range(5)]
    expected = auc(counts_of(scenes)).value
    assert auc(counts_of(scenes[::-1])).value == expected
    for change in (np.flipud, np.fliplr, np.transpose, lambda a: np.roll(a, (5, 9), (0, 1))):
        moved = [(change(m).copy(), change(mask).copy()) for m, mask in scenes]
        assert auc(counts_of(moved)).value == pytest.approx(expected, abs=1e-6)


def test_gain_and_offset_of_each_image_cancel():
    scenes = [scene(seed) for seed in range(4)]
    counts = counts_of(scenes)
    changed = counts_of([(7.3 * (i + 1) * m + 50 * i, k) for i, (m, k) in enumerate(scenes)])
    tolerance = auc_resolution(counts).value
    assert auc(changed).value == pytest.approx(auc(counts).value, abs=tolerance)


def test_histograms_count_every_pixel_once():
    score_map, mask = scene(8)
    found = count(score_map, mask)
    assert found.target.total == mask.sum()
    assert found.background.total == (~mask).sum()
    assert (np.diff(found.background.bins.astype(int)) > 0).all()
    flat = count(np.full(mask.shape, 2.5), mask)
    stand_in = constant_histograms(int(mask.sum()), int((~mask).sum()), "standardised/1")
    for one, other in ((flat.target, stand_in.target), (flat.background, stand_in.background)):
        assert one.bins.tolist() == other.bins.tolist()
        assert one.counts.tolist() == other.counts.tolist()


def test_targets_of_another_image_are_refused():
    with pytest.raises(UsageError, match=r"shape \(24, 31\), got \(3, 4\)"):
        pixel_histograms(scene(0)[0], mask_regions(np.zeros((3, 4), bool)), "unit/1")


def test_pairs_of_images_and_pooled_curves_win_alike(monkeypatch):
    """More images than pairs are kept of: the same numbers, to the last bit."""
    rng = np.random.default_rng(5)
    histograms = []
    for _ in range(9):
        counts = rng.integers(0, 3, (2, N_BINS)) * (rng.random((2, N_BINS)) < 0.05)
        histograms.append(PixelHistograms(*map(Histogram.of_counts, counts)))
    counts = RocCounts.of(histograms)
    draws = Draws(rng.multinomial(9, [1 / 9] * 9, pixel_roc_module.MANY_DRAWS + 30).T.astype(float))
    paired = counts.won_pairs(draws)
    monkeypatch.setattr(pixel_roc_module, "MOST_PAIRED_IMAGES", 8)
    pooled = counts.won_pairs(draws)
    assert np.array_equal(paired, pooled)
    by_hand = []
    for weights in draws.weights.T:
        target, background = (
            np.bincount(bins, pixels * weights[image], N_BINS)
            for image, bins, pixels in (counts.target, counts.background)
        )
        by_hand.append(target @ (np.cumsum(background) - background / 2))
    assert np.array_equal(pooled, by_hand)
