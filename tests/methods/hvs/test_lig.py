from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.lig import LIG


def test_equals_the_reference(reference_image, assert_agrees):
    ours = LIG().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("lig"), 1e-11)


def by_definition(image, window, k, skip):
    """One pixel after the other, in plain loops."""
    half = window // 2
    padded = np.pad(image, half + 1, mode="edge")
    result = np.zeros_like(image)
    height, width = image.shape
    for row, column in np.ndindex(height, width):
        inside = half <= row < height - half - 1 and half <= column < width - half - 1
        if skip and not inside:
            continue
        y, x = row + half + 1, column + half + 1
        means = []
        for down in (-1, 1):
            for right in (-1, 1):
                ys = np.arange(half + 1) * down + y
                xs = np.arange(half + 1) * right + x
                towards = padded[np.ix_(ys - down, xs - right)] - padded[np.ix_(ys, xs)]
                positive = towards[towards > 0]
                means.append((positive**2).sum() / (positive.size + 0.001))
        if max(means) > 0 and min(means) / max(means) >= k:
            around = padded[y - half : y + half + 1, x - half : x + half + 1]
            result[row, column] = sum(means) * (image[row, column] - around.mean()) ** 2
    return result


@pytest.mark.parametrize(("window", "k"), [(19, 0.2), (7, 0.5), (5, 0.0)])
@pytest.mark.parametrize("border", ["skip", "replicate"])
def test_equals_the_definition(awkward_image, assert_agrees, window, k, border):
    detector = LIG(window=window, k=k, border=border)
    ours = detector.score_map(awkward_image, value_range=(0, 255))
    expected = by_definition(awkward_image, window, k, border == "skip")
    assert_agrees(ours, expected, 1e-11)


def test_the_border_of_the_reference_is_not_centred():
    image = np.random.default_rng(2).integers(0, 256, (40, 40)).astype(float)
    rows, columns = np.nonzero(LIG(k=0.0).score_map(image, value_range=(0, 255)))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (9, 29, 9, 29)


def test_refuses_an_unknown_border():
    with pytest.raises(ParameterError, match=r"lig\.border"):
        LIG(border="zero")
