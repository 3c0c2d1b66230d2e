"""Tiles cover the image, and what several tiles saw is reported once."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.errors import UsageError
from irbench.networks.nms import Kept
from irbench.networks.tiling import Tile, merge_tiles, tile_grid


def kept(*rows):
    table = torch.tensor(rows, dtype=torch.float64).reshape(-1, 6)
    return Kept(table[:, :4], table[:, 4], table[:, 5].long())


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_tiles_cover_the_image_and_share_the_overlap(height, width, data):
    size = data.draw(st.integers(1, 120))
    overlap = data.draw(st.integers(max(0, size - 40), size - 1))
    tiles = tile_grid((height, width), size, overlap)
    for axis, length in ((0, width), (1, height)):
        spans = sorted({(tile[axis], tile[axis + 2]) for tile in tiles})
        assert spans[0][0] == 0
        assert spans[-1][1] == length
        assert all(end - start == min(size, length) for start, end in spans)
        shared = [a[1] - b[0] for a, b in pairwise(spans)]
        assert all(pixels >= overlap for pixels in shared)
        assert len(spans) == max(1, math.ceil((length - overlap) / (size - overlap)))
    assert len(set(tiles)) == len(tiles)
    assert tiles == sorted(tiles, key=lambda tile: (tile.y0, tile.x0))


def test_any_target_up_to_the_overlap_is_whole_in_some_tile():
    tiles = tile_grid((100, 173), 48, 12)
    rng = np.random.default_rng(0)
    for _ in range(300):
        w, h = rng.integers(1, 13, 2)
        x, y = rng.integers(0, 173 - w + 1), rng.integers(0, 100 - h + 1)
        assert any(t.x0 <= x and t.y0 <= y and x + w <= t.x1 and y + h <= t.y1 for t in tiles)


def views(targets, tiles, jitter=0.0, seed=0):
    """What a perfect detector sees in each tile: the targets, cut at its sides."""
    rng = np.random.default_rng(seed)
    found = []
    for tile in tiles:
        rows = []
        for index, (x0, y0, x1, y1) in enumerate(targets):
            seen = (max(x0, tile.x0), max(y0, tile.y0), min(x1, tile.x1), min(y1, tile.y1))
            if seen[0] < seen[2] and seen[1] < seen[3]:
                whole = seen == (x0, y0, x1, y1)
                move = rng.uniform(-jitter, jitter, 4) if whole else 0
                corners = np.subtract(seen, (tile.x0, tile.y0) * 2) + move
                # Even though a part scores more than the whole.
                rows.append((*corners, 0.5 + 0.01 * (index % 9) + (0 if whole else 0.3), 0))
        found.append(kept(*rows))
    return found


@pytest.mark.parametrize("jitter", [0.0, 0.3])
def test_every_target_is_reported_once_and_whole(jitter):
    shape = (150, 170)
    tiles = tile_grid(shape, 64, 16)
    rng = np.random.default_rng(1)
    cells = [(x, y) for x in range(2, 150, 18) for y in range(2, 130, 18)]
    targets = [
        (x + dx, y + dy, x + dx + w, y + dy + h)
        for (x, y), dx, dy, w, h in zip(cells, *rng.integers(3, 7, (4, len(cells))), strict=True)
    ]
    found = views(targets, tiles, jitter)
    assert sum(len(part.scores) for part in found) > len(targets) + 20
    merged = merge_tiles(found, tiles, shape)
    assert len(merged.scores) == len(targets)
    # Targets stand a cell apart, so the nearest is the one that is meant.
    away = np.abs(merged.boxes.numpy()[:, None] - np.array(targets)).max(2)
    assert sorted(away.argmin(1)) == list(range(len(targets)))
    assert away.min(1).max() <= jitter + 1e-9
    assert (merged.scores.diff() <= 0).all()


def test_one_tile_changes_nothing():
    found = kept((1, 1, 4, 4, 0.9, 0), (1, 1, 4, 5, 0.8, 0), (0, 0, 10, 10, 0.1, 1))
    merged = merge_tiles([found], [Tile(0, 0, 10, 10)], (10, 10))
    assert all(torch.equal(a, b) for a, b in zip(merged, found, strict=True))


def test_the_same_box_of_two_tiles_keeps_the_higher_score_unless_the_class_differs():
    tiles = [Tile(0, 0, 20, 20), Tile(10, 0, 30, 20)]
    views_of_one = [kept((12, 5, 16, 9, 0.4, 0)), kept((2, 5, 6, 9, 0.6, 0))]
    merged = merge_tiles(views_of_one, tiles, (20, 30))
    assert merged.boxes.tolist() == [[12, 5, 16, 9]]
    assert merged.scores.tolist() == [0.6]
    views_of_two = [views_of_one[0], views_of_one[1]._replace(classes=torch.tensor([1]))]
    assert len(merge_tiles(views_of_two, tiles, (20, 30)).scores) == 2


def test_a_part_without_its_whole_is_kept():
    tiles = [Tile(0, 0, 20, 20), Tile(10, 0, 30, 20)]
    merged = merge_tiles([kept((15, 5, 20, 9, 0.4, 0)), kept()], tiles, (20, 30))
    assert merged.boxes.tolist() == [[15, 5, 20, 9]]


def test_a_small_target_within_a_large_one_is_no_part_unless_it_touches_the_side():
    tiles = [Tile(0, 0, 20, 20), Tile(10, 0, 30, 20)]
    large = kept((2, 2, 15, 15, 0.9, 0))
    inner = merge_tiles([kept((13, 5, 17, 9, 0.4, 0)), large], tiles, (20, 30))
    assert len(inner.scores) == 2
    cut = merge_tiles([kept((15, 5, 20, 9, 0.4, 0)), large], tiles, (20, 30))
    assert cut.boxes.tolist() == [[12, 2, 25, 15]]


def test_the_best_are_kept_where_there_are_too_many():
    tiles = [Tile(0, 0, 20, 20), Tile(15, 0, 35, 20)]
    found = [kept((1, 1, 4, 4, 0.2, 0), (16, 1, 20, 4, 0.9, 0)), kept((8, 8, 12, 12, 0.5, 0))]
    merged = merge_tiles(found, tiles, (20, 35), max_detections=2)
    assert merged.scores.tolist() == [0.9, 0.5]


def test_nothing_found():
    merged = merge_tiles([kept(), kept()], [Tile(0, 0, 9, 9), Tile(5, 0, 14, 9)], (9, 14))
    assert merged.boxes.shape == (0, 4)


def test_bad_input_is_refused():
    with pytest.raises(UsageError, match="overlap"):
        tile_grid((10, 10), 5, 5)
    with pytest.raises(UsageError, match="pixels"):
        tile_grid((0, 10), 5, 1)
    with pytest.raises(UsageError, match="got 1 for 2 tiles"):
        merge_tiles([kept()], [Tile(0, 0, 9, 9), Tile(5, 0, 14, 9)], (9, 14))
