"""SRWS against its authors' code, and the promises of its docstring."""

from __future__ import annotations

import json

import numpy as np
import pytest

from irbench.methods.lowrank.srws import SRWS, Combination


def planted_scene(shape=(90, 100), row=42, column=61):
    y, x = np.mgrid[: shape[0], : shape[1]]
    background = 90 + 20 * np.sin(x / 17) + 15 * np.cos(y / 23) + 0.2 * x
    spot = 70 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 3.4)
    return background + spot + np.random.default_rng(0).normal(0, 1.5, shape)


def test_equals_the_reference(reference_image, assert_agrees):
    run = json.loads((reference_image.root / "srws" / f"{reference_image.name}.json").read_text())
    ours = SRWS().decompose(reference_image.image)
    assert ours.n_iterations == run["iterations"]
    assert_agrees(ours.target, reference_image.array("srws"), 1e-9)
    assert_agrees(ours.background, reference_image.array("srws", "background"), 1e-9)
    assert_agrees(ours.noise, reference_image.array("srws", "noise"), 1e-9)


@pytest.mark.parametrize("shape", [(6, 12), (7, 12), (30, 12)])
def test_coefficients_equal_the_inverse_with_all_multipliers(shape):
    rng = np.random.default_rng(4)
    patches = rng.uniform(0, 1, shape)
    data, n = patches.T, shape[0]
    ones = np.ones((1, n))
    gram = data.T @ data + ones.T @ ones + np.eye(n)
    coefficients, third = np.zeros((n, n)), np.zeros((n, n))
    combination = Combination(patches)
    mu = 3.0
    for _ in range(4):
        wanted, second = rng.standard_normal(data.shape), rng.standard_normal((1, n))
        auxiliary = coefficients + third / mu
        right = data.T @ wanted + ones.T @ (mu * ones - second) + mu * auxiliary - third
        coefficients = np.linalg.inv(2 * np.eye(n) + mu * gram) @ right
        third = third + mu * (coefficients - auxiliary)
        combination.begin(mu)
        for rows in (slice(0, 4), slice(4, n)):
            made, sums = combination.step(rows, wanted.T[rows], (mu * ones - second)[0, rows])
            np.testing.assert_allclose(made.T, (data @ coefficients)[:, rows], atol=1e-10)
            np.testing.assert_allclose(sums, (ones @ coefficients)[0, rows], atol=1e-10)
        np.testing.assert_allclose(combination.made.T, data @ coefficients, atol=1e-10)
        mu *= 1.5


def test_the_edge_weight_equals_a_sum_over_windows():
    image = planted_scene((12, 15), 5, 6) / 255
    gradients = np.pad(sum(np.gradient(image)), 2)
    edges = np.zeros_like(image)
    for i in range(12):
        for j in range(15):
            edges[i, j] = gradients[i + 1 : i + 5, j + 1 : j + 5].sum()
    expected = np.exp(2 * (edges - edges.min()) / np.ptp(edges))
    np.testing.assert_allclose(SRWS().edge_weight(image), expected, rtol=1e-12)


def test_an_empty_first_target_ends_the_run_unless_asked_to_go_on():
    image = planted_scene()
    empty = SRWS(sparsity=50.0).decompose(image)
    assert empty.n_iterations == 1
    assert not empty.target.any()
    assert SRWS(sparsity=50.0, early_stop=False).decompose(image).n_iterations > 1


def test_the_border_is_searched_only_if_asked():
    image = planted_scene((90, 100), 87, 96)
    assert not SRWS().decompose(image).target[80:].any()
    full = SRWS(cover="full").decompose(image).target
    assert np.unravel_index(full.argmax(), full.shape) == (87, 96)
