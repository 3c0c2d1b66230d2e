from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.wldm import WLDM


def means_of(image, scales, window_of):
    return np.stack([window_of(image, side, "edge").mean(axis=-1) for side in scales])


def test_equals_the_reference(reference_image, window_of, assert_agrees):
    ours = WLDM().score_map(reference_image.image, value_range=(0, 255))
    reference = reference_image.array("wldm")
    means = means_of(reference_image.image, (3, 5, 7, 9), window_of)
    # Elsewhere the reference divides one rounding error by another.
    flat = np.ptp(means, axis=0) < 1e-10
    assert np.isfinite(reference[~flat]).all()
    np.testing.assert_array_equal(ours[flat], 0)
    assert_agrees(ours, np.where(flat, 0, reference), 1e-11)


@pytest.mark.parametrize(
    ("scales", "window", "bin_width"), [((3, 5, 7, 9), 5, 1.0), ((9, 1), 3, 0.3), ((3, 5), 7, 20.0)]
)
def test_equals_the_definition(
    awkward_image, window_of, assert_agrees, scales, window, bin_width
):  # fmt: skip
    means = means_of(awkward_image, scales, window_of)
    spread, largest = np.ptp(means, axis=0), means[np.argmax(scales)]
    flat = spread < 1e-10
    contrast = (np.abs(means - largest).max(axis=0) / np.where(flat, 1, spread)) ** 2
    contrast[flat] = 0
    weight = np.zeros_like(awkward_image)
    centres = np.arange(np.ceil(255 / bin_width) + 1) * bin_width
    for place, values in zip(
        np.ndindex(awkward_image.shape),
        window_of(awkward_image, window, "edge").reshape(-1, window**2),
        strict=True,
    ):
        nearest = np.abs(values[:, None] - centres).argmin(axis=1)
        for number in np.unique(nearest):
            share = np.mean(nearest == number)
            difference = centres[number] - awkward_image[place]
            weight[place] += difference**2 * share * np.log2(1 / share)
    detector = WLDM(scales=scales, entropy_window=window, bin_width=bin_width)
    ours = detector.score_map(awkward_image, value_range=(0, 255))
    assert_agrees(ours, contrast * weight, 1e-11)


def test_a_level_between_two_bins_belongs_to_the_lower_one():
    image = np.full((30, 30), 100.0)
    image[15, 15] = 100.5
    assert WLDM().score_map(image, value_range=(0, 255)).max() == 0
    image[15, 15] = np.nextafter(100.5, 101)
    assert WLDM().score_map(image, value_range=(0, 255)).max() > 0


def test_linear_ramps_have_no_contrast():
    rows, columns = np.indices((40, 40))
    score_map = WLDM().score_map(2.0 * rows + 3.0 * columns, value_range=(0, 255))
    np.testing.assert_array_equal(score_map[4:-4, 4:-4], 0)


def test_refuses_fewer_than_two_scales():
    with pytest.raises(ParameterError, match=r"wldm\.scales must name at least two"):
        WLDM(scales=(5, 5))
