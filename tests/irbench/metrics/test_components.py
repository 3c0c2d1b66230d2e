from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import label, regionprops

from irbench.detections import Detections
from irbench.errors import DetectionsError
from irbench.images.masks import mask_regions
from irbench.metrics.components import Components


def test_regions_are_components_as_skimage_measures_them():
    mask = np.random.default_rng(0).random((40, 50)) > 0.75
    ours = Components.from_regions(mask_regions(mask))
    theirs = regionprops(label(mask, connectivity=2))
    assert ours.areas.tolist() == [region.area for region in theirs]
    np.testing.assert_allclose(ours.centroids[:, ::-1], [region.centroid for region in theirs])
    assert ours.raster_order.tolist() == list(range(len(theirs)))


def test_whole_pixel_boxes_are_the_components_of_their_filled_mask():
    boxes = [[3, 2, 6, 4], [0, 0, 1, 1], [8, 5, 10, 8]]
    mask = np.zeros((8, 10), bool)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = True
    filled = Components.from_boxes(boxes, mask.shape)
    regions = Components.from_regions(mask_regions(mask))
    order = filled.raster_order
    for name in ("centroids", "areas", "first_pixels"):
        assert getattr(filled, name)[order].tolist() == getattr(regions, name).tolist()


def test_boxes_have_the_centroids_of_detections():
    boxes = [[-1.5, 2.25, 6, 4], [0, 0, 1.5, 1]]
    found = Detections(boxes=boxes, scores=[1, 2])
    ours = Components.from_boxes(found.boxes, (8, 10))
    assert ours.centroids.tolist() == found.centroids.tolist()
    assert ours.areas.tolist() == [12, 1]


def test_a_shared_first_pixel_does_not_leave_the_order_to_the_list():
    boxes = np.array([[3, 3, 9, 5], [3, 3, 5, 9], [3, 3, 5, 5], [3, 0, 4, 1]])
    order = [boxes[i].tolist() for i in Components.from_boxes(boxes, (12, 12)).raster_order]
    for permutation in ([3, 2, 1, 0], [1, 3, 0, 2]):
        shuffled = boxes[permutation]
        again = Components.from_boxes(shuffled, (12, 12)).raster_order
        assert [shuffled[i].tolist() for i in again] == order


def test_none_at_all():
    assert len(Components([], [], [])) == len(Components.from_boxes([], (4, 4))) == 0
    assert len(Components.from_regions(mask_regions(np.zeros((4, 4), bool)))) == 0


def test_whole_areas_may_come_as_floats():
    assert Components([[1, 1]], np.array([3.0]), [0]).areas.dtype == np.int64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1], [0]), r"centroids must have shape \(N, 2\), got \(2,\)"),
        (([[1, 2], [0, np.nan]], [1, 1], [0, 1]), r"centroids\[1\] must be finite"),
        (([[1, 2]], [1, 2], [0]), r"areas must have shape \(1,\).* got \(2,\)"),
        (([[1, 2]], [1.5], [0]), r"areas\[0\] must be a whole number, got 1.5"),
        (([[1, 2]], [1], [-1]), r"first_pixels\[0\] must be a whole number, got -1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(DetectionsError, match=message):
        Components(*arguments)
