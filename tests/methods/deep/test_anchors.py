"""Anchors, distances and decoding against loops over cells."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from irbench.errors import UsageError
from irbench.methods.deep._anchors import (
    anchor_points,
    boxes_from_distances,
    decode,
    distances_from_boxes,
    expected_distances,
)

STRIDES = (8, 16, 32)


def random_maps(seed=0, n_images=2, n_classes=1, height=64, width=96, dtype=torch.float32):
    rng = torch.Generator().manual_seed(seed)
    return [
        torch.randn(n_images, 64 + n_classes, height // s, width // s, generator=rng, dtype=dtype)
        for s in STRIDES
    ]


def test_points_are_the_centres_of_cells_level_by_level_and_row_by_row():
    sizes = [(8, 12), (4, 6), (2, 3)]
    points, cell_px = anchor_points(sizes, STRIDES)
    expected = [
        ((column + 0.5) * stride, (row + 0.5) * stride, stride)
        for (height, width), stride in zip(sizes, STRIDES, strict=True)
        for row in range(height)
        for column in range(width)
    ]
    np.testing.assert_array_equal(torch.cat((points, cell_px), 1), expected)


def test_a_level_of_one_cell_and_one_of_none():
    points, cell_px = anchor_points([(1, 1), (0, 3)], [8, 16])
    assert points.tolist() == [[4, 4]]
    assert cell_px.tolist() == [[8]]


def test_distances_undo_boxes():
    rng = torch.Generator().manual_seed(0)
    points = torch.rand(50, 2, generator=rng, dtype=torch.float64) * 640
    distances = torch.rand(50, 4, generator=rng, dtype=torch.float64) * 90 - 20
    boxes = boxes_from_distances(points, distances)
    torch.testing.assert_close(distances_from_boxes(points, boxes), distances)


def test_a_box_by_hand():
    points = torch.tensor([[12.0, 20.0]])
    distances = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    assert boxes_from_distances(points, distances).tolist() == [[11, 18, 15, 24]]


def test_the_mean_of_known_distributions():
    uniform = torch.zeros(16)
    certain = torch.full((16,), -1e4)
    certain[11] = 0
    between = torch.full((16,), -1e4)
    between[3], between[4] = math.log(0.25), math.log(0.75)
    means = expected_distances(torch.stack((uniform, certain, between)))
    torch.testing.assert_close(means, torch.tensor([7.5, 11.0, 3.75]))


@pytest.mark.parametrize("n_classes", [1, 3])
def test_decode_equals_a_loop_over_cells(n_classes):
    maps = random_maps(n_classes=n_classes)
    boxes, scores = decode(maps, STRIDES)
    expected_boxes, expected_scores = [], []
    for image in range(2):
        for level, stride in zip(maps, STRIDES, strict=True):
            values = level[image].double().numpy()
            for row in range(values.shape[1]):
                for column in range(values.shape[2]):
                    cell = values[:, row, column]
                    sides = []
                    for side in range(4):
                        p = np.exp(cell[16 * side : 16 * side + 16])
                        sides.append(stride * sum(i * p[i] for i in range(16)) / p.sum())
                    x, y = (column + 0.5) * stride, (row + 0.5) * stride
                    expected_boxes.append((x - sides[0], y - sides[1], x + sides[2], y + sides[3]))
                    expected_scores.append(1 / (1 + np.exp(-cell[64:])))
    assert boxes.shape == (2, 126, 4)
    assert scores.shape == (2, 126, n_classes)
    np.testing.assert_allclose(boxes.reshape(-1, 4), expected_boxes, atol=1e-4)
    np.testing.assert_allclose(scores.reshape(-1, n_classes), expected_scores, atol=1e-6)


def test_decode_does_not_depend_on_the_memory_format_or_the_batch():
    maps = random_maps(n_images=3)
    boxes, scores = decode(maps, STRIDES)
    last = [level.to(memory_format=torch.channels_last) for level in maps]
    torch.testing.assert_close(decode(last, STRIDES), (boxes, scores), rtol=0, atol=1e-5)
    alone = decode([level[1:2] for level in maps], STRIDES)
    torch.testing.assert_close(alone, (boxes[1:2], scores[1:2]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_maps_decode_in_single_precision(dtype):
    maps = [level.to(dtype) for level in random_maps()]
    boxes, scores = decode(maps, STRIDES)
    assert boxes.dtype == scores.dtype == torch.float32
    exact = decode([level.double() for level in maps], STRIDES)
    torch.testing.assert_close(boxes.double(), exact[0], rtol=0, atol=1e-4)


def test_decode_under_autocast_is_the_same():
    maps = random_maps()
    plain = decode(maps, STRIDES)
    with torch.autocast("cpu", torch.bfloat16):
        lowered = decode(maps, STRIDES)
    torch.testing.assert_close(lowered, plain, rtol=0, atol=0)


def test_maps_that_do_not_fit_are_refused():
    maps = random_maps()
    with pytest.raises(UsageError, match="each of the strides"):
        decode(maps[:2], STRIDES)
    with pytest.raises(UsageError, match="channels, got 64"):
        decode([level[:, :64] for level in maps], STRIDES)
    with pytest.raises(UsageError, match="the same B and C"):
        decode([maps[0][:1], *maps[1:]], STRIDES)
