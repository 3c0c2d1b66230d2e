"""Patches and their reconstruction against slow obvious loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from irbench.methods.lowrank._patch_matrix import PatchMatrixGrid


def values_over(
    grid: PatchMatrixGrid, matrix: NDArray[np.float64], row: int, column: int
) -> list[float]:
    """The values that the patches over one pixel have for it."""
    found = []
    corners = [(r, c) for r in grid.rows for c in grid.columns]
    for (top, left), patch in zip(corners, matrix, strict=True):
        if top <= row < top + grid.patch and left <= column < left + grid.patch:
            found.append(patch[(row - top) * grid.patch + column - left])
    return found


@given(
    height=st.integers(1, 14),
    width=st.integers(1, 14),
    patch=st.integers(1, 8),
    step=st.integers(1, 9),
    cover=st.sampled_from(["steps", "full"]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_reconstruction_equals_a_loop(
    height: int, width: int, patch: int, step: int, cover: str, seed: int
) -> None:
    grid = PatchMatrixGrid.regular((height, width), patch, step, cover)
    # Few different values make ties.
    matrix = (
        np.random.default_rng(seed).integers(-3, 4, (grid.n_patches, patch**2)).astype(np.float64)
    )
    median = grid.median(matrix)
    for row, column in np.ndindex(height, width):
        values = values_over(grid, matrix, row, column)
        assert median[row, column] == (np.median(values) if values else 0.0)


@given(
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    patch=st.integers(1, 30),
    step=st.integers(1, 12),
)
@settings(max_examples=60, deadline=None)
def test_full_cover_gives_the_image_back(height: int, width: int, patch: int, step: int) -> None:
    image = np.random.default_rng(0).random((height, width))
    grid = PatchMatrixGrid.fitted((height, width), patch, step, "full")
    matrix = grid.cut(image)
    if step <= grid.patch:
        np.testing.assert_array_equal(grid.median(matrix), image)


def test_patches_are_rows_in_raster_order() -> None:
    image = np.arange(30.0).reshape(5, 6)
    matrix = PatchMatrixGrid.regular((5, 6), 2, 3, "steps").cut(image)
    np.testing.assert_array_equal(
        matrix, [[0, 1, 6, 7], [3, 4, 9, 10], [18, 19, 24, 25], [21, 22, 27, 28]]
    )
    assert matrix.flags.c_contiguous
    assert matrix.flags.owndata or matrix.base is not image


@pytest.mark.parametrize(
    ("cover", "rows", "columns"),
    [("steps", [0, 10, 20], [0, 10]), ("full", [0, 10, 20, 24], [0, 10])],
)
def test_cover(cover: str, rows: list[int], columns: list[int]) -> None:
    grid = PatchMatrixGrid.regular((44, 30), 20, 10, cover)
    assert grid.rows.tolist() == rows
    assert grid.columns.tolist() == columns


@pytest.mark.parametrize(
    ("shape", "patch", "rows", "columns"),
    [
        ((60, 60), 50, [0, 10], [0, 10]),  # four patches are enough
        ((59, 80), 50, [0], [0, 10, 20, 30]),
        ((59, 59), 25, list(range(0, 31, 5)), list(range(0, 31, 5))),
        ((5, 4), 2, [0, 1, 2, 3], [0, 1, 2]),
        ((1, 1), 1, [0], [0]),
    ],
)
def test_small_images_get_smaller_patches(
    shape: tuple[int, int], patch: int, rows: list[int], columns: list[int]
) -> None:
    grid = PatchMatrixGrid.fitted(shape, 50, 10, "steps")
    assert grid.patch == patch
    assert grid.rows.tolist() == rows
    assert grid.columns.tolist() == columns
