"""NTFRA against its authors' code, and the promises of its docstring."""

from __future__ import annotations

import json

import numpy as np
import pytest

from irbench.methods.lowrank._log_shrinkage import (
    _shrink_by_gram,
    _shrink_by_svd,
    log_shrinkage,
)
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


def test_flags_change_the_way_and_not_the_result():
    tensor = np.random.default_rng(3).normal(0, 20, (6, 8, 5))
    tensor[0] += 1e7
    flags = np.zeros(4, dtype=bool)
    first = log_shrinkage(tensor, 0, 900.0, 1e-6, distrusted=flags)
    # A trial of the Gram matrix finds out; the next call does without it.
    assert flags.any()
    again = log_shrinkage(tensor, 0, 900.0, 1e-6, distrusted=flags)
    np.testing.assert_allclose(again, first, rtol=1e-13, atol=1e-8)
    # Where the result has a small share, its error may be great.
    log_shrinkage(tensor, 0, 900.0, 1e-6, share=1e-7, distrusted=flags)
    assert not flags.any()
    # What has become harmless is tried again.
    flags[:] = True
    log_shrinkage(
        np.random.default_rng(3).normal(0, 20, (6, 8, 5)), 0, 900.0, 1e-6, distrusted=flags
    )
    assert not flags.any()


@pytest.mark.parametrize("brightness", [1e3, 1e5, 1e7])
@pytest.mark.parametrize("last", [1.02, 0.98, 4.0])
def test_the_error_of_a_gram_matrix_is_foreseen(brightness, last):
    threshold, offset = 900.0, 1e-6
    generator = np.random.default_rng(8)
    left, right = (np.linalg.qr(generator.normal(size=(n, 12)))[0] for n in (12, 15))
    values = 60 * np.array([brightness, *np.linspace(9, 3, 9), last, 0.9 * min(last, 1.0)])
    matrix = ((left * values) @ right.T).astype(complex)
    expected, foreseen = _shrink_by_svd(matrix, threshold, offset)
    found, error = _shrink_by_gram(matrix[None], threshold, offset)
    actual = np.linalg.norm(found[0] - expected, 2)
    floor = 1e-14 * np.linalg.norm(matrix)
    assert actual <= 10 * foreseen + floor
    # Where the trial misjudges what passes, its own figures still refuse it.
    assert error[0] > 1e-9 or actual <= 1e-7 + floor


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
