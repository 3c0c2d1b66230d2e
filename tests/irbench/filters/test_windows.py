from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.filters import flat
from irbench.filters.windows import WindowedImage


def values_of(image: np.ndarray, size: int, hole: int, mode: str) -> np.ndarray:
    """The values in the window round each pixel, one by one: ``(H, W, n)``."""
    padded = np.pad(image, size // 2, mode=mode)
    kept = np.ones((size, size), dtype=bool)
    inner = slice((size - hole) // 2, (size + hole) // 2)
    kept[inner, inner] = False
    return np.lib.stride_tricks.sliding_window_view(padded, (size, size))[..., kept]


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 23),
    width=st.integers(1, 23),
    size=st.sampled_from((1, 3, 7, 15)),
    hole=st.sampled_from((0, 1, 5)),
    border=st.sampled_from(("reflect", "replicate")),
    strip=st.sampled_from((40, 1 << 16)),
    seed=st.integers(0, 99),
)
def test_running_sums_of_whole_grey_levels_are_those_of_each_window(
    height, width, size, hole, border, strip, seed
):
    image = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(float)
    image.flat[0] = 0.0
    whole = WindowedImage.of(image)
    one_by_one = WindowedImage(image, exact=False)
    assert whole.exact
    mode = {"reflect": "symmetric", "replicate": "edge"}[border]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flat, "_STRIP", strip)
        sums = whole.map(lambda windows: windows.box_sum(size), size // 2, border)
        direct = one_by_one.map(lambda windows: windows.box_sum(size), size // 2, border)
        np.testing.assert_array_equal(sums, values_of(image, size, 0, mode).sum(axis=-1))
        np.testing.assert_array_equal(sums, direct)
        if size**2 - hole**2 < 2 or hole >= size:
            return
        found = whole.map(lambda windows: windows.deviation(size, hole), size // 2, border)
        direct = one_by_one.map(lambda windows: windows.deviation(size, hole), size // 2, border)
    np.testing.assert_array_equal(found, direct)
    expected = values_of(image, size, hole, mode).std(axis=-1, ddof=1)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("change", [0.5, -1.0, 256.0, 3.0000001])
def test_one_pixel_that_is_no_byte_leaves_the_short_way(change):
    image = np.full((5, 6), 7.0)
    image[2, 3] = change
    windowed = WindowedImage.of(image)
    assert not windowed.exact
    sums = windowed.map(lambda windows: windows.box_sum(3), 1, "replicate")
    assert sums[1, 2] == pytest.approx((image - image.min())[0:3, 1:4].sum(), rel=1e-15)


@pytest.mark.parametrize(("top", "kind"), [(100.0, np.int32), (2.0**40, np.float64)])
def test_products_are_integers_only_where_these_hold_their_sums(top, kind):
    levels = np.zeros((40, 40))
    products = levels + top
    seen = []

    def total(windows):
        seen.append(windows._values.dtype)
        return windows.box_sum(31)

    sums = WindowedImage.of(levels).product(products, 15).map(total, 15, "replicate")
    np.testing.assert_array_equal(sums, top * 31**2)
    assert seen == [kind]


def test_squares_of_the_largest_windows_do_not_overflow():
    image = np.full((200, 200), 255.0)
    image[::2] = 0.0
    found = WindowedImage.of(image).map(lambda windows: windows.deviation(183), 91, "reflect")
    np.testing.assert_allclose(found, 255 / 2, rtol=1e-3)
