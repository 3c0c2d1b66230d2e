"""Small sets of images, and detectors that err in known ways."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.analysis.objects import detection_objects, target_objects
from irbench.detections import Detections
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions

SHAPE = (48, 64)


@pytest.fixture(scope="session")
def make_scenes():
    """Random images of rectangular targets, and detections on and off them."""

    def make(seed=0, n_images=12, boxes_only=False, n_clutter=6, spread=2):
        rng = np.random.default_rng(seed)
        truths, found = [], {}
        for index in range(n_images):
            mask = np.zeros(SHAPE, bool)
            for _ in range(rng.integers(0, 5)):
                y, x = rng.integers(2, 36), rng.integers(2, 50)
                mask[y : y + rng.integers(1, 9), x : x + rng.integers(1, 9)] = True
            regions = mask_regions(mask)
            truths.append(GroundTruth(f"image-{index}", SHAPE, regions.boxes, regions))
            kept = np.zeros(SHAPE, bool)
            for x0, y0, x1, y1 in regions.boxes.astype(int):
                if rng.random() < 0.8:
                    dy, dx = rng.integers(-spread, spread + 1, 2)
                    kept[max(y0 + dy, 0) : y1 + dy, max(x0 + dx, 0) : x1 + dx] = True
            for _ in range(n_clutter):
                y, x = rng.integers(0, 44), rng.integers(0, 60)
                kept[y : y + 2, x : x + 3] = True
            answer = mask_regions(kept)
            # Few distinct scores, so that ties occur.
            scores = rng.integers(1, 9, len(answer)) / 8
            found[truths[-1].id] = Detections(answer.boxes, scores, None if boxes_only else answer)
        return truths, found

    return make


@pytest.fixture(scope="session")
def objects_of():
    """Targets and detections of one image, from lists of boxes."""

    def make(targets, detections, shape=(100, 100)):
        boxes = np.array(targets, np.float32).reshape(-1, 4)
        truths = [GroundTruth("one", shape, boxes, None)]
        found = Detections(
            np.array(detections, np.float32).reshape(-1, 4),
            np.arange(len(detections), 0, -1, dtype=np.float32),
        )
        return target_objects(truths), detection_objects([found], truths)

    return make
