from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from irbench.filters import flat
from irbench.filters.flat import FlatImage, map_strips, narrowed, pad


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (7, 5)])
@pytest.mark.parametrize("margin", [0, 2, 13])
@pytest.mark.parametrize(
    ("padding", "mode", "options"),
    [
        ("zero", "constant", {}),
        ("reflect", "symmetric", {}),
        ("replicate", "edge", {}),
        ("lowest", "constant", {"constant_values": -np.inf}),
        ("highest", "constant", {"constant_values": np.inf}),
    ],
)
def test_padding_is_numpys(shape, margin, padding, mode, options):
    image = np.random.default_rng(0).normal(size=shape)
    padded = pad(image, margin, padding)
    np.testing.assert_array_equal(padded, np.pad(image, margin, mode=mode, **options))
    assert padded.flags.c_contiguous
    assert not np.shares_memory(padded, image)


@pytest.mark.parametrize("outsider", [0.5, -1.0, 256.0, 1e300, np.nan, np.inf, -np.inf])
def test_whole_grey_levels_become_bytes_and_others_stay(outsider):
    levels = np.arange(256.0).reshape(4, 64)
    of_bytes = narrowed(levels)
    assert of_bytes.dtype == np.uint8
    np.testing.assert_array_equal(of_bytes, levels)
    assert narrowed(of_bytes) is of_bytes
    levels[2, 3] = outsider
    assert narrowed(levels) is levels


def test_padding_of_bytes():
    image = np.arange(20, dtype=np.uint8).reshape(4, 5)
    for padding, value in (("zero", 0), ("lowest", 0), ("highest", 255)):
        padded = pad(image, 2, padding)
        assert padded.dtype == np.uint8
        np.testing.assert_array_equal(padded, np.pad(image, 2, constant_values=value))


def test_padding_takes_any_layout():
    image = np.arange(20.0).reshape(4, 5)
    np.testing.assert_array_equal(pad(image.T, 1, "reflect"), np.pad(image.T, 1, "symmetric"))
    np.testing.assert_array_equal(pad(image[:, ::-1], 1, "zero"), np.pad(image[:, ::-1], 1))


@pytest.mark.parametrize("reach", [0, 1, 3])
def test_windows_lie_where_they_are_said_to(reach):
    image = np.arange(30.0).reshape(5, 6)
    plane = FlatImage.pad(image, 3, "reflect")
    around = plane.around(reach)
    windows = sliding_window_view(np.pad(image, reach, "symmetric"), (2 * reach + 1,) * 2)
    for i in range(2 * reach + 1):
        for j in range(2 * reach + 1):
            shifted = plane.crop(around[i * plane.pitch + j :])
            np.testing.assert_array_equal(shifted, windows[..., i, j])
    assert around.size == plane.size + 2 * reach * (plane.pitch + 1)


@pytest.mark.parametrize("strip", [1, 40, 10**6])
def test_strips_make_up_the_image(strip, monkeypatch):
    monkeypatch.setattr(flat, "_STRIP", strip)
    image = np.random.default_rng(1).normal(size=(11, 4))
    first, second = FlatImage.pad(image, 2, "zero"), FlatImage.pad(2 * image, 2, "zero")
    seen = []

    def up_plus_down(one: FlatImage, other: FlatImage) -> np.ndarray:
        seen.append(one.shape[0])
        below = other.around(1)[2 * other.pitch + 1 :]
        return one.around(1)[1 : 1 + one.size] + below[: one.size]

    padded = np.pad(image, 1)[:, 1:-1]
    np.testing.assert_array_equal(
        map_strips(up_plus_down, first, second), padded[:-2] + 2 * padded[2:]
    )
    assert sum(seen) == 11
    assert len(seen) == {1: 11, 40: 3, 10**6: 1}[strip]
