"""Speed of the evaluator: matching and box metrics against pycocotools, and the bootstrap.

Both get the same boxes, IoU thresholds, area range and limit of detections. Run it
with one thread::

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/evaluator.py
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.average_precision import (
    average_precision,
    average_precision_form,
    map50_95,
)
from irbench.metrics.counting import count_boxes, f1, precision, recall
from irbench.metrics.matching import MatchTable, match_detections
from irbench.metrics.operating_point import best_f1_threshold
from irbench.metrics.weighted import Draws
from irbench.statistics.resamples import Resamples

SIDE = 256
MAX_DETECTIONS = 300


@dataclass(frozen=True)
class Scene:
    """Boxes ``(x0, y0, x1, y1)`` and scores of every image."""

    boxes: list[NDArray[np.float64]]
    scores: list[NDArray[np.float64]]
    targets: list[NDArray[np.float64]]


def make_scene(n_images: int, n_detections: int, seed: int = 0) -> Scene:
    """One to three targets an image, nine of ten of them found, the rest clutter."""
    rng = np.random.default_rng(seed)
    scene = Scene([], [], [])
    for _ in range(n_images):
        corner = rng.uniform(0, SIDE - 12, (rng.integers(1, 4), 2))
        targets = np.hstack([corner, corner + rng.uniform(3, 10, corner.shape)])
        corner = rng.uniform(0, SIDE - 12, (n_detections, 2))
        boxes = np.hstack([corner, corner + rng.uniform(2, 10, corner.shape)])
        scores = rng.normal(0, 1, n_detections)
        hits = np.flatnonzero(rng.random(len(targets)) < 0.9)
        boxes[hits] = targets[hits] + rng.normal(0, 0.4, (len(hits), 4))
        scores[hits] += 3
        scene.boxes.append(boxes)
        scene.scores.append(scores)
        scene.targets.append(targets)
    return scene


def evaluate(scene: Scene) -> tuple[MatchTable, float]:
    """Matching at ten IoU thresholds and all box metrics; answers AP@50:95."""
    table = match_detections(
        scene.boxes, scene.scores, scene.targets, max_detections=MAX_DETECTIONS
    )
    average_precision(table)
    average_precision(table, estimator="all-point")
    mean = map50_95(table).value
    threshold = best_f1_threshold(table).value
    counts = count_boxes(table, np.inf if threshold is None else threshold)
    for metric in (precision, recall, f1):
        metric(counts)
    return table, np.nan if mean is None else mean


def pycocotools_evaluator(scene: Scene) -> Callable[[], float]:
    """Its ``evaluate`` and ``accumulate``, over all areas only; loading is not part of it."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def annotations(boxes: list[NDArray[np.float64]], scores: Any = None) -> list[dict[str, Any]]:
        rows = [(image, *box) for image, found in enumerate(boxes, 1) for box in found.tolist()]
        flat = None if scores is None else np.concatenate(scores).tolist()
        return [
            {
                "id": index + 1,
                "image_id": image,
                "category_id": 1,
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": (x1 - x0) * (y1 - y0),
                "iscrowd": 0,
                **({} if flat is None else {"score": flat[index]}),
            }
            for index, (image, x0, y0, x1, y1) in enumerate(rows)
        ]

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": image + 1} for image in range(len(scene.targets))],
            "categories": [{"id": 1}],
            "annotations": annotations(scene.targets),
        }
        truth.createIndex()
        found = truth.loadRes(annotations(scene.boxes, scene.scores))

    def run() -> float:
        with contextlib.redirect_stdout(io.StringIO()):
            evaluator = COCOeval(truth, found, "bbox")
            evaluator.params.areaRng = evaluator.params.areaRng[:1]
            evaluator.params.areaRngLbl = evaluator.params.areaRngLbl[:1]
            evaluator.params.maxDets = [MAX_DETECTIONS]
            evaluator.evaluate()
            evaluator.accumulate()
        return float(evaluator.eval["precision"].mean())

    return run


def bootstrap(table: MatchTable, n_resamples: int, n_columns: int) -> NDArray[np.float64]:
    """Average precision of every draw, drawing and preparing included."""
    form = average_precision_form(table, range(n_columns))
    resamples = Resamples([f"{image:06d}" for image in range(table.n_images)], n_resamples)
    return np.concatenate([form(Draws(weights)) for weights in resamples.blocks()])


def slow_bootstrap(table: MatchTable, n_resamples: int) -> NDArray[np.float64]:
    """The same by one call of the metric per draw."""
    resamples = Resamples([f"{image:06d}" for image in range(table.n_images)], n_resamples)
    draws = (one for weights in resamples.blocks() for one in weights.T)
    return np.array([average_precision(table, weights=one).value for one in draws])


def timed(title: str, call: Callable[[], Any], repeats: int = 1) -> tuple[Any, float]:
    """The answer, and the least processor time of several calls; prints it."""
    best, answer = np.inf, None
    for _ in range(repeats):
        # Processor time, not the clock's: the machine may have other work.
        start = time.process_time()
        answer = call()
        best = min(best, time.process_time() - start)
    print(f"  {title:52s} {best:8.3f} s")
    return answer, best


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the evaluator.")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=10_000)
    arguments = parser.parse_args()
    n_slow = max(1, arguments.resamples // 100)
    for n_detections in (10, 300):
        scene = make_scene(arguments.images, n_detections)
        print(f"{arguments.images} images, {n_detections} detections an image, processor time")
        (table, ours), fast = timed("matching and all box metrics", partial(evaluate, scene), 3)
        theirs, slow = timed(
            "pycocotools: evaluate and accumulate", pycocotools_evaluator(scene), 2
        )
        print(f"  ratio {slow / fast:.1f}; AP@50:95 {ours:.6f} and {theirs:.6f}")
        title = f"{arguments.resamples} draws of"
        values, fast = timed(f"{title} AP@50", partial(bootstrap, table, arguments.resamples, 1))
        timed(f"{title} AP@50:95", partial(bootstrap, table, arguments.resamples, 10))
        expected, slow = timed(
            f"{n_slow} draws of AP@50, one call each",
            partial(slow_bootstrap, table, n_slow),
        )
        error = np.abs(values[:n_slow] - expected).max()
        ratio = slow / n_slow * arguments.resamples / fast
        print(f"  ratio {ratio:.1f} per draw; greatest difference {error:.1e}\n")


if __name__ == "__main__":
    main()
