from __future__ import annotations

import numpy as np
from scipy import ndimage

from irbench.methods.lowrank._structure_tensor import (
    rescale_to_unit,
    structure_tensor_eigenvalues,
)


def slow_eigenvalues(image, sigma_gradient, sigma_window):
    def kernel(sigma):
        y, x = np.mgrid[-1:2, -1:2]
        weights = np.exp(-(x**2 + y**2) / (2 * sigma**2))
        return weights / weights.sum()

    smooth = ndimage.correlate(image, kernel(sigma_gradient), mode="nearest")
    gradient = np.gradient(smooth)
    window = kernel(sigma_window)
    tensor = np.empty((*image.shape, 2, 2))
    for i in range(2):
        for j in range(2):
            tensor[..., i, j] = ndimage.correlate(gradient[i] * gradient[j], window, mode="nearest")
    return np.linalg.eigvalsh(tensor)


def test_equals_eigvalsh_of_the_averaged_outer_product():
    image = np.random.default_rng(0).uniform(0, 255, (13, 9))
    largest, smallest = structure_tensor_eigenvalues(image, 1.2, 2.0)
    expected = slow_eigenvalues(image, 1.2, 2.0)
    np.testing.assert_allclose(largest, expected[..., 1], rtol=1e-12)
    np.testing.assert_allclose(smallest, expected[..., 0], rtol=1e-9, atol=1e-9)


def test_a_ramp_has_one_eigenvalue():
    y, x = np.mgrid[:8, :9]
    largest, smallest = structure_tensor_eigenvalues(3.0 * x + 4.0 * y, 2.0, 9.0)
    np.testing.assert_allclose(largest[3:-3, 3:-3], 25.0)
    np.testing.assert_allclose(smallest[3:-3, 3:-3], 0.0, atol=1e-12)


def test_one_pixel_and_one_line():
    for shape in ((1, 1), (1, 5), (5, 1)):
        image = np.arange(np.prod(shape), dtype=float).reshape(shape)
        largest, smallest = structure_tensor_eigenvalues(image, 2.0, 9.0)
        assert largest.shape == smallest.shape == shape
        np.testing.assert_array_equal(smallest, 0)
        assert bool(largest.any()) == (max(shape) > 1)


def test_rescale():
    values = np.array([[1.0, 3.0, 5.0]])
    np.testing.assert_array_equal(rescale_to_unit(values), [[0, 0.5, 1]])
    np.testing.assert_array_equal(
        rescale_to_unit(np.array([[-9.0, 3.0, 5.0]]), np.array([[False, True, True]])), [[0, 0, 1]]
    )
    np.testing.assert_array_equal(rescale_to_unit(np.full((2, 2), 4.0)), 0)
    np.testing.assert_array_equal(rescale_to_unit(values, np.zeros((1, 3), bool)), 0)
