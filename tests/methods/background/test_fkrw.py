from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from irbench.filters.random_walker import centre_probability
from irbench.methods.background import fkrw
from irbench.methods.background._region_contrast import contrast_maps
from irbench.methods.background.fkrw import FKRW

DISK = np.hypot(*np.mgrid[-2:3, -2:3]) <= 2


@pytest.fixture
def scene():
    """Clouds, blobs of all sizes, a saturated block, black corner and hot pixels."""
    rng = np.random.default_rng(7)
    image = 90 + 25 * ndimage.gaussian_filter(rng.normal(size=(61, 74)), 4) / 0.07
    rows, columns = np.mgrid[:61, :74]
    for row, column, sigma, height in (
        (12, 20, 0.8, 90),
        (30, 50, 1.2, 120),
        (45, 9, 1.8, 70),
        (0, 37, 1.0, 100),
        (60, 73, 1.0, 130),
    ):
        image += height * np.exp(-(np.hypot(rows - row, columns - column) ** 2) / 2 / sigma**2)
    image += rng.normal(size=image.shape)
    image[25:28, 20:23] = 255
    image[40, 30] = 250
    image[48:, :24] = 0
    image[53:56, 10:12] = [[40, 50], [90, 80], [41, 52]]
    return np.clip(image, 0, 255)


def slow_fkrw(image, k, patch, beta, exponent, floor):
    """The method as told, one candidate after the other."""
    image = image / 255
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    brightest = ndimage.maximum_filter(image, footprint=ring, mode="constant", cval=0)
    image = np.minimum(image, brightest)
    smoothed = ndimage.correlate(image, np.full((2, 2), 0.25), mode="nearest", origin=-1)
    response = ndimage.correlate(smoothed, fkrw.FACET_KERNEL, mode="mirror")
    threshold = response.mean() + k * response.std(ddof=1)
    half = patch // 2
    padded = np.pad(smoothed, half, mode="reflect")
    contrast = np.zeros(padded.shape)
    taken = np.zeros(padded.shape, bool)
    candidates = np.argwhere(response >= threshold).tolist()
    for row, column in sorted(candidates, key=lambda at: -smoothed[tuple(at)]):
        if taken[row + half, column + half]:
            continue
        here = (slice(row, row + patch), slice(column, column + patch))
        window = padded[here]
        walk = centre_probability(window[None], beta=beta, background=window[None] >= 1)[0]
        region = walk >= 0.5
        value = 0.0
        if region.sum() > 1:
            near = ndimage.binary_dilation(region, DISK)
            around = ndimage.binary_dilation(near, DISK) & ~near
            rest = region.copy()
            rest[half, half] = False
            value = walk[rest].mean() / walk[~rest].mean()
            mean = window[region].mean()
            divisor = max(window[around].max(initial=-1), floor / 255)
            if not around.any() or divisor == 0 or window[around].max() >= mean:
                value *= 0.0**exponent
            else:
                value *= (mean / divisor) ** exponent
        contrast[here][region & ~taken[here]] = value
        taken[here] |= region
    result = contrast[half:-half, half:-half] * response
    return result / (result.max() + 1e-6)


def test_equals_the_reference(reference_image, assert_agrees):
    ours = FKRW().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("fkrw"), 1e-9, n_exempt=2)


def test_intermediate_maps_equal_the_reference(reference_image, assert_agrees):
    smoothed = fkrw.smooth(reference_image.image / 255)
    response = fkrw.facet_response(smoothed)
    candidates = response >= fkrw.candidate_threshold(response, 4)
    probability, intensity = contrast_maps(smoothed, candidates, patch=11, beta=200)
    for name, ours in (
        ("facet_kernel_map", np.where(candidates, response, 0)),
        ("nlcd_cp_map", probability),
        ("nlcd_hg_map", intensity**6),
    ):
        reference = reference_image.array("fkrw", name)
        assert_agrees(fkrw.rescale(ours), reference, 1e-9, n_exempt=2)


@pytest.mark.parametrize(
    ("k", "patch", "beta", "exponent", "floor"),
    [(4, 11, 200, 6, 0), (2, 7, 60, 2, 0), (1, 5, 500, 1, 30), (3, 15, 30, 0, 0)],
)
def test_equals_a_slow_implementation(scene, assert_agrees, k, patch, beta, exponent, floor):
    detector = FKRW(k=k, patch=patch, beta=beta, exponent=exponent, floor=floor)
    ours = detector.score_map(scene, value_range=(0, 255))
    assert np.count_nonzero(ours) > 20
    assert_agrees(ours, slow_fkrw(scene, k, patch, beta, exponent, floor), 1e-10)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (3, 3), (4, 30), (7, 7), (40, 3)])
@pytest.mark.parametrize("fill", ["noise", 0, 100, 255, "two levels"])
def test_any_size_and_constant_images_give_a_finite_map(shape, fill):
    if fill == "noise":
        image = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    elif fill == "two levels":
        image = np.zeros(shape, np.uint8)
        image[shape[0] // 2, shape[1] // 2 :] = 255
    else:
        image = np.full(shape, fill, np.uint8)
    score_map = FKRW(k=1).score_map(image)
    assert score_map.shape == shape
    assert np.isfinite(score_map).all()
    if isinstance(fill, int):
        np.testing.assert_array_equal(score_map, 0)


def test_finds_a_planted_target(scene):
    image = np.full((40, 50), 80.0) + np.random.default_rng(1).normal(size=(40, 50))
    rows, columns = np.mgrid[:40, :50]
    image += 60 * np.exp(-(np.hypot(rows - 21, columns - 33) ** 2) / 2)
    peak = np.unravel_index(FKRW().score_map(image, value_range=(0, 255)).argmax(), image.shape)
    # The 2x2 mean may move it by one pixel, up or left.
    assert peak[0] in (20, 21)
    assert peak[1] in (32, 33)


def test_a_target_on_black_is_found_with_a_floor_only():
    image = np.zeros((40, 40), np.uint8)
    image[19:22, 19:22] = [[60, 80, 60], [80, 99, 80], [60, 80, 60]]
    assert not FKRW(patch=15).score_map(image).any()
    found = FKRW(patch=15, floor=1).score_map(image)
    assert found.max() > 0
    assert found[18:23, 18:23].max() == found.max()


def test_saturation_is_the_same_on_any_scale(scene):
    eight_bit = np.rint(scene).astype(np.uint8)
    fourteen_bit = np.rint(eight_bit * (16383 / 255)).astype(np.uint16)
    saturated = np.s_[25:27, 20:22]
    for image, white in ((eight_bit, 255), (fourteen_bit, 16383)):
        assert (image[saturated] == white).all()
        score_map = FKRW().score_map(image, value_range=(0, white))
        assert score_map.any()
        np.testing.assert_array_equal(score_map[saturated], 0)


def test_without_rescaling_the_map_has_its_own_scale(scene):
    plain = FKRW(rescale=False).score_map(scene, value_range=(0, 255))
    rescaled = FKRW().score_map(scene, value_range=(0, 255))
    assert plain.max() > 1
    np.testing.assert_allclose(rescaled, plain / (plain.max() + 1e-6), rtol=1e-12)


def test_a_hot_pixel_is_cut_down_to_its_brightest_neighbour():
    image = np.zeros((4, 5))
    image[1, 1], image[1, 2], image[2, 0] = 0.9, 0.4, 0.1
    # 0.9 becomes 0.4; 0.4 and 0.1 have a brighter neighbour and stay. Then 2x2 means.
    cut = np.zeros((5, 6))
    cut[1, 1], cut[1, 2], cut[2, 0] = 0.4, 0.4, 0.1
    expected = (cut[:-1, :-1] + cut[1:, :-1] + cut[:-1, 1:] + cut[1:, 1:]) / 4
    np.testing.assert_allclose(fkrw.smooth(image), expected, rtol=1e-15)
