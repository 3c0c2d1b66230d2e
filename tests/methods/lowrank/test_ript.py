from __future__ import annotations

import json

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from irbench.methods.lowrank.ript import RIPT, reweighted_patch_tensor


def planted_scene(shape=(70, 90), row=42, column=61, seed=0):
    """A spot on a smooth, noisy background, in grey levels."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    background = 90 + 20 * np.sin(x / 17) + 15 * np.cos(y / 23) + 0.2 * x
    spot = 70 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 3.4)
    noise = np.random.default_rng(seed).normal(0, 1.5, shape)
    return np.clip(background + spot + noise, 0, 255)


def score_map(image, **parameters):
    return RIPT(**parameters).score_map(image, value_range=(0, 255))


def relative_difference(ours, expected):
    return np.abs(ours - expected).max() / np.abs(expected).max()


def test_equals_the_reference(reference_image, assert_agrees):
    method = RIPT()
    run = json.loads((reference_image.root / "ript" / f"{reference_image.name}.json").read_text())
    weight = method.local_prior(reference_image.image)
    assert_agrees(weight, reference_image.array("ript", "struct_weight"), 1e-12)
    ours = method.decompose(reference_image.image)
    assert ours.n_iterations == run["iterations"]
    assert ours.residual == pytest.approx(run["extra"]["stop_criterion"], rel=1e-6)
    assert_agrees(ours.target, reference_image.array("ript"), 1e-8)
    assert_agrees(ours.background, reference_image.array("ript", "background"), 1e-8)


def test_overwriting_equals_the_reference(reference_image, assert_agrees):
    ours = score_map(reference_image.image, recompose="overwrite")
    assert_agrees(ours, reference_image.array("ript", "map_overwrite"), 1e-8)


def slow_ript(data, prior, sparsity, mu, rho, epsilon, n_iterations):
    """The algorithm as the paper writes it, with multipliers and full decompositions."""
    target = np.zeros_like(data)
    weight = prior
    multipliers = [np.zeros_like(data) for _ in range(3)]
    for _ in range(n_iterations):
        backgrounds = []
        for mode, multiplier in enumerate(multipliers):
            moved = np.moveaxis(data + mu * multiplier - target, mode, 0)
            u, s, vh = np.linalg.svd(moved.reshape(len(moved), -1), full_matrices=False)
            shrunk = u @ np.diag(np.maximum(s - mu, 0)) @ vh
            backgrounds.append(np.moveaxis(shrunk.reshape(moved.shape), 0, mode))
        pairs = list(zip(multipliers, backgrounds, strict=True))
        raw = sum(data + mu * multiplier - background for multiplier, background in pairs) / 3
        target = np.maximum(raw - mu * sparsity * weight / 3, 0)
        multipliers = [y + (data - background - target) / mu for y, background in pairs]
        weight = prior / (target + epsilon)
        mu /= rho
    return target, sum(backgrounds) / 3


@pytest.mark.parametrize("shape", [(40, 9, 9), (7, 12, 5), (1, 8, 8)])
def test_equals_the_algorithm_with_multipliers(shape):
    rng = np.random.default_rng(2)
    data = 100 + rng.normal(0, 20, shape)
    prior = rng.uniform(1, 2.7, shape)
    constants = {"sparsity": 0.2, "mu": 90.0, "rho": 1.5, "epsilon": 0.01}
    ours = reweighted_patch_tensor(
        data, prior, **constants, tolerance=0.0, early_stop=False, max_iter=6
    )
    target, background = slow_ript(data, prior, **constants, n_iterations=6)
    assert ours.n_iterations == 6
    assert target.any()
    np.testing.assert_allclose(ours.target, target, atol=1e-8)
    np.testing.assert_allclose(ours.background, background, atol=1e-8)
    residual = np.linalg.norm(data - target - background) / np.linalg.norm(data)
    assert ours.residual == pytest.approx(residual, rel=1e-6)


def test_finds_a_planted_target():
    image = planted_scene()
    found = score_map(image)
    assert np.unravel_index(found.argmax(), found.shape) == (42, 61)
    assert found.min() == 0


def test_is_transposed_and_flipped_with_the_image():
    # Patches fit without a shifted one: 30 + 4 * 10 and 30 + 6 * 10.
    image = planted_scene()
    expected = score_map(image)
    for change in (np.transpose, np.flipud, np.fliplr):
        assert relative_difference(change(score_map(change(image))), expected) < 1e-9


def test_transposition_with_shifted_patches():
    image = planted_scene((57, 83), 30, 40)
    assert relative_difference(score_map(image.T).T, score_map(image)) < 1e-9


def test_gain_and_offset_leave_the_target_in_place():
    # Neither is an exact invariance; what remains is where the target is, and about how bright.
    image = planted_scene()
    expected = score_map(image)
    for gain, offset, tolerance in ((1.0, 20.0, 0.05), (0.9, 0.0, 0.1), (0.5, 0.0, 0.2)):
        changed = score_map(gain * image + offset) / gain
        assert changed.argmax() == expected.argmax()
        assert relative_difference(changed, expected) < tolerance


def test_converges_without_the_early_stop():
    image = planted_scene()
    method = RIPT(early_stop=False)
    ours = method.decompose(image)
    assert ours.n_iterations > RIPT().decompose(image).n_iterations
    assert ours.residual < 1e-7
    np.testing.assert_allclose(ours.target + ours.background, image, atol=1e-2)
    assert np.unravel_index(ours.target.argmax(), image.shape) == (42, 61)
    assert RIPT(early_stop=False, max_iter=3).decompose(image).n_iterations == 3


@pytest.mark.parametrize("level", [0, 7, 255])
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (40, 35)])
def test_a_constant_image_has_no_target(level, shape):
    assert not score_map(np.full(shape, level, np.uint8)).any()


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (3, 3), (5, 70), (70, 5), (29, 31), (31, 29)])
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
    image = np.zeros((60, 70), np.uint8)
    image[:, 35:] = 255
    assert not score_map(image).any()


def test_floats_of_either_size_give_the_same():
    image = np.round(planted_scene()) / 256
    single, double = (RIPT().score_map(image.astype(t)) for t in (np.float32, np.float64))
    np.testing.assert_array_equal(single, double)


def test_threads_do_not_change_the_result():
    image = planted_scene((110, 110))
    decompositions = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            decompositions.append(RIPT().decompose(image))
    one, two = decompositions
    assert one.n_iterations == two.n_iterations
    assert relative_difference(two.target, one.target) < 1e-9


def test_the_same_again():
    image = planted_scene()
    before = image.copy()
    np.testing.assert_array_equal(score_map(image), score_map(image))
    np.testing.assert_array_equal(image, before)
