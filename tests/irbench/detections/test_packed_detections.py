from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irbench import Detections
from irbench.detections.packed_detections import DetectionsById, PackedDetections
from irbench.errors import DetectionsError
from irbench.images.masks import mask_regions


def some_images(n, seed=0):
    """Detections with and without regions, and without any detection."""
    rng = np.random.default_rng(seed)
    images = []
    for index in range(n):
        regions = mask_regions(rng.random((7 + index % 3, 9)) > 0.8)
        scores = rng.normal(size=len(regions)).astype(np.float32)
        images.append(Detections(regions.boxes, scores, regions if index % 2 else None))
        if index % 5 == 0:
            images.append(Detections.empty((4, 5) if index % 2 else None))
    return images


@pytest.mark.parametrize("n", [0, 1, 40, 1500])
def test_what_is_packed_comes_back(n):
    images = some_images(n)
    packed = PackedDetections.of(images)
    packed.check()
    assert list(packed) == images
    assert packed[-3:] == images[-3:]
    halves = [PackedDetections.of(images[: n // 2]), PackedDetections.of(images[n // 2 :])]
    assert list(PackedDetections.concatenate(halves)) == images
    with pytest.raises(IndexError):
        packed[len(images)]


def test_arrays_are_those_of_the_images():
    images = some_images(40)
    packed = PackedDetections.of(images)
    for name in ("centroids", "areas"):
        expected = np.concatenate([getattr(one, name) for one in images])
        np.testing.assert_array_equal(getattr(packed, name), expected)
    for name in ("boxes", "scores"):
        for one, array in zip(images, getattr(packed, f"{name}_per_image"), strict=True):
            np.testing.assert_array_equal(array, getattr(one, name))


@given(st.integers(0, 8).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(-1, n - 1)))))
def test_taken_images_come_in_their_order(drawn):
    n, positions = drawn
    images = some_images(n)[:n]
    taken = PackedDetections.of(images).take(positions)
    taken.check()
    none = Detections.empty()
    assert list(taken) == [none if one < 0 else images[one] for one in positions]


def test_by_id_holds_the_images_that_have_detections():
    one, other = some_images(4)[1:3]
    found = DetectionsById(["a", "b"], PackedDetections.of([one, other]))
    assert dict(found) == {"a": one, "b": other}
    assert "c" not in found
    with pytest.raises(KeyError):
        found["c"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("boxes", np.nan),
        ("scores", np.inf),
        ("runs", -1),
        ("runs", 10**6),
        ("shapes", 2),
        ("shapes", 0),
        ("offsets", 0),
        ("run_offsets", 1),
    ],
)
def test_damage_is_refused_at_once(name, value):
    packed = PackedDetections.of(some_images(20))
    array = getattr(packed, name).copy()
    array.flat[-1] = value
    with pytest.raises(DetectionsError):
        dataclasses.replace(packed, **{name: array}).check()
