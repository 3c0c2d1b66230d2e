"""Small sets of images with targets, and the output of made-up methods on them."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.detections import Detections
from irbench.detections.regions import Regions
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.metrics.matching import match_detections

SIDE, CELL = 40, 10


def squares(places):
    """A mask with a 3x3 square in each (row, column) place."""
    mask = np.zeros((SIDE, SIDE), bool)
    for row, column in places:
        mask[row : row + 3, column : column + 3] = True
    return mask


def cell_places(rng, n):
    """Corners of squares in different cells of a grid, so that none touch."""
    cells = rng.permutation((SIDE // CELL) ** 2)[:n]
    corners = np.stack(np.divmod(cells, SIDE // CELL), axis=1) * CELL
    return corners + rng.integers(1, 5, corners.shape)


@pytest.fixture(scope="session")
def make_truths():
    """``n_images`` images of 0 to 3 targets; ids in an order that is not theirs."""

    def make(seed=0, n_images=30):
        rng = np.random.default_rng(seed)
        names = [f"image-{index:03d}" for index in rng.permutation(n_images)]
        truths = []
        for name in names:
            regions = mask_regions(squares(cell_places(rng, rng.integers(0, 4))))
            truths.append(GroundTruth(name, (SIDE, SIDE), regions.boxes, regions))
        return truths

    return make


@pytest.fixture(scope="session")
def make_detections():
    """A method that finds a share of the targets, some a pixel off, among clutter."""

    def make(truths, seed=0, power=0.7, clutter=1.0, boxes_only=False):
        rng = np.random.default_rng(seed)
        found = {}
        for truth in truths:
            near = [
                tuple(box[[1, 0]].astype(int) + rng.integers(0, 2, 2))
                for box in truth.boxes
                if rng.random() < power
            ]
            mask = squares([*near, *cell_places(rng, rng.poisson(clutter))])
            regions = mask_regions(mask)
            hit = (mask_of(truth) & mask).any()
            scores = np.round(rng.normal(1 + hit, 1, len(regions)), 1)
            found[truth.id] = Detections(regions.boxes, scores, None if boxes_only else regions)
        return found

    return make


def mask_of(truth):
    return truth.targets.to_mask()


@pytest.fixture(scope="session")
def make_table():
    """A match table of random boxes; ``levels`` distinct scores make ties."""

    def make(seed, n_images=20, levels=None, n_detections=8, target_share=0.7):
        rng = np.random.default_rng(seed)
        boxes, scores, targets = [], [], []
        for _ in range(n_images):
            n_targets = rng.integers(0, 4) if rng.random() < target_share else 0
            corner = rng.uniform(0, 30, (n_targets, 2))
            targets.append(np.hstack([corner, corner + 5]))
            n = rng.integers(0, n_detections + 1)
            corner = rng.uniform(0, 30, (n, 2))
            found = np.hstack([corner, corner + 5])
            close = np.flatnonzero(rng.random(min(n, n_targets)) < 0.8)
            found[close] = targets[-1][close] + rng.normal(0, 0.4, (len(close), 4))
            boxes.append(found)
            score = rng.random(n)
            scores.append(score if levels is None else np.round(score * levels))
        return match_detections(boxes, scores, targets)

    return make


@pytest.fixture(scope="session")
def with_other_order():
    """The same images and detections in another order."""

    def shuffled(truths, detections, seed=5):
        rng = np.random.default_rng(seed)
        images = [truths[index] for index in rng.permutation(len(truths))]
        found = {}
        for name in rng.permutation(list(detections)):
            one = detections[name]
            found[str(name)] = one.take(rng.permutation(len(one)))
        return images, found

    return shuffled


@pytest.fixture
def empty_regions():
    return Regions.empty((SIDE, SIDE))
