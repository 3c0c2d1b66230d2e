"""Gains of single targets by hand, and how they are summed up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.images.masks import mask_regions
from irbench.metrics.clutter_suppression import (
    Gains,
    LocalContrasts,
    bsf,
    bsf_mean,
    cg,
    cg_mean,
    local_contrasts,
    scrg,
    scrg_mean,
    weighted_medians,
)
from irbench.metrics.signal_to_clutter import local_statistics

SHAPE = (60, 70)


def stripes(low, high, target):
    """Columns of two levels by turns, and one target pixel; σb = (high - low) / 2."""
    image = np.tile([float(low), float(high)], (SHAPE[0], SHAPE[1] // 2))
    image[30, 30] = target
    return image


@pytest.fixture
def one_target():
    mask = np.zeros(SHAPE, bool)
    mask[30, 30] = True
    return mask_regions(mask)


def gains_of(*values):
    """One image per tuple of gains; the same for all three."""
    flat = np.array([v for image in values for v in image], float)
    images = np.repeat(np.arange(len(values)), [len(image) for image in values])
    return Gains(len(values), images, flat, flat, flat, np.zeros(len(flat), bool))


def test_closed_forms(one_target):
    # Even numbers of both columns in every row, but for the 3 of the guard.
    before, after = stripes(90, 110, 150), stripes(0, 4, 102)
    found = local_contrasts(before, after, one_target)
    # 41 columns, even ones as the target's: 21·41 low and 20·41 high less the guard's 3 and 6.
    low, high = 21 * 41 - 3, 20 * 41 - 6
    share = high / (low + high)
    spread = math.sqrt(share * (1 - share))
    assert found.contrast_in[0] == pytest.approx(60 - 20 * share)
    assert found.std_in[0] == pytest.approx(20 * spread)
    assert found.contrast_out[0] == pytest.approx(102 - 4 * share)
    assert found.std_out[0] == pytest.approx(4 * spread)
    assert found.bsf[0] == pytest.approx(5)
    assert found.cg[0] == pytest.approx((102 - 4 * share) / (60 - 20 * share))
    assert found.scrg[0] == pytest.approx(found.bsf[0] * found.cg[0])


def test_the_regions_are_those_of_the_signal_to_clutter_ratio():
    rng = np.random.default_rng(0)
    mask = rng.random(SHAPE) > 0.995
    before, after = rng.random(SHAPE) * 255, rng.normal(size=SHAPE)
    targets = mask_regions(mask)
    found = local_contrasts(before, after, targets)
    for image, contrast, std in (
        (before, found.contrast_in, found.std_in),
        (after, found.contrast_out, found.std_out),
    ):
        (expected,) = local_statistics([image], targets)
        np.testing.assert_allclose(contrast / std, expected.signal_to_clutter, rtol=1e-12)
        np.testing.assert_array_equal(std, expected.background_std)
    before_scr, after_scr = (
        one.signal_to_clutter for one in local_statistics([before, after], targets)
    )
    np.testing.assert_allclose(found.scrg, after_scr / before_scr, rtol=1e-10)


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_scrg_does_not_depend_on_the_unit_of_the_map(gain, offset):
    rng = np.random.default_rng(1)
    mask = np.zeros(SHAPE, bool)
    mask[10:12, 10:13] = mask[40, 50] = True
    before, after = rng.random(SHAPE) * 255, rng.random(SHAPE) + 3 * mask
    targets = mask_regions(mask)
    found = local_contrasts(before, after, targets)
    other = local_contrasts(before, gain * after + offset, targets)
    np.testing.assert_allclose(other.scrg, found.scrg, rtol=1e-6)
    np.testing.assert_allclose(other.bsf, found.bsf / gain, rtol=1e-6)
    np.testing.assert_allclose(other.cg, found.cg * gain, rtol=1e-6)


def test_flips_and_moves_change_nothing():
    rng = np.random.default_rng(2)
    mask = np.zeros((120, 130), bool)
    mask[50:53, 60:62] = True
    before, after = rng.random(mask.shape), rng.random(mask.shape)
    expected = local_contrasts(before, after, mask_regions(mask))
    for change in (np.flipud, np.fliplr, np.transpose, lambda a: np.roll(a, (9, -11), (0, 1))):
        moved = (np.ascontiguousarray(change(a)) for a in (before, after, mask))
        first, second, target = moved
        found = local_contrasts(first, second, mask_regions(target))
        np.testing.assert_allclose(found.scrg, expected.scrg, rtol=1e-9)
        np.testing.assert_allclose(found.bsf, expected.bsf, rtol=1e-9)


@pytest.mark.parametrize(
    ("before", "after", "scrg", "bsf", "cg"),
    [
        # The map is flat but for the target.
        ((90, 110, 150), (0, 0, 5), math.inf, math.inf, None),
        # The map is flat, target included: erased.
        ((90, 110, 150), (0, 0, 0), math.nan, math.inf, 0.0),
        # The image is flat: nothing to suppress.
        ((90, 90, 150), (0, 4, 9), math.nan, math.nan, None),
        ((90, 90, 150), (0, 0, 9), math.nan, math.nan, None),
        # The image has no contrast.
        ((90, 90, 90), (0, 4, 9), math.nan, math.nan, math.nan),
        # A map that is infinite at the target, or somewhere in the background.
        ((90, 110, 150), (0, 4, math.inf), math.nan, None, math.nan),
        ((90, 110, 150), (0, math.inf, 9), math.nan, math.nan, math.nan),
    ],
)
def test_what_is_infinite_and_what_is_undefined(one_target, before, after, scrg, bsf, cg):
    found = local_contrasts(stripes(*before), stripes(*after), one_target)
    for value, expected in ((found.scrg[0], scrg), (found.bsf[0], bsf), (found.cg[0], cg)):
        if expected is None:
            assert math.isfinite(value)
        else:
            np.testing.assert_equal(value, expected)


def test_a_target_without_background_is_undefined():
    mask = np.ones((3, 4), bool)
    image = np.arange(12.0).reshape(3, 4)
    found = local_contrasts(image, image, mask_regions(mask))
    assert np.isnan([found.scrg, found.bsf, found.cg]).all()


def test_median_over_targets_with_infinite_ones_on_top():
    gains = gains_of([1.0, 3.0], [], [math.inf, 2.0, math.nan, 8.0])
    assert scrg(gains).value == 3
    assert scrg_mean(gains).value == 14 / 4
    assert gains.counts("scrg") == {"infinite": 1, "undefined": 1, "erased": 0}
    assert bsf(gains_of([1, 2, 3, 8])).value == 2.5


def test_an_infinite_median_is_undefined_and_says_so():
    gains = gains_of([1.0, math.inf], [2.0, math.inf])
    assert cg(gains).value is None
    assert cg(gains).reason == "infinite at 50% of targets: the map is flat around them"
    assert cg_mean(gains).value == 1.5
    every = gains_of([math.inf])
    assert bsf_mean(every).reason == "infinite at every target: the map is flat there"


def test_reasons():
    assert scrg(gains_of()).reason == "no target in any image"
    assert scrg_mean(gains_of([], [])).reason == "no target in any image"
    assert scrg(gains_of([1.0], []), [0, 1]).reason == "no target in any image"
    assert scrg(gains_of([math.nan])).reason == "undefined at every target"
    assert scrg_mean(gains_of([math.nan])).reason == "undefined at every target"
    undefined = LocalContrasts.undefined(2)
    assert len(undefined) == 2
    assert bsf(Gains.of([undefined])).reason == "undefined at every target"


VALUES = st.lists(
    st.lists(
        st.one_of(st.floats(0, 100, allow_subnormal=False), st.just(math.inf), st.just(math.nan)),
        max_size=4,
    ),
    max_size=6,
)


@settings(max_examples=100)
@given(VALUES, st.integers(0, 10**6))
def test_a_weight_is_the_image_so_many_times(values, seed):
    times = np.random.default_rng(seed).integers(0, 4, len(values))
    repeated = gains_of(*(v for v, n in zip(values, times, strict=True) for _ in range(n)))
    weighted = gains_of(*values)
    for summary in (scrg, scrg_mean):
        found = summary(weighted, times)
        expected = summary(repeated)
        assert found.reason == expected.reason
        assert found.value == (None if expected.value is None else pytest.approx(expected.value))


@given(VALUES)
def test_the_median_is_numpys(values):
    flat = np.array([v for image in values for v in image if not math.isnan(v)])
    found = scrg(gains_of(*values))
    if flat.size and math.isfinite(np.sort(flat)[len(flat) // 2]):
        assert found.value == pytest.approx(np.median(flat))
    else:
        assert found.value is None


def test_compiled_forms_equal_the_others_to_the_last_bit():
    compiled_forms = pytest.importorskip("irbench.metrics.compiled_forms", exc_type=ImportError)
    random = np.random.default_rng(6)
    weights = random.integers(0, 3, (50, 9)).astype(float)
    weights[0] = 0
    for n in (0, 1, 30):
        images = random.integers(0, 9, n)
        ranked = np.sort(np.append(random.normal(0, 1, max(n - 4, 0)), [np.inf] * min(n, 4)))
        slow = weighted_medians(weights, images, ranked)
        np.testing.assert_array_equal(
            compiled_forms.weighted_medians(weights, images, ranked), slow
        )
        lists = [np.repeat(ranked, one[images].astype(int)) for one in weights]
        expected = [np.median(one) if len(one) else np.nan for one in lists]
        np.testing.assert_array_equal(slow, expected)


def test_a_target_that_the_method_erased_is_told(one_target):
    before = stripes(90, 110, 150)
    lost = local_contrasts(before, np.full(SHAPE, 3.0), one_target)
    kept = local_contrasts(before, stripes(0, 4, 102), one_target)
    without_map = LocalContrasts.undefined(1)
    assert lost.erased.tolist() == [True]
    assert kept.erased.tolist() == without_map.erased.tolist() == [False]
    # A flat image says nothing of what the method did.
    flat = np.full(SHAPE, 9.0)
    assert local_contrasts(flat, flat, one_target).erased.tolist() == [False]
    gains = Gains.of([lost, kept, without_map])
    assert gains.counts("scrg") == {"infinite": 0, "undefined": 2, "erased": 1}
    assert gains.counts("cg")["erased"] == 0
    assert scrg(gains).value == pytest.approx(kept.scrg[0])
