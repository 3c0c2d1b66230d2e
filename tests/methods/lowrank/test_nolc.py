"""NOLC against its authors' code, and the promises of its docstring."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from irbench.methods.lowrank._deflation import threshold_after_deflation
from irbench.methods.lowrank.nolc import NOLC, lp_shrinkage


def planted_scene(shape=(90, 100), row=42, column=61):
    y, x = np.mgrid[: shape[0], : shape[1]]
    background = 90 + 20 * np.sin(x / 17) + 15 * np.cos(y / 23) + 0.2 * x
    spot = 70 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 3.4)
    return background + spot + np.random.default_rng(0).normal(0, 1.5, shape)


def test_equals_the_reference(reference_image, assert_agrees):
    run = json.loads((reference_image.root / "nolc" / f"{reference_image.name}.json").read_text())
    ours = NOLC().decompose(reference_image.image)
    assert ours.n_iterations == run["iterations"]
    assert_agrees(ours.target, reference_image.array("nolc"), 1e-11)
    assert_agrees(ours.background, reference_image.array("nolc", "background"), 1e-11)


@pytest.mark.parametrize("p", [0.3, 0.6])
def test_entries_are_minimisers(p):
    weight, values = 0.01, np.array([-0.3, 0.0, 0.05, 0.1, 0.16, 0.3, 1.0])
    for x, ours in zip(values, lp_shrinkage(values, weight, p), strict=True):

        def cost(t, x=x):
            return (t - x) ** 2 / 2 + weight * np.maximum(t, 0) ** p

        end = max(x, 1e-9)
        best = minimize_scalar(cost, bounds=(end / 2, end), method="bounded")
        assert cost(ours) <= min(cost(0.0), best.fun) + 1e-12
        assert ours >= 0


@pytest.mark.parametrize("turn", [np.array, np.transpose])
def test_deflation_equals_the_singular_value_decomposition(turn):
    rng = np.random.default_rng(3)
    left, _ = np.linalg.qr(rng.standard_normal((40, 40)))
    right, _ = np.linalg.qr(rng.standard_normal((70, 40)))
    values = np.geomspace(1e4, 1e-2, 40)
    matrix = turn((left * values) @ right.T)
    for threshold in (1e3, 10.0, 0.1):
        expected = turn((left * np.maximum(values - threshold, 0)) @ right.T)
        ours = threshold_after_deflation(matrix, threshold)
        np.testing.assert_allclose(ours, expected, atol=1e-9)


def test_the_border_is_searched_only_if_asked():
    image = planted_scene(row=85, column=95)
    method = NOLC()
    assert not method.score_map(image, value_range=(0, 255))[80:].any()
    full = NOLC(cover="full").score_map(image, value_range=(0, 255))
    assert np.unravel_index(full.argmax(), full.shape) == (85, 95)


def test_goes_on_to_the_tolerance():
    image = planted_scene()
    ours = NOLC(early_stop=False).decompose(image)
    assert ours.residual < 1e-7
    assert ours.n_iterations > NOLC().decompose(image).n_iterations
    inside = np.s_[:80, :90]
    np.testing.assert_allclose(
        (ours.target + ours.background)[inside], image[inside] / 255, atol=1e-6
    )


def test_is_transposed_with_the_image():
    image = planted_scene()
    ours = NOLC().decompose(image).target
    turned = NOLC().decompose(np.ascontiguousarray(image.T)).target
    np.testing.assert_allclose(turned.T, ours, atol=1e-9)
