"""Letterboxing: boxes go where their pixels go, and come back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.detections.boxes import filled_ranges
from irbench.errors import ImageError, UsageError
from irbench.networks.letterbox import PAD_VALUE, Letterbox, has_area, letterbox

sizes = st.tuples(st.integers(1, 5000), st.integers(1, 5000))
canvas_sizes = st.one_of(
    st.integers(1, 1280), st.tuples(st.integers(1, 1280), st.integers(1, 1280))
)


@settings(deadline=None, max_examples=300)
@given(sizes, canvas_sizes, st.integers(0, 10**6))
def test_round_trip_of_boxes(shape, size, seed):
    where = Letterbox.fit(shape, size)
    height, width = shape
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.uniform(0, width, (9, 2))), np.sort(rng.uniform(0, height, (9, 2)))
    boxes = np.stack((x[:, 0], y[:, 0], x[:, 1], y[:, 1]), 1).astype(np.float32)
    there = where.to_canvas(torch.from_numpy(boxes))
    back = where.to_native(there)
    assert np.abs(back.numpy() - boxes).max() < 1e-4
    # Stored in single precision in between, an error of half a unit in the last place of 1280.
    scale = min(where.resized[0] / height, where.resized[1] / width)
    back = where.to_native(there.float()).numpy()
    assert np.abs(back - boxes).max() < 1e-4 * max(1, 1 / scale)


@settings(deadline=None, max_examples=200)
@given(sizes, canvas_sizes)
def test_the_image_touches_two_sides_and_lies_in_the_middle(shape, size):
    where = Letterbox.fit(shape, size)
    room = (where.canvas[0] - where.resized[0], where.canvas[1] - where.resized[1])
    assert min(room) == 0
    assert where.top == room[0] // 2
    assert where.left == room[1] // 2
    corners = where.to_canvas(torch.tensor([[0, 0, shape[1], shape[0]]]))[0].tolist()
    x1, y1 = where.left + where.resized[1], where.top + where.resized[0]
    assert corners == pytest.approx([where.left, where.top, x1, y1])


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(12, 90), st.integers(12, 90))
def test_a_target_lands_where_its_box_says(data, height, width):
    """Upscaled, its edge is where the value passes 1/2: exactly the side of the box."""
    canvas = data.draw(st.tuples(st.integers(height, 200), st.integers(width, 200)))
    x0, y0 = data.draw(st.integers(1, width - 6)), data.draw(st.integers(1, height - 6))
    x1, y1 = x0 + data.draw(st.integers(3, 5)), y0 + data.draw(st.integers(3, 5))
    x1, y1 = min(x1, width - 1), min(y1, height - 1)
    image = np.zeros((height, width), np.float32)
    image[y0:y1, x0:x1] = 1
    canvases, (where,) = letterbox([image], canvas, fill=0)
    (box,) = where.to_canvas(torch.tensor([[x0, y0, x1, y1]])).numpy()
    profiles = canvases[0, 0].amax(0), canvases[0, 0].amax(1)
    for profile, low, high in zip(profiles, box[:2], box[2:], strict=True):
        centres = np.arange(len(profile)) + 0.5
        # On the very side of the box the value is 1/2 but for rounding.
        sure = (np.abs(centres - low) > 1e-3) & (np.abs(centres - high) > 1e-3)
        inside = (centres > low) & (centres < high)
        np.testing.assert_array_equal((profile.numpy() > 0.5)[sure], inside[sure])


@pytest.mark.parametrize("size", [640, (512, 640), (96, 128), 77])
def test_a_larger_target_fills_its_box_also_when_shrunk(size):
    image = np.zeros((200, 300), np.float32)
    image[40:80, 100:180] = 1
    canvases, (where,) = letterbox([image], size, fill=0)
    box = where.to_canvas(torch.tensor([[100.0, 40, 180, 80]])).numpy()
    x0, y0, x1, y1 = filled_ranges(box, where.canvas)[0]
    expected = np.zeros(where.canvas, bool)
    expected[y0:y1, x0:x1] = True
    wrong = (canvases[0, 0].numpy() > 0.5) != expected
    # But for the four corners, where two halves meet.
    assert wrong.sum() <= 4


@settings(deadline=None, max_examples=40)
@given(
    st.integers(2, 60),
    st.integers(2, 60),
    st.integers(8, 90),
    st.integers(8, 90),
    st.integers(0, 99),
)
def test_pixels_equal_opencv(height, width, canvas_height, canvas_width, seed):
    image = np.random.default_rng(seed).random((height, width), np.float32)
    canvases, (where,) = letterbox([image], (canvas_height, canvas_width))
    rows, columns = where.resized
    expected = np.full((canvas_height, canvas_width), PAD_VALUE, np.float32)
    scaled = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_LINEAR)
    expected[where.top : where.top + rows, where.left : where.left + columns] = scaled
    np.testing.assert_allclose(canvases[0, 0], expected, atol=2e-5)


def test_an_image_of_the_canvas_size_is_unchanged():
    image = np.random.default_rng(0).random((64, 64), np.float32)
    canvases, _ = letterbox([image], 64)
    np.testing.assert_array_equal(canvases[0, 0], image)


def test_a_batch_of_different_sizes_is_each_alone():
    rng = np.random.default_rng(0)
    shapes = [(30, 40), (64, 64), (30, 40), (200, 90), (1, 7)]
    images = [rng.random(shape, np.float32) for shape in shapes]
    canvases, letterboxes = letterbox(images, 64)
    assert canvases.shape == (5, 1, 64, 64)
    assert canvases.dtype == torch.float32
    for image, canvas, where in zip(images, canvases, letterboxes, strict=True):
        alone, (same,) = letterbox([torch.from_numpy(image)], 64)
        assert torch.equal(alone[0], canvas)
        assert where == same == Letterbox.fit(image.shape, 64)
    assert letterbox([], 64)[0].shape == (0, 1, 64, 64)


def test_boxes_are_clipped_to_the_image_and_those_beside_it_have_no_area():
    where = Letterbox.fit((100, 200), 400)
    boxes = torch.tensor([[-9, 90, 500, 350], [10, 10, 40, 80.0], [10, 110, 14, 114]])
    native = where.to_native(boxes)
    assert native[0].tolist() == [0, 0, 200, 100]
    assert has_area(native).tolist() == [True, False, True]
    assert native[2].tolist() == [5, 5, 7, 7]


def test_bad_input_is_refused():
    with pytest.raises(ImageError, match=r"image 1 must have shape \(H, W\), got \(3, 4, 3\)"):
        letterbox([np.zeros((3, 4)), np.zeros((3, 4, 3))], 64)
    with pytest.raises(ImageError, match="image 0"):
        letterbox([np.zeros((0, 4))], 64)
    with pytest.raises(UsageError, match="at least 1"):
        Letterbox.fit((3, 4), 0)
