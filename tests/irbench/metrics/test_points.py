from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import label, regionprops

from irbench.errors import UnknownNameError
from irbench.images.masks import mask_regions
from irbench.metrics.components import Components
from irbench.metrics.packed_components import PackedComponents
from irbench.metrics.points import POINT_MATCHINGS, count_points, fa, fa_legacy, pd

SHAPE = (50, 40)
TARGET = [10, 10, 14, 14]


def count_images(images, matching="raster"):
    """Of (components, targets) of each image of 50 x 40 pixels."""
    found, targets = (PackedComponents.of(pair[side] for pair in images) for side in (0, 1))
    return count_points(found, targets, np.full(len(images), 50 * 40), matching)


def counts_of(boxes, targets, matching="raster"):
    image = (Components.from_boxes(boxes, SHAPE), Components.from_boxes(targets, SHAPE))
    return count_images([image], matching)


def test_two_false_blobs_as_large_as_a_hit_count():
    """The area-value rule sees neither."""
    counts = counts_of([TARGET, [30, 5, 34, 9], [5, 30, 13, 32]], [TARGET])
    assert pd(counts).value == 1
    assert fa(counts).value == 32 / 2000
    assert fa_legacy(counts).value == 0
    assert counts.false_components.tolist() == [2]


def test_equal_areas_excuse_no_component_of_another_image():
    hit = (Components.from_boxes([TARGET], SHAPE),) * 2
    false = (Components.from_boxes([[30, 5, 34, 9]], SHAPE), Components([], [], []))
    counts = count_images([hit, false])
    assert fa(counts).value == fa_legacy(counts).value == 16 / 4000


def test_a_blob_of_another_area_counts_under_both_rules():
    counts = counts_of([TARGET, [30, 5, 34, 10]], [TARGET])
    assert fa(counts).value == fa_legacy(counts).value == 20 / 2000


def test_a_duplicate_is_a_false_alarm_with_its_own_pixels():
    counts = counts_of([TARGET, TARGET], [TARGET])
    assert (pd(counts).value, fa(counts).value) == (1, 16 / 2000)


def test_only_the_pixels_inside_the_image_count():
    assert fa(counts_of([[-3, -3, 2, 2], [38, 48, 60, 60]], [])).value == 8 / 2000


def test_the_dialects_differ_where_raster_order_wastes_a_component():
    boxes, targets = [[9, 11, 12, 14], [11, 11, 14, 14]], [[12, 10, 13, 11], [9, 14, 10, 15]]
    raster, hungarian = (counts_of(boxes, targets, matching) for matching in POINT_MATCHINGS)
    assert (pd(raster).value, fa(raster).value) == (0.5, 9 / 2000)
    assert (pd(hungarian).value, fa(hungarian).value) == (1, 0)


def test_undefined_and_zero():
    nothing = count_images([])
    assert pd(nothing).reason == "no target in any image"
    assert fa(nothing).reason == fa_legacy(nothing).reason == "no image"
    assert pd(counts_of([TARGET], [])).value is None
    assert fa(counts_of([], [TARGET])).value == pd(counts_of([], [TARGET])).value == 0


def test_an_unknown_matching_is_refused():
    with pytest.raises(UnknownNameError, match="Known: hungarian, raster"):
        count_images([], "nearest")


def test_equals_the_loop_over_skimages_regions():
    """The evaluation as the field writes it, pixel by pixel, on masks of blobs."""
    rng = np.random.default_rng(1)
    hits = targets = false = 0
    images = []
    for _ in range(20):
        mask = rng.random(SHAPE) > 0.985
        mask[1:] |= mask[:-1]
        moved = np.roll(mask, rng.integers(-2, 3, 2), axis=(0, 1)) & (rng.random(SHAPE) > 0.2)
        moved |= rng.random(SHAPE) > 0.998
        found, truth = (regionprops(label(m, connectivity=2)) for m in (moved, mask))
        targets += len(truth)
        remains = moved.copy()
        for target in truth:
            for index, region in enumerate(found):
                gap = np.subtract(region.centroid, target.centroid)
                if np.linalg.norm(gap) < 3:
                    hits += 1
                    remains[tuple(region.coords.T)] = False
                    del found[index]
                    break
        false += remains.sum()
        regions = [Components.from_regions(mask_regions(m)) for m in (moved, mask)]
        images.append(regions)
    counts = count_images(images)
    assert pd(counts).value == hits / targets
    assert fa(counts).value == false / (20 * 2000)
    assert 0 < hits < targets
