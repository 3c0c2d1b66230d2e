from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.methods.hvs import gswlcm
from irbench.methods.hvs.gswlcm import GSWLCM
from irbench.methods.hvs.rlcm import RLCM


def spot(image, row, column, height, sigma=1.0):
    rows, columns = np.indices(image.shape)
    image += height * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * sigma**2))


@pytest.fixture
def scene():
    """Whole grey levels: noise, a ramp, spots of several kinds."""
    rng = np.random.default_rng(5)
    image = 60 + np.arange(90) * 0.5 + rng.normal(scale=2, size=(70, 90))
    for row, column, height in ((10, 12, 60), (30, 60, 90), (55, 25, 40), (64, 83, 70)):
        spot(image, row, column, height, 1.3)
    return np.rint(image)


def score(image, **parameters):
    return GSWLCM(**parameters).score_map(image, value_range=(0, 255))


def test_an_odd_target_outranks_many_alike():
    image = np.random.default_rng(0).normal(100, 1, (120, 120))
    for row in range(15, 120, 30):
        for column in range(15, 120, 25):
            spot(image, row, column, 110)
    spot(image, 60, 102, 50)
    contrast = RLCM().score_map(image, value_range=(0, 255))
    ours = score(image)
    near_target = np.s_[58:63, 100:105]
    # By contrast alone every one of the alike spots is ahead.
    assert contrast[near_target].max() < 0.7 * contrast.max()
    assert ours[near_target].max() == ours.max()


def test_is_contrast_times_sparsity_times_the_walk(scene):
    ours = score(scene)
    contrast = gswlcm.local_contrast(scene, 1.0)
    assert 0 < np.count_nonzero(ours) < scene.size / 4
    assert ours.min() == 0
    assert ours.max() <= contrast.max()
    # The four spots are of four kinds, and each centre's walk is 1.
    for row, column in ((10, 12), (30, 60), (55, 25), (64, 83)):
        around = np.s_[row - 2 : row + 3, column - 2 : column + 3]
        assert 0.4 * contrast[around].max() <= ours[around].max() <= 1.001 * contrast[around].max()


def test_contrast_is_that_of_rlcm_away_from_the_border(scene):
    inside = np.s_[13:-13, 13:-13]
    expected = RLCM().score_map(scene, value_range=(0, 255))[inside]
    np.testing.assert_allclose(gswlcm.local_contrast(scene, 0)[inside], expected, rtol=1e-12)


@pytest.mark.parametrize("shape", [(70, 90), (5, 4), (300, 280)])
def test_contrast_is_that_of_rlcm_on_the_padded_image_to_the_last_bit(shape):
    image = np.random.default_rng(2).normal(90, 20, shape).clip(0, 255)
    padded = np.pad(image, 13, mode="edge")
    expected = RLCM(background_floor=1.0).compute(padded)[13:-13, 13:-13]
    np.testing.assert_array_equal(gswlcm.local_contrast(image, 1.0), expected)


def test_where_windows_overlap_the_larger_probability_counts(scene):
    places = [(0, 0), (10, 12), (12, 15), (69, 89)]
    rows, columns = np.array(places).T
    together = gswlcm.reach(scene, rows, columns, patch=11, beta=20)
    alone = [
        gswlcm.reach(scene, np.array([row]), np.array([column]), patch=11, beta=20)
        for row, column in places
    ]
    np.testing.assert_array_equal(together, np.max(alone, axis=0))
    assert [together[place] for place in places] == [1.0] * 4


def test_candidates_are_bright_spots_of_high_contrast():
    image = np.zeros((9, 12))
    image[4, 2], image[4, 4], image[4, 9] = 5, 6, 4
    contrast = np.zeros(image.shape)
    contrast[3:6, 1:7] = 10
    # The spot of 5 is within 2 pixels of 6, 4 is where there is no contrast, 0 is flat ground.
    for spacing, expected in ((3, [[4, 2], [4, 4]]), (5, [[4, 4]])):
        found = gswlcm.find_candidates(image, contrast, 1.0, spacing)
        assert np.transpose(found).tolist() == expected


@pytest.mark.parametrize("flip", [np.flipud, np.fliplr, np.transpose])
def test_commutes_with_flips_and_transposition(scene, flip):
    flipped = score(np.ascontiguousarray(flip(scene)))
    np.testing.assert_allclose(flipped, flip(score(scene)), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("gain", [0.5, 1.25])
def test_is_proportional_to_gain(scene, gain):
    np.testing.assert_allclose(score(gain * scene), gain * score(scene), rtol=1e-9, atol=1e-9)


def test_an_offset_weakens_it_and_moves_no_candidate(scene):
    plain, raised = score(scene), score(scene + 50)
    assert 0 < raised.max() < plain.max()
    assert np.argmax(plain) == np.argmax(raised)


@settings(max_examples=10, deadline=None)
@given(row=st.integers(2, 47), column=st.integers(2, 62), level=st.sampled_from([0, 1, 40, 180]))
def test_a_planted_target_is_the_maximum(row, column, level):
    image = np.full((50, 65), float(level))
    spot(image, row, column, 60)
    ours = score(image)
    assert np.unravel_index(ours.argmax(), image.shape) == (row, column)


@pytest.mark.parametrize("shape", [(1, 1), (1, 20), (3, 3), (5, 4), (9, 9), (30, 2), (41, 57)])
@pytest.mark.parametrize("fill", ["noise", 0, 100, 255, "two levels"])
def test_any_size_and_constant_images_give_a_finite_map(shape, fill):
    if fill == "noise":
        image = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    elif fill == "two levels":
        image = np.zeros(shape, np.uint8)
        image[shape[0] // 2, shape[1] // 2 :] = 255
    else:
        image = np.full(shape, fill, np.uint8)
    score_map = GSWLCM().score_map(image)
    assert score_map.shape == shape
    assert np.isfinite(score_map).all()
    assert score_map.min() >= 0
    if isinstance(fill, int):
        np.testing.assert_array_equal(score_map, 0)


def test_without_floor_targets_on_black_have_no_contrast():
    image = np.zeros((40, 40), np.uint8)
    image[20, 20] = 90
    assert not score(image, background_floor=0).any()
    assert score(image).argmax() == 20 * 40 + 20


@pytest.mark.parametrize("membership", [0.1, 0.4, 1.0])
def test_no_pixel_of_a_candidate_is_below_the_membership(membership):
    image = np.full((40, 40), 60.0)
    spot(image, 20, 20, 80, 1.5)
    ours = score(image, membership=membership)
    inside = ours[ours > 0] / ours.max()
    assert inside.min() >= membership
    assert inside.size == 1 if membership == 1 else inside.size > 4
