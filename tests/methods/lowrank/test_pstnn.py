from __future__ import annotations

import json

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from irbench.methods.lowrank.pstnn import PSTNN, leading_rank, partial_sum_decomposition


def planted_scene(shape=(80, 120), row=42, column=61, seed=0):
    """A spot on a smooth, noisy background, in grey levels."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    background = 90 + 20 * np.sin(x / 17) + 15 * np.cos(y / 23) + 0.2 * x
    spot = 70 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 3.4)
    noise = np.random.default_rng(seed).normal(0, 1.5, shape)
    return np.clip(background + spot + noise, 0, 255)


def score_map(image, **parameters):
    return PSTNN(**parameters).score_map(image, value_range=(0, 255))


def relative_difference(ours, expected):
    return np.abs(ours - expected).max() / np.abs(expected).max()


def test_equals_the_reference(reference_image, assert_agrees):
    method = PSTNN()
    run = json.loads((reference_image.root / "pstnn" / f"{reference_image.name}.json").read_text())
    prior = method.local_prior(reference_image.image)
    assert_agrees(prior, reference_image.array("pstnn", "prior_weight"), 1e-9)
    ours = method.decompose(reference_image.image)
    assert ours.n_iterations == run["iterations"]
    assert ours.residual == pytest.approx(run["extra"]["final_err"], rel=1e-9)
    assert_agrees(ours.target, reference_image.array("pstnn"), 1e-9)
    assert_agrees(ours.background, reference_image.array("pstnn", "background"), 1e-9)


def slow_pstnn(data, prior, n_kept, sparsity, mu, rho, epsilon, n_iterations):
    """The algorithm as the paper writes it, with the multiplier and the whole spectrum."""
    target, multiplier = np.zeros_like(data), np.zeros_like(data)
    weight = np.ones_like(data)
    for _ in range(n_iterations):
        spectrum = np.fft.fft(data - target - multiplier / mu, axis=0)
        for index, matrix in enumerate(spectrum):
            u, s, vh = np.linalg.svd(matrix, full_matrices=False)
            s[n_kept:] = np.maximum(s[n_kept:] - 1 / mu, 0)
            spectrum[index] = u @ np.diag(s) @ vh
        background = np.fft.ifft(spectrum, axis=0).real
        target = np.maximum(data - background - multiplier / mu - sparsity / mu * weight, 0)
        weight = n_kept / (target + epsilon) / prior
        multiplier = multiplier + mu * (background + target - data)
        mu *= rho
    return target, background


@pytest.mark.parametrize("shape", [(9, 8, 8), (6, 5, 7), (1, 9, 9)])
@pytest.mark.parametrize("n_kept", [1, 2])
def test_equals_the_algorithm_with_the_multiplier(shape, n_kept):
    rng = np.random.default_rng(2)
    data = 100 + rng.normal(0, 20, shape)
    prior = rng.uniform(0.001, 1, shape) ** 0.1
    constants = {"n_kept": n_kept, "sparsity": 0.1, "mu": 0.01, "rho": 1.2, "epsilon": 0.01}
    ours = partial_sum_decomposition(
        data, prior, **constants, tolerance=0.0, early_stop=False, max_iter=8
    )
    target, background = slow_pstnn(data, prior, **constants, n_iterations=8)
    assert ours.n_iterations == 8
    assert target.any()
    np.testing.assert_allclose(ours.target, target, atol=1e-9)
    np.testing.assert_allclose(ours.background, background, atol=1e-9)
    residual = np.linalg.norm(data - target - background) / np.linalg.norm(data)
    assert ours.residual == pytest.approx(residual, rel=1e-9)


@pytest.mark.parametrize("shape", [(6, 4, 3), (30, 4, 5), (1, 4, 4)])
def test_leading_rank_counts_singular_values_of_the_plain_reshape(shape):
    data = np.random.default_rng(3).normal(0.1, 1, shape)
    # A tensor of the papers has the patches last, and its memory runs down its first mode.
    plain = np.transpose(data, (1, 2, 0)).reshape(shape[0], -1, order="F")
    values = np.linalg.svd(plain, compute_uv=False)
    for ratio in (0.01, 0.3, 0.5, 0.9):
        assert leading_rank(data, ratio) == np.count_nonzero(values >= ratio * values[0])
    assert leading_rank(data, 1.0) >= 1


def test_no_target_where_the_prior_is_zero():
    rng = np.random.default_rng(2)
    data = 100 + rng.normal(0, 20, (9, 8, 8))
    prior = np.ones_like(data)
    prior[4] = 0
    ours = partial_sum_decomposition(
        data,
        prior,
        n_kept=1,
        sparsity=0.1,
        mu=0.01,
        rho=1.2,
        epsilon=0.01,
        tolerance=0.0,
        early_stop=False,
        max_iter=3,
    )
    assert not ours.target[4].any()
    assert ours.target[3].any()


def test_finds_a_planted_target():
    image = planted_scene()
    found = score_map(image)
    assert np.unravel_index(found.argmax(), found.shape) == (42, 61)
    assert found.min() == 0


def test_is_turned_by_180_degrees_with_the_image():
    image = planted_scene()
    turned = score_map(np.rot90(image, 2))
    assert relative_difference(np.rot90(turned, 2), score_map(image)) < 1e-11


def test_a_row_of_patches_is_flipped_with_the_image():
    image = planted_scene((40, 160), 20)
    for change in (np.flipud, np.fliplr):
        assert relative_difference(change(score_map(change(image))), score_map(image)) < 1e-11


def test_offset_leaves_the_target_in_place():
    # No exact invariance; and gain is none at all, since mu is in grey levels.
    image = planted_scene()
    expected = score_map(image)
    for offset in (-10.0, 20.0, 50.0):
        assert relative_difference(score_map(image + offset), expected) < 0.02
    assert score_map(0.9 * image).argmax() == expected.argmax()


def test_gain_is_undone_by_mu_in_the_first_iteration():
    image = planted_scene()
    expected = score_map(image, max_iter=1)
    changed = score_map(image / 4, max_iter=1, mu=0.008)
    assert relative_difference(4 * changed, expected) < 1e-11


def test_converges_without_the_early_stop():
    image = planted_scene()
    ours = PSTNN(early_stop=False).decompose(image)
    assert ours.n_iterations > PSTNN().decompose(image).n_iterations
    assert ours.residual < 1e-3
    assert np.unravel_index(ours.target.argmax(), image.shape) == (42, 61)
    assert PSTNN(early_stop=False, max_iter=3).decompose(image).n_iterations == 3


def test_an_empty_target_is_no_reason_to_stop_early():
    image = planted_scene()
    ours = PSTNN(lambda_l=4.0).decompose(image)
    assert not ours.target.any()
    assert ours.n_iterations > 2
    assert ours.residual < 1e-3


def test_recomposition_differs_only_under_shifted_patches():
    image = planted_scene((90, 130), 65, 105)
    last, mean = (score_map(image, recompose=how) for how in ("overwrite", "mean"))
    assert relative_difference(mean, last) > 1e-6
    # Rows 50 to 79 and columns 90 to 119 lie under two patches.
    once = np.ones(image.shape, bool)
    once[50:80] = False
    once[:, 90:120] = False
    np.testing.assert_array_equal(mean[once], last[once])


@pytest.mark.parametrize("level", [0, 7, 255])
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (50, 45)])
def test_a_constant_image_has_no_target(level, shape):
    assert not score_map(np.full(shape, level, np.uint8)).any()


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (3, 3), (5, 90), (90, 5), (39, 41), (41, 39)])
def test_images_smaller_than_a_patch(shape):
    rng = np.random.default_rng(4)
    checkered = np.indices(shape).sum(axis=0) % 2 * 255
    for image in (rng.integers(0, 256, shape), checkered, np.eye(*shape) * 255):
        found = score_map(image.astype(np.uint8))
        assert found.shape == shape
        assert np.isfinite(found).all()
        assert found.min() >= 0


@pytest.mark.parametrize(
    "parameters",
    [
        {"lambda_l": 0.0},
        {"rho": 50.0, "tolerance": 0.0, "early_stop": False},
        {"rho": 1.0, "max_iter": 5},
        {"patch": 1, "step": 1, "max_iter": 5},
    ],
)
def test_extreme_parameters_leave_the_map_finite(parameters):
    image = planted_scene((20, 25), 10, 12)
    image[:, :9] = 50
    found = score_map(image, **parameters)
    assert np.isfinite(found).all()
    assert found.min() >= 0


def test_an_edge_alone_has_no_target():
    image = np.zeros((80, 90), np.uint8)
    image[:, 45:] = 255
    assert not score_map(image).any()


def test_floats_of_either_size_give_the_same():
    image = np.round(planted_scene()) / 256
    single, double = (PSTNN().score_map(image.astype(t)) for t in (np.float32, np.float64))
    np.testing.assert_array_equal(single, double)


def test_threads_do_not_change_the_result():
    image = planted_scene((160, 160))
    decompositions = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            decompositions.append(PSTNN().decompose(image))
    one, two = decompositions
    assert one.n_iterations == two.n_iterations
    assert relative_difference(two.target, one.target) < 1e-11


def test_the_same_again():
    image = planted_scene()
    before = image.copy()
    np.testing.assert_array_equal(score_map(image), score_map(image))
    np.testing.assert_array_equal(image, before)
