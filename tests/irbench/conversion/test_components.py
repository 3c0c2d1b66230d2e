"""``components/1`` against a slow, obvious implementation of its rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from irbench.conversion import components
from irbench.conversion.components import detect_components
from irbench.conversion.descent import descended_regions
from irbench.conversion.flooding import flooded_regions
from irbench.errors import UsageError
from irbench.protocol import EXTENTS

EIGHT = np.ones((3, 3))


@pytest.fixture(params=[descended_regions, flooded_regions], autouse=True, scope="module")
def form(request):
    """Every test of the rule holds for the compiled form and for the one of a machine without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(components, "_find_regions", lambda n_pixels: request.param)
        yield


def obvious(score_map, extent, max_detections=300):
    """The rule, word for word: one component pass for each peak."""
    values = np.where(np.isfinite(score_map) & (score_map > 0), score_map, 0.0)
    mean, std = values.mean(), values.std()
    if std == 0:
        return []
    is_peak = (values == ndimage.maximum_filter(values, size=3, mode="nearest")) & (
        values > mean + std
    )
    plateaus, n_plateaus = ndimage.label(is_peak, structure=EIGHT)
    firsts = [int(np.flatnonzero(plateaus.ravel() == i)[0]) for i in range(1, n_plateaus + 1)]
    firsts.sort(key=lambda pixel: (-values.ravel()[pixel], pixel))
    taken = np.zeros(values.shape, dtype=bool)
    found = []
    for pixel in firsts:
        peak = values.ravel()[pixel]
        labels, _ = ndimage.label(values >= mean + extent * (peak - mean), structure=EIGHT)
        region = labels == labels.ravel()[pixel]
        if (region & taken).any():
            continue
        taken |= region
        found.append((region, (peak - mean) / std))
        if len(found) == max_detections:
            break
    return found


def assert_same(score_map, extents=EXTENTS, max_detections=300):
    boxes_alone = detect_components(
        score_map, extents, max_detections=max_detections, keep_regions=False
    )
    for extent, ours, alone in zip(
        extents,
        detect_components(score_map, extents, max_detections=max_detections),
        boxes_alone,
        strict=True,
    ):
        np.testing.assert_array_equal(alone.boxes, ours.boxes)
        np.testing.assert_array_equal(ours.regions.boxes, ours.boxes)
        expected = obvious(score_map, extent, max_detections)
        assert len(ours) == len(expected)
        for index, (region, score) in enumerate(expected):
            np.testing.assert_array_equal(ours.take([index]).regions.to_mask(), region)
            assert ours.scores[index] == np.float32(score)
            rows, columns = np.nonzero(region)
            box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert ours.boxes[index].tolist() == box
            np.testing.assert_allclose(
                ours.centroids[index], [columns.mean(), rows.mean()], rtol=1e-12
            )
            assert ours.areas[index] == region.sum()


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
        # Few distinct values: plateaus and ties everywhere.
        elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, 8.0, -4.0]),
    )
)
@settings(max_examples=300, deadline=None)
def test_plateaus_and_ties(score_map):
    assert_same(score_map, (0.02, 0.3, 0.7, 1.0))


@pytest.mark.parametrize("seed", range(6))
def test_rough_maps(seed):
    rng = np.random.default_rng(seed)
    rough = ndimage.gaussian_filter(rng.normal(size=(40, 52)), sigma=seed % 3)
    assert_same(rough**3)
    assert_same(np.round(rough * 4), max_detections=5)


def test_non_finite_and_negative_values_count_as_zero():
    score_map = np.zeros((7, 7))
    score_map[3, 3] = 4
    dirty = score_map.copy()
    dirty[0, 0], dirty[1, 5], dirty[6, 6], dirty[5, 0] = np.nan, np.inf, -np.inf, -3
    assert detect_components(dirty, [0.5])[0] == detect_components(score_map, [0.5])[0]
    assert len(detect_components(dirty, [0.5])[0]) == 1


@pytest.mark.parametrize("constant", [0.0, -1.0, 7.0, np.nan])
def test_a_constant_map_gives_none(constant):
    found = detect_components(np.full((5, 4), constant), [0.5])[0]
    assert len(found) == 0
    assert found.regions.shape == (5, 4)


def test_one_pixel_image_gives_none():
    assert len(detect_components(np.ones((1, 1)), [0.5])[0]) == 0


def test_standardised_scores_ignore_gain_and_raw_ones_do_not():
    score_map = np.abs(np.random.default_rng(0).normal(size=(30, 30)))
    one, two = (detect_components(score_map * gain, [0.5])[0] for gain in (1.0, 4.0))
    assert one == two
    raw = detect_components(score_map * 4.0, [0.5], score="raw")[0]
    assert raw.scores[0] == np.float32(score_map.max() * 4.0)


def test_huge_values_do_not_overflow():
    score_map = np.zeros((9, 9))
    score_map[4, 4] = 1e300
    assert detect_components(score_map, [0.5])[0] == detect_components(score_map / 1e300, [0.5])[0]


@pytest.mark.parametrize("extent", [0.0, -0.1, 1.5, np.nan])
def test_extent_out_of_range_is_refused(extent):
    with pytest.raises(UsageError, match="extent must lie in"):
        detect_components(np.ones((3, 3)), [extent])


def test_an_extent_of_one_whose_cut_is_rounded_above_the_peak():
    score_map = np.zeros((2, 9))
    score_map[0, 4], score_map[1, 0] = 6.2, 0.6
    mean, peak = score_map.mean(), score_map.max()
    assert mean + 1.0 * (peak - mean) > peak
    assert detect_components(score_map, [1.0])[0].boxes.tolist() == [[4, 0, 5, 1]]
