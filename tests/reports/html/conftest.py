"""A small run with everything on disk that the page is made of."""

from __future__ import annotations

import cv2
import numpy as np
import orjson
import pytest

from irbench.detections import Detections
from irbench.engine.directory import RunDirectory
from irbench.engine.map_records import write_map_statistics
from irbench.engine.records import Entry
from irbench.engine.results import load_run
from irbench.engine.store import write_detections, write_ground_truth
from irbench.evaluation import evaluate
from irbench.ground_truth import GroundTruth
from irbench.masks import mask_regions
from irbench.metrics.map_statistics import measure_map
from irbench.protocol import TABLE1

ODD = "50%_a&b<script>"
IDS = ("night <1> & co", "b", "empty", "d", "e", "f")
SHAPE = (48, 64)
EXTENT = 0.25


def make_images(rng):
    """An image and a mask by id; the one called empty has no target."""
    images = {}
    for name in IDS:
        image = rng.normal(90, 6, SHAPE)
        mask = np.zeros(SHAPE, bool)
        for _ in range(0 if name == "empty" else 2):
            y, x = rng.integers(6, SHAPE[0] - 8), rng.integers(6, SHAPE[1] - 8)
            mask[y : y + 3, x : x + 3] = True
        image[mask] += rng.uniform(15, 120)
        images[name] = np.clip(image, 0, 255).astype(np.uint8), mask
    return images


def detect(method, image):
    """A score map and detections of a method, by how much it blurs."""
    size = {"tophat": 3, ODD: 5, "boxes": 7}[method]
    score_map = cv2.GaussianBlur(image.astype(np.float64), (size, size), 0)
    score_map -= cv2.GaussianBlur(score_map, (21, 21), 0)
    found = Detections.from_score_map(score_map, EXTENT)
    if method == "boxes":
        return None, Detections(found.boxes, found.scores)
    return score_map, found


@pytest.fixture
def html_run(make_run, rows, tmp_path):
    """Make a run: three methods that are done, one that failed and one that was skipped.

    ``methods`` chooses; ``with_images=False`` forgets where the images are.
    """

    def make(methods=("tophat", ODD, "boxes", "broken", "none"), with_images=True, name="run 1"):
        images = make_images(np.random.default_rng(3))
        data = tmp_path / "my night scenes"
        truths = []
        for role in ("images", "masks"):
            (data / role).mkdir(parents=True, exist_ok=True)
        for sample_id, (image, mask) in images.items():
            cv2.imwrite(str(data / "images" / f"{sample_id}.png"), image)
            cv2.imwrite(str(data / "masks" / f"{sample_id}.png"), mask.astype(np.uint8) * 255)
            targets = mask_regions(mask)
            truths.append(GroundTruth(sample_id, SHAPE, targets.boxes, targets))
        directory = RunDirectory(tmp_path / name)
        made = []
        for method in methods:
            if method == "broken":
                made.append(rows.unfinished(method, "failed", "no <memory>", "Broken & Co"))
                continue
            if method == "none":
                made.append(rows.unfinished(method, "skipped", "leak", "Skipped"))
                continue
            made.append(_row(rows, method, images, truths, directory))
        run = make_run("folder", made, name, scheme="")
        content = orjson.loads((run.path / "run.json").read_bytes())
        content["methods"] = {
            row["method"]: {
                "state": row["state"],
                "calibration": {"extent": row.get("extent")},
                "facts": {"params": {"size": "<5>"}, "code": "abc"},
            }
            for row in made
        }
        if with_images:
            content["data_root"] = str(data)
        directory.write({k: v for k, v in content.items() if k != "schema"})
        write_ground_truth(directory.ground_truth_file, {"test": truths})
        return load_run(run.path)

    return make


def _row(rows, method, images, truths, directory):
    extent = None if method == "boxes" else EXTENT
    entries, detections, maps = [], {}, {}
    for truth in truths:
        image = images[truth.id][0]
        score_map, found = detect(method, image)
        detections[truth.id] = found
        if score_map is not None:
            maps[truth.id] = measure_map(score_map, image, truth.targets)
        entries.append(Entry("test", truth.id, {extent: found}, map_statistics=maps.get(truth.id)))
    for file in (directory.detections_file(method), directory.map_statistics_file(method)):
        file.parent.mkdir(parents=True, exist_ok=True)
    write_detections(directory.detections_file(method), entries)
    write_map_statistics(directory.map_statistics_file(method), entries)
    threshold = float(np.quantile(np.concatenate([one.scores for one in detections.values()]), 0.6))
    result = evaluate(detections, truths, TABLE1, threshold=threshold, map_statistics=maps or None)
    maker = rows.box if method == "boxes" else rows.done
    title = {"tophat": "Top-Hat", "boxes": "Boxes"}.get(method, method)
    return {
        **maker(method, 0.5, title),
        **result.values,
        "extent": extent,
        "threshold": threshold,
        "undefined": result.undefined,
    }
