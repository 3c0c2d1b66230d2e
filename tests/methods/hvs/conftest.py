"""A slow and obvious view of cells, to test the fast one against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@pytest.fixture
def cells_of() -> Callable[..., tuple[FloatArray, FloatArray]]:
    """The grey levels of the cell at each pixel and of its eight neighbours."""

    def collect(image: FloatArray, cell: int, mode: str) -> tuple[FloatArray, FloatArray]:
        """``(H, W, cell**2)`` and ``(8, H, W, cell**2)``, clockwise from the upper left."""
        padded = np.pad(image, 3 * cell // 2, mode=mode)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (cell, cell))
        windows = windows.reshape(*windows.shape[:2], -1)
        height, width = image.shape

        def at(row: int, column: int) -> FloatArray:
            return windows[row * cell :, column * cell :][:height, :width]

        clockwise = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
        return at(1, 1), np.stack([at(row, column) for row, column in clockwise])

    return collect


@pytest.fixture
def window_of() -> Callable[..., FloatArray]:
    """The grey levels of a square window at each pixel, or of a ring."""

    def collect(image: FloatArray, side: int, mode: str, hole: int = 0) -> FloatArray:
        """``(H, W, n)``, the central square of side ``hole`` left out."""
        padded = np.pad(image, side // 2, mode=mode)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
        kept = np.ones((side, side), dtype=bool)
        inner = slice((side - hole) // 2, (side + hole) // 2)
        kept[inner, inner] = False
        return windows[..., kept]

    return collect


@pytest.fixture
def mean_of_largest() -> Callable[[FloatArray, int], FloatArray]:
    """Mean of the ``k`` largest along the last axis, by sorting."""

    def mean(values: FloatArray, k: int) -> FloatArray:
        return np.sort(values, axis=-1)[..., ::-1][..., :k].mean(axis=-1)

    return mean


@pytest.fixture
def fused() -> Callable[[list[FloatArray]], FloatArray]:
    """The largest over the scales, NaN ignored; what is not finite becomes 0."""

    def fuse(maps: list[FloatArray]) -> FloatArray:
        largest = np.fmax.reduce(maps)
        return np.where(np.isfinite(largest), largest, 0)

    return fuse


@pytest.fixture
def smoothed() -> Callable[[FloatArray], FloatArray]:
    """The 3x3 binomial kernel, the nearest pixel outside the image (or mirrored)."""
    from scipy import ndimage

    def smooth(image: FloatArray, mode: str = "nearest") -> FloatArray:
        kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
        result: FloatArray = ndimage.correlate(image, kernel, mode=mode)
        return result

    return smooth


@pytest.fixture(params=["textured", "black areas", "small"])
def awkward_image(request: pytest.FixtureRequest) -> FloatArray:
    """Images on which borders matter, and cells divide by 0."""
    rng = np.random.default_rng(5)
    image = rng.uniform(0, 255, (41, 47))
    if request.param == "black areas":
        image[:30, :33] = 0
        image[12:14, 14:17] = 80
    return image[:6, :9] if request.param == "small" else image
