from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from irbench.detections.regions import label_mask
from irbench.errors import UsageError
from irbench.images.masks import mask_regions
from irbench.metrics.signal_to_clutter import local_statistics, signal_to_clutter


def obvious(image: NDArray[Any], mask: NDArray[np.bool_]) -> list[float]:
    """The definition, pixel by pixel."""
    height, width = mask.shape
    labels, n_targets = label_mask(mask)
    answers = []
    for target in range(1, n_targets + 1):
        rows, columns = np.nonzero(labels == target)
        background = [
            float(image[y, x])
            for y in range(height)
            for x in range(width)
            if rows.min() - 20 <= y <= rows.max() + 20
            and columns.min() - 20 <= x <= columns.max() + 20
            and not mask[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].any()
        ]
        contrast = abs(np.mean(image[labels == target]) - np.mean(background))
        answers.append(float(contrast / np.std(background)))
    return answers


@pytest.fixture
def scene() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Noise with targets in the middle, at the border, and near one another."""
    random = np.random.default_rng(5)
    image = random.integers(0, 200, (70, 61)).astype(np.uint8)
    mask = np.zeros(image.shape, bool)
    mask[30:33, 30:34] = mask[0, 0] = mask[69, 40:61] = True
    mask[30, 36] = mask[28, 35] = mask[10:12, 60] = True
    image[mask] += 40
    return image, mask


def test_against_the_definition(scene: tuple[NDArray[np.uint8], NDArray[np.bool_]]) -> None:
    image, mask = scene
    found = signal_to_clutter(image, mask_regions(mask))
    assert len(found) == 6
    np.testing.assert_allclose(found, obvious(image, mask), rtol=1e-12)


def test_gain_offset_and_polarity_do_not_matter(
    scene: tuple[NDArray[np.uint8], NDArray[np.bool_]],
) -> None:
    image, mask = scene
    targets = mask_regions(mask)
    expected = signal_to_clutter(image, targets)
    np.testing.assert_allclose(signal_to_clutter(image * 3.5 + 1000, targets), expected)
    np.testing.assert_allclose(signal_to_clutter(255.0 - image, targets), expected)


def test_pixels_beyond_the_margin_do_not_matter() -> None:
    random = np.random.default_rng(0)
    image = random.normal(size=(101, 101))
    mask = np.zeros(image.shape, bool)
    mask[50, 50] = True
    expected = signal_to_clutter(image, mask_regions(mask))
    outside = np.ones(image.shape, bool)
    outside[30:71, 30:71] = False
    image[outside] = 1e6
    assert signal_to_clutter(image, mask_regions(mask)) == expected
    image[30, 70] += 1
    assert signal_to_clutter(image, mask_regions(mask)) != expected


def test_the_blurred_rim_of_a_target_is_no_background() -> None:
    image = np.tile([9.0, 11.0], (16, 8))
    mask = np.zeros(image.shape, bool)
    mask[8, 8] = True
    (clean,) = local_statistics([image], mask_regions(mask))
    image[7:10, 7:10] = 200
    (rimmed,) = local_statistics([image], mask_regions(mask))
    assert rimmed.background_mean == clean.background_mean
    assert rimmed.background_std == clean.background_std
    assert rimmed.target_mean == 200


@pytest.mark.parametrize("level", [100, 0.1])
def test_flat_background_is_undefined(level: float) -> None:
    image = np.full((15, 15), level)
    mask = np.zeros(image.shape, bool)
    mask[7, 7] = True
    image[7, 7] = 2 * level
    (statistics,) = local_statistics([image], mask_regions(mask))
    assert statistics.background_std == 0
    assert np.isnan(statistics.signal_to_clutter).all()


def test_no_background_is_undefined() -> None:
    mask = np.ones((4, 4), bool)
    assert np.isnan(signal_to_clutter(np.eye(4), mask_regions(mask))).all()


def test_no_targets() -> None:
    assert signal_to_clutter(np.eye(4), mask_regions(np.zeros((4, 4), bool))).shape == (0,)


def test_other_shape_is_refused() -> None:
    with pytest.raises(UsageError, match=r"of shape \(4, 4\), got \(5, 4\)"):
        signal_to_clutter(np.eye(4), mask_regions(np.ones((5, 4), bool)))
