"""NTFRA against its authors' code, and the promises of its docstring."""

from __future__ import annotations

import json

import numpy as np
import pytest

from irbench.methods.lowrank._log_shrinkage import log_shrinkage
from irbench.methods.lowrank.ntfra import NTFRA


def planted_scene(shape=(80, 120), row=42, column=61):
    y, x = np.mgrid[: shape[0], : shape[1]]
    background = 90 + 20 * np.sin(x / 17) + 15 * np.cos(y / 23) + 0.2 * x
    spot = 70 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 3.4)
    return background + spot + np.random.default_rng(0).normal(0, 1.5, shape)


def test_equals_the_reference(reference_image, assert_agrees):
    run = json.loads((reference_image.root / "ntfra" / f"{reference_image.name}.json").read_text())
    image = reference_image.image
    prior = NTFRA().local_prior(image)
    assert_agrees(prior, reference_image.array("ntfra", "prior_weight"), 1e-11)
    ours = NTFRA().decompose(image)
    assert ours.n_iterations == run["iterations"]
    assert_agrees(ours.target, reference_image.array("ntfra"), 1e-11)
    assert_agrees(ours.background, reference_image.array("ntfra", "background"), 1e-11)


@pytest.mark.parametrize("shape", [(7, 5, 6), (6, 8, 5), (1, 4, 4)])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("mean", [0.0, 1e6])
def test_shrinkage_equals_the_whole_spectrum(shape, axis, mean):
    tensor = mean + np.random.default_rng(5).normal(0, 20, shape)
    offset, threshold = 1e-6, 900.0
    spectrum = np.moveaxis(np.fft.fft(tensor, axis=axis), axis, 0)
    for index, matrix in enumerate(spectrum):
        left, s, right = np.linalg.svd(matrix, full_matrices=False)
        root = (s - offset) ** 2 - 4 * (threshold - offset * s)
        s = np.where(root > 0, (s - offset + np.sqrt(np.maximum(root, 0))) / 2, 0)
        spectrum[index] = left * s @ right
    length = len(spectrum)
    if length % 2 and length > 1:
        spectrum[[(length - 1) // 2, (length + 1) // 2]] /= 4
    expected = np.moveaxis(np.fft.ifft(spectrum, axis=0).real, 0, axis)
    ours = log_shrinkage(tensor, axis, threshold, offset)
    np.testing.assert_allclose(ours, expected, atol=1e-8, rtol=1e-12)


def test_finds_a_planted_target():
    found = NTFRA().decompose(planted_scene()).target
    assert np.unravel_index(found.argmax(), found.shape) == (42, 61)
    assert found.min() >= 0


def test_flat_pixels_have_no_target():
    image = np.round(planted_scene())
    image[:, 80:] = 100
    assert not NTFRA().decompose(image).target[:, 84:].any()


def test_recomposition_differs_only_under_shifted_patches():
    image = planted_scene((90, 80))
    last, mean = (NTFRA(recompose=how).decompose(image).background for how in ("overwrite", "mean"))
    assert np.abs(mean - last)[50:80].max() > 1e-6
    np.testing.assert_array_equal(mean[:50], last[:50])
