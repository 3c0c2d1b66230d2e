"""NRAM against its authors' code, and the promises of its docstring."""

from __future__ import annotations

import json

import numpy as np

from irbench.methods.lowrank._block_lanczos import Triplets
from irbench.methods.lowrank.nram import NRAM, gamma_shrinkage, shrink_rows


def planted_scene(shape=(80, 90), row=42, column=61, sign=1):
    y, x = np.mgrid[: shape[0], : shape[1]]
    background = 90 + 20 * np.sin(x / 17) + 15 * np.cos(y / 23) + 0.2 * x
    spot = 70 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 3.4)
    return background + sign * spot + np.random.default_rng(0).normal(0, 1.5, shape)


def test_equals_the_reference(reference_image, assert_agrees):
    run = json.loads((reference_image.root / "nram" / f"{reference_image.name}.json").read_text())
    ours = NRAM().decompose(reference_image.image)
    assert ours.n_iterations == run["iterations"]
    assert_agrees(ours.target, reference_image.array("nram"), 1e-11)
    assert_agrees(ours.background, reference_image.array("nram", "background"), 1e-11)


def test_low_rank_step_equals_the_singular_value_decomposition():
    matrix = np.random.default_rng(1).standard_normal((9, 14))
    start, gamma, mu = np.linspace(3, 0, 9), 0.01, 40.0
    left, singular, right = np.linalg.svd(matrix, full_matrices=False)
    values = start
    for _ in range(100):
        old = values
        values = np.maximum(singular - (1 + gamma) * gamma / (gamma + old) ** 2 / mu, 0)
        if ((values - old) ** 2).sum() < 1e-6:
            break
    assert 0 < np.count_nonzero(values) < 9
    for given, expected in ((matrix, left * values @ right), (matrix.T, (left * values @ right).T)):
        # Of the step before, a matrix this small needs no vectors.
        ours = gamma_shrinkage(given, Triplets(given, start, given), gamma, mu)
        np.testing.assert_allclose((ours.left * ours.values) @ ours.right, expected, atol=1e-12)
        np.testing.assert_allclose(ours.values, values[values > 0], atol=1e-12)


def test_rows_lose_norm_or_vanish():
    ours = shrink_rows(np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]]), 1.0)
    np.testing.assert_allclose(ours, [[2.4, 3.2], [0, 0], [0, 0]])


def test_dark_targets_survive_only_if_signed():
    image = planted_scene(sign=-1)
    assert NRAM(recompose="mean").decompose(image).target.min() > -1e-3
    ours = NRAM(signed=True, recompose="mean").decompose(image).target
    assert np.unravel_index(ours.argmin(), ours.shape) == (42, 61)
    assert ours.min() < -0.1


def test_gain_and_offset_do_not_matter():
    image = planted_scene()
    expected = NRAM().decompose(image).target
    changed = NRAM().decompose(0.5 * image + 16).target
    assert expected.any()
    np.testing.assert_allclose(changed, expected, atol=1e-9)


def test_parts_add_up_to_the_scaled_image():
    image = planted_scene()
    ours = NRAM().decompose(image)
    assert ours.residual < 1e-7
    scaled = (image - image.min()) / np.ptp(image)
    np.testing.assert_allclose(ours.target + ours.background, scaled, atol=1e-5)
