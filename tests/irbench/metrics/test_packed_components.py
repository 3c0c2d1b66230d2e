"""Matching of all images at once against that of each image by itself."""

from __future__ import annotations

import tracemalloc
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.detections import Detections
from irbench.detections.packed_detections import PackedDetections
from irbench.detections.regions import Regions
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.metrics.components import Components, components_of
from irbench.metrics.hierarchical_iou import count_hierarchical
from irbench.metrics.packed_components import PackedComponents
from irbench.metrics.pixels import count_packed_pixels, count_pixels
from irbench.metrics.point_matching import (
    match_by_assignment,
    match_in_raster_order,
    packed_by_assignment,
    packed_in_raster_order,
)
from irbench.metrics.region_matching import RegionPairs, match_by_overlap_then_distance

SHAPE = (9, 11)

# Half pixels and few rows: many components tie in distance, and in the raster order of a row.
places = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 6), st.integers(1, 3)), max_size=6, unique=True
)


def components(listed):
    points = np.array([(x / 2, y / 2) for x, y, _ in listed], float).reshape(-1, 2)
    areas = np.array([area for *_, area in listed], dtype=np.int64)
    return Components(points, areas, np.floor(points[:, 1]) * 100)


@pytest.mark.parametrize(
    ("match", "packed"),
    [
        (match_in_raster_order, packed_in_raster_order),
        (match_by_assignment, packed_by_assignment),
    ],
)
@given(images=st.lists(st.tuples(places, places), max_size=5))
@settings(max_examples=60, deadline=None)
def test_all_images_match_as_each_alone(match, packed, images):
    images = [(components(found), components(targets)) for found, targets in images]
    found, targets = (
        (PackedComponents.of(one) for one in zip(*images, strict=True))
        if images
        else (PackedComponents.of([]), PackedComponents.of([]))
    )
    rows, columns = packed(found, targets, 1.5)
    matched = np.full(len(targets), -1)
    matched[columns] = rows - found.offsets[found.image[rows]]
    expected = [match(one, other, 1.5) for one, other in images]
    np.testing.assert_array_equal(matched, np.concatenate([np.zeros(0), *expected]))


masks = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 10), st.integers(1, 3), st.integers(1, 3)),
    max_size=4,
)


def mask_of(rectangles):
    mask = np.zeros(SHAPE, dtype=bool)
    for row, column, height, width in rectangles:
        mask[row : row + height, column : column + width] = True
    return mask


def overlapping(rectangles):
    """Each a region of its own, which may have pixels of another; in raster order."""
    parts = [mask_regions(mask_of([one])) for one in rectangles]
    runs = np.concatenate([np.zeros((0, 2), np.int32), *(one.runs for one in parts)])
    ends = np.cumsum([len(one.runs) for one in parts], dtype=np.int64)
    regions = Regions(runs, np.append(0, ends), SHAPE)
    return regions.take(Components.from_regions(regions).raster_order)


@given(st.lists(st.tuples(masks, masks, st.booleans()), max_size=4))
@settings(max_examples=60, deadline=None)
def test_regions_of_all_images_match_as_those_of_each(images):
    listed = [
        (overlapping(kept) if overlap else mask_regions(mask_of(kept)), mask_regions(mask_of(true)))
        for kept, true, overlap in images
    ]
    kept = PackedComponents.of_regions(one for one, _ in listed)
    targets = PackedComponents.of_regions(one for _, one in listed)
    pairs = RegionPairs.of(kept, targets)
    matched = pairs.matched(3.0)
    for place, (its_kept, its_targets) in enumerate(listed):
        own = slice(pairs.offsets[place], pairs.offsets[place + 1])
        pixels = [
            [set(one.take([i]).pixels.tolist()) for i in range(len(one))]
            for one in (its_targets, its_kept)
        ]
        shared = [[len(t & k) for k in pixels[1]] for t in pixels[0]]
        assert pairs.shared[own].tolist() == [n for row in shared for n in row]
        size = len(its_targets), len(its_kept)
        iou, distance = (part[own].reshape(size) for part in (pairs.iou, pairs.distance))
        expected = match_by_overlap_then_distance(iou, distance, 3.0)
        here = matched[kept.image[pairs.region[matched]] == place]
        found = np.full(len(its_targets), -1)
        found[pairs.target[here] - targets.offsets[place]] = (
            pairs.region[here] - kept.offsets[place]
        )
        assert found.tolist() == expected.tolist()
    expected = count_pixels((a.to_mask(), b.to_mask()) for a, b in listed)
    counts = count_packed_pixels(kept, targets)
    for name in ("intersection", "kept", "target"):
        assert getattr(counts, name).tolist() == getattr(expected, name).tolist()
    together = count_hierarchical(kept, targets)
    alone = [
        count_hierarchical(*(PackedComponents.of_regions([one]) for one in pair)) for pair in listed
    ]
    for field in fields(together):
        expected = [getattr(one, field.name).item() for one in alone]
        assert getattr(together, field.name).tolist() == expected


def test_what_marks_whole_images_takes_no_memory_for_each_of_their_pixels():
    side, n = 1000, 2
    rows = np.arange(side, dtype=np.int32)
    runs = np.stack([side * rows, np.full_like(rows, side)], axis=1)
    whole = Regions(runs, np.array([0, side]), (side, side))
    target = Regions(np.array([[5, 3]], np.int32), np.array([0, 1]), (side, side))
    kept, targets = (PackedComponents.of_regions([one] * n) for one in (whole, target))
    tracemalloc.start()
    try:
        counts = count_packed_pixels(kept, targets)
        regions = count_hierarchical(kept, targets)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert counts.kept.tolist() == [side**2] * n
    assert counts.intersection.tolist() == [3] * n
    assert regions.lone_regions.tolist() == [1] * n
    assert peak < side**2


def test_detections_are_packed_as_they_are_one_by_one():
    """Regions and boxes on images of several sizes, kept above a threshold."""
    rng = np.random.default_rng(0)
    found, truths = [], []
    for place in range(6):
        shape = (12 + place, 15)
        regions = mask_regions(rng.random(shape) > 0.85)
        corners = rng.uniform(-3, 12, (5, 2))
        boxes = np.hstack([corners, corners + rng.uniform(0.2, 6, (5, 2))])
        with_boxes = place % 3 == 1
        scores = rng.integers(0, 4, 5 if with_boxes else len(regions))
        found.append(
            Detections(boxes, scores) if with_boxes else Detections(regions.boxes, scores, regions)
        )
        targets = None if place == 4 else mask_regions(rng.random(shape) > 0.9)
        own = boxes[:2] if targets is None else targets.boxes
        truths.append(GroundTruth(str(place), shape, own, targets))
    packed = PackedDetections.of(found)
    for threshold in (-np.inf, 2, np.inf):
        kept = packed.above(threshold)
        kept.check()
        assert list(kept) == [one.above(threshold) for one in found]
        ours = PackedComponents.of_detections(kept, truths)
        for place, (one, truth) in enumerate(zip(kept, truths, strict=True)):
            assert_equal(ours.of_image(place), components_of(one.boxes, one.regions, truth))
    ours = PackedComponents.of_truths(truths)
    for place, truth in enumerate(truths):
        assert_equal(ours.of_image(place), components_of(truth.boxes, truth.targets, truth))


def assert_equal(one, other):
    for name in ("centroids", "areas", "first_pixels"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
