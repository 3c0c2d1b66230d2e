from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.errors import ParameterError
from irbench.methods.lowrank._patch_tensor import Decomposition, PatchTensorGrid
from irbench.methods.lowrank.pstnn import PSTNN
from irbench.methods.lowrank.ript import RIPT


def slow_corners(shape, patch, step):
    """Upper left corners of the patches, in patch order, one by one."""
    h, w = min(patch, shape[0]), min(patch, shape[1])
    corners = []
    x = 0
    while True:
        x = min(x, shape[1] - w)
        y = 0
        while True:
            y = min(y, shape[0] - h)
            corners.append((y, x))
            if y == shape[0] - h:
                break
            y += step
        if x == shape[1] - w:
            return corners, h, w
        x += step


@st.composite
def grids(draw):
    patch = draw(st.integers(1, 9))
    return (
        (draw(st.integers(1, 25)), draw(st.integers(1, 25))),
        patch,
        draw(st.integers(1, patch)),
    )


@given(grids())
@settings(max_examples=60, deadline=None)
def test_equals_a_loop_over_patches(grid_parameters):
    shape, patch, step = grid_parameters
    image = np.random.default_rng(0).normal(size=shape)
    corners, h, w = slow_corners(shape, patch, step)
    grid = PatchTensorGrid(shape, patch, step)

    tensor = np.stack([image[y : y + h, x : x + w] for y, x in corners])
    assert grid.tensor_shape == tensor.shape
    np.testing.assert_array_equal(grid.gather(image), tensor)

    changed = np.random.default_rng(1).normal(size=tensor.shape)
    last, total, cover = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for (y, x), values in zip(corners, changed, strict=True):
        last[y : y + h, x : x + w] = values
        total[y : y + h, x : x + w] += values
        cover[y : y + h, x : x + w] += 1
    assert cover.min() >= 1
    np.testing.assert_array_equal(grid.recompose(changed, "overwrite"), last)
    np.testing.assert_allclose(grid.recompose(changed, "mean"), total / cover, atol=1e-12)


def test_the_last_patch_is_shifted_inwards():
    grid = PatchTensorGrid((25, 20), 10, 10)
    assert grid.rows.tolist() == [0, 10, 15]
    assert grid.columns.tolist() == [0, 10]


def test_a_patch_larger_than_the_image_shrinks_to_it():
    assert PatchTensorGrid((5, 70), 30, 10).tensor_shape == (5, 5, 30)
    assert PatchTensorGrid((1, 1), 30, 10).tensor_shape == (1, 1, 1)


def test_gather_copies():
    image = np.zeros((4, 4))
    PatchTensorGrid((4, 4), 4, 4).gather(image)[...] = 1
    assert not image.any()


def test_a_constant_image_is_background():
    image = np.full((3, 4), 7.0)
    decomposition = Decomposition.of_constant(image)
    assert not decomposition.target.any()
    np.testing.assert_array_equal(decomposition.background, image)


@pytest.mark.parametrize("method", [RIPT, PSTNN])
def test_a_stride_above_the_patch_is_refused(method):
    with pytest.raises(ParameterError, match=r"step must be at most .* = 8 px.*got 9"):
        method(patch=8, step=9)
