"""Eigenvalues of the structure tensor: the local prior of the patch-tensor methods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def structure_tensor_eigenvalues(
    image: NDArray[np.float64], sigma_gradient: float, sigma_window: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvalues of the Gaussian-averaged outer product of the gradient.

    Both Gaussians are cut to 3x3 pixels, whatever their sigma, and see the edge
    pixel repeated outside the image. The gradient is the central difference,
    one-sided at the border. A flat pixel has two, a straight edge one, a corner
    or a spot no eigenvalue near 0.

    Parameters
    ----------
    image : (H, W) ndarray of float64
    sigma_gradient : float
        Standard deviation of the Gaussian before the gradient, in pixels.
    sigma_window : float
        Standard deviation of the averaging Gaussian, in pixels.

    Returns
    -------
    largest, smallest : (H, W) ndarray of float64
        In squared units of the image per pixel; ``smallest`` is non-negative up to
        rounding.
    """
    smooth = _smooth(image, sigma_gradient)
    dy, dx = _central_difference(smooth, 0), _central_difference(smooth, 1)
    yy = _smooth(dy * dy, sigma_window)
    xx = _smooth(dx * dx, sigma_window)
    xy = _smooth(dy * dx, sigma_window)
    mean = (xx + yy) / 2
    spread = np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return mean + spread, mean - spread


def corner_strength(
    image: NDArray[np.float64], sigma_gradient: float, sigma_window: float
) -> NDArray[np.float64]:
    """How corner-like each pixel is: ``l1 · l1 l2 / (l1 + l2)``, rescaled to [0, 1].

    Parameters
    ----------
    image : (H, W) ndarray of float64
    sigma_gradient, sigma_window : float
        See :func:`structure_tensor_eigenvalues`.

    Returns
    -------
    (H, W) ndarray of float64
        0 where the image is flat.
    """
    largest, smallest = structure_tensor_eigenvalues(image, sigma_gradient, sigma_window)
    trace = largest + smallest
    # Flat pixels have no corner strength (0/0), and no part in the rescaling either.
    structured = trace != 0
    corner = np.divide(largest * smallest, trace, out=np.zeros_like(trace), where=structured)
    return rescale_to_unit(corner * largest, structured)


def rescale_to_unit(
    values: NDArray[np.float64], valid: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Map the smallest value to 0 and the largest to 1; a constant becomes 0.

    Parameters
    ----------
    values : (H, W) ndarray of float64
    valid : (H, W) ndarray of bool, optional
        The pixels that count; the others become 0.

    Returns
    -------
    (H, W) ndarray of float64
    """
    chosen = values if valid is None else values[valid]
    if chosen.size == 0:
        return np.zeros_like(values)
    low, high = chosen.min(), chosen.max()
    if not high > low:
        return np.zeros_like(values)
    scaled = (values - low) / (high - low)
    return scaled if valid is None else np.where(valid, scaled, 0.0)


def _smooth(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    import cv2

    side = np.exp(-0.5 / sigma**2)
    kernel = np.array([side, 1.0, side]) / (1.0 + 2.0 * side)
    smooth = cv2.sepFilter2D(image, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, dtype=np.float64).reshape(image.shape)


def _central_difference(image: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    if image.shape[axis] == 1:
        return np.zeros_like(image)
    return np.asarray(np.gradient(image, axis=axis), dtype=np.float64)
