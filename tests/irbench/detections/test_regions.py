from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from irbench.detections.regions import Regions, label_mask
from irbench.errors import DetectionsError
from irbench.images.masks import mask_regions

masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(masks)
def test_a_mask_survives_its_regions(mask):
    np.testing.assert_array_equal(mask_regions(mask).to_mask(), mask)


@given(masks)
def test_facts_equal_those_of_scipy(mask):
    labels, n = ndimage.label(mask, structure=np.ones((3, 3)))
    regions = mask_regions(mask)
    assert len(regions) == n
    index = np.arange(1, n + 1)
    np.testing.assert_array_equal(regions.areas, ndimage.sum_labels(mask, labels, index))
    centres = np.array(ndimage.center_of_mass(mask, labels, index)).reshape(-1, 2)[:, ::-1]
    np.testing.assert_allclose(regions.centroids, centres, rtol=1e-12)
    boxes = [(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(labels)]
    np.testing.assert_array_equal(regions.boxes, np.array(boxes).reshape(-1, 4))
    pixels = [np.flatnonzero(labels == i) for i in index]
    np.testing.assert_array_equal(regions.pixels, np.concatenate([np.zeros(0, int), *pixels]))
    firsts = [one[0] for one in pixels]
    np.testing.assert_array_equal(regions.first_pixels, np.array(firsts, dtype=int))
    assert (np.diff(regions.first_pixels) > 0).all()


@given(masks, st.data())
def test_take_keeps_regions_whole(mask, data):
    regions = mask_regions(mask)
    indices = data.draw(st.lists(st.integers(0, max(len(regions) - 1, 0)), unique=True, max_size=5))
    indices = indices[: len(regions)]
    labels, _ = label_mask(mask)
    np.testing.assert_array_equal(
        regions.take(indices).to_mask(), np.isin(labels, np.array(indices, int) + 1)
    )
    keep = np.isin(np.arange(len(regions)), indices)
    np.testing.assert_array_equal(regions.to_mask(keep), regions.take(indices).to_mask())


@pytest.mark.parametrize(
    ("runs", "offsets", "message"),
    [
        ([[0, 1]], [0, 1, 1], "region 1 is empty"),
        ([[3, 3]], [0, 1], "within one row"),
        ([[18, 3]], [0, 1], "within one row"),
        ([[-1, 2]], [0, 1], "within one row"),
        ([[0, 0]], [0, 1], "within one row"),
        ([[0, 1]], [0, 2], "offsets must run"),
    ],
)
def test_what_is_no_region_is_refused(runs, offsets, message):
    with pytest.raises(DetectionsError, match=message):
        Regions(np.array(runs), np.array(offsets), (4, 5))
