"""Awkward inputs, and a slow implementation of every metric that shares nothing with ours."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)


@dataclass
class SceneImage:
    """Detections and targets of one image; boxes as lists of floats."""

    boxes: list[list[float]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    targets: list[list[float]] = field(default_factory=list)
    shape: tuple[int, int] = (32, 32)


@dataclass
class Scene:
    """A set of images."""

    images: list[SceneImage]
    threshold: float = 0.5
    max_detections: int = 300

    def lists(self) -> tuple[list[Any], list[Any], list[Any]]:
        """The arguments of ``match_detections``."""
        return (
            [image.boxes for image in self.images],
            [image.scores for image in self.images],
            [image.targets for image in self.images],
        )


def box_at(x: float, y: float, width: float = 4, height: float = 4) -> list[float]:
    return [x, y, x + width, y + height]


def random_scene(seed: int, n_images: int, levels: int | None, n_detections: int = 8) -> Scene:
    """Detections round the targets and elsewhere; ``levels`` distinct scores make ties."""
    rng = np.random.default_rng(seed)
    images = []
    for _ in range(n_images):
        targets = [
            box_at(*rng.integers(0, 24, 2).tolist(), *rng.integers(1, 8, 2).tolist())
            for _ in range(rng.integers(0, 4))
        ]
        boxes = []
        for _ in range(rng.integers(0, n_detections + 1)):
            if targets and rng.random() < 0.6:
                near = np.array(targets[rng.integers(len(targets))])
                near = near + rng.choice([-1, -0.5, 0, 0, 0.5, 1], 4)
                near[2:] = np.maximum(near[2:], near[:2] + 0.5)
                boxes.append(near.tolist())
            else:
                boxes.append(box_at(*rng.uniform(-2, 30, 2), *rng.uniform(0.3, 6, 2)))
        scores = rng.random(len(boxes))
        if levels is not None:
            scores = rng.integers(1, levels + 1, len(boxes)) / levels
        images.append(SceneImage(boxes, scores.tolist(), targets))
    return Scene(images)


def awkward_scenes() -> dict[str, Scene]:
    """By name; each once broke somebody's evaluator."""
    one = box_at(10, 10)
    away = box_at(20, 3)
    return {
        "no-images": Scene([]),
        "empty-everything": Scene([SceneImage(), SceneImage()]),
        "no-detections": Scene([SceneImage(targets=[one]), SceneImage()]),
        "no-targets": Scene([SceneImage([one, away], [0.9, 0.2]), SceneImage()]),
        "false-alarms-on-empty-images": Scene(
            [SceneImage([one], [0.6], [one]), SceneImage([one, away], [0.9, 0.7])]
        ),
        "nothing-reaches-the-threshold": Scene([SceneImage([one], [0.1], [one])]),
        "hit-and-false-alarm-of-equal-score": Scene([SceneImage([one, away], [0.8, 0.8], [one])]),
        "duplicates": Scene([SceneImage([one, one, one], [0.9, 0.9, 0.8], [one])]),
        "false-blob-as-large-as-a-hit": Scene(
            [SceneImage([one, away, box_at(3, 20, 5, 2)], [0.9, 0.8, 0.7], [one])]
        ),
        "out-of-the-border": Scene(
            [SceneImage([[-2, -1, 3, 2], [29, 30, 33, 34]], [0.9, 0.8], [[0, 0, 3, 2]])]
        ),
        "under-a-pixel": Scene([SceneImage([[3.6, 3.6, 4.2, 4.3]], [0.9], [[3, 3, 4, 4]])]),
        "one-target-inside-another": Scene(
            [
                SceneImage(
                    [box_at(4, 4, 6, 6), box_at(5, 4, 5, 6), box_at(4, 4, 8, 8)],
                    [0.9, 0.8, 0.7],
                    [box_at(4, 4, 8, 8), box_at(4, 4, 6, 6)],
                )
            ]
        ),
        "equal-iou-with-two-targets": Scene(
            [
                SceneImage(
                    [box_at(6, 6, 6, 6), box_at(4, 6, 6, 6)],
                    [0.9, 0.6],
                    [box_at(7, 6, 6, 6), box_at(5, 6, 6, 6)],
                )
            ]
        ),
        "near-target-taken-first": Scene(
            [SceneImage([box_at(8, 10), box_at(10, 12)], [0.9, 0.9], [one, box_at(6, 11)])]
        ),
        "more-than-may-count": Scene(random_scene(9, 3, None, 9).images, max_detections=4),
        "ties-cut-by-the-limit": Scene(random_scene(10, 4, 2, 9).images, max_detections=3),
        "other-sizes": Scene(
            [
                SceneImage([one], [0.9], [one], (16, 64)),
                SceneImage([away], [0.9], [], (40, 30)),
                SceneImage([], [], [box_at(0, 0, 1, 1)], (1, 1)),
            ]
        ),
        "large-scores": Scene(
            [SceneImage([one, away], [1e30, -1e30], [one]), SceneImage([away], [-5], [away])],
            threshold=-7,
        ),
        "random-distinct": random_scene(1, 12, None),
        "random-few-scores": random_scene(2, 12, 3),
        "random-one-score": random_scene(3, 12, 1),
        "random-many": random_scene(4, 25, 6, 12),
    }


SCENES = awkward_scenes()


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest) -> Scene:
    """Each awkward set in turn."""
    return SCENES[request.param]


@pytest.fixture(scope="session")
def make_scene() -> Any:
    """``make_scene(seed, n_images, levels, n_detections)``: a random set."""
    return random_scene


@pytest.fixture(scope="session")
def scene_type() -> type[Scene]:
    return Scene


class SlowMetrics:
    """Every metric from its definition, by loops over sets and lists."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.n_targets = sum(len(image.targets) for image in scene.images)
        self.counted = [self._counted(image) for image in scene.images]

    # -- boxes ------------------------------------------------------------------------------

    def _counted(self, image: SceneImage) -> list[tuple[float, list[float]]]:
        pairs = list(zip(image.scores, image.boxes, strict=True))
        pairs.sort(key=lambda pair: (-pair[0], *pair[1]))
        return pairs[: self.scene.max_detections]

    @staticmethod
    def iou(a: list[float], b: list[float]) -> float:
        width = min(a[2], b[2]) - max(a[0], b[0])
        height = min(a[3], b[3]) - max(a[1], b[1])
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)

    def hits(self, kept: list[list[float]], targets: list[list[float]], t: float) -> list[int]:
        """Target of each kept box, or -1, for boxes in the order they choose."""
        free, taken = set(range(len(targets))), []
        for box in kept:
            choices = [
                (self.iou(box, targets[j]), targets[j][1], targets[j][0], targets[j][3],
                 targets[j][2], j)
                for j in free
                if self.iou(box, targets[j]) >= min(t, 1 - 1e-10)
            ]  # fmt: skip
            best = max(choices)[-1] if choices else -1
            free.discard(best)
            taken.append(best)
        return taken

    def counts(self, threshold: float, t: float = 0.5) -> tuple[int, int]:
        """Hits and kept detections, matching the kept ones alone."""
        hits = kept = 0
        for image, pairs in zip(self.scene.images, self.counted, strict=True):
            boxes = [box for score, box in pairs if score >= threshold]
            kept += len(boxes)
            hits += sum(index >= 0 for index in self.hits(boxes, image.targets, t))
        return hits, kept

    def points(self, t: float) -> list[tuple[float, float]]:
        """(recall, precision) at every score that occurs."""
        scores = {score for pairs in self.counted for score, _ in pairs}
        counts = [self.counts(score, t) for score in sorted(scores, reverse=True)]
        return [(hits / self.n_targets, hits / kept) for hits, kept in counts]

    def ap(self, t: float) -> float | None:
        if self.n_targets == 0:
            return None
        points = self.points(t)
        best = [
            max((precision for recall, precision in points if recall >= level), default=0.0)
            for level in np.linspace(0, 1, 101)
        ]
        return sum(best) / 101

    def map50(self) -> float | None:
        return self.ap(0.5)

    def map30(self) -> float | None:
        return self.ap(0.3)

    def map75(self) -> float | None:
        return self.ap(0.75)

    def map50_95(self) -> float | None:
        values = [self.ap(t) for t in IOU_THRESHOLDS]
        return None if values[0] is None else sum(values) / 10

    def ap_all_point(self) -> float | None:
        if self.n_targets == 0:
            return None
        points, area, last = self.points(0.5), 0.0, 0.0
        for level in sorted({recall for recall, _ in points}):
            best = max(precision for recall, precision in points if recall >= level)
            area, last = area + (level - last) * best, level
        return area

    def ap_ultralytics(self) -> float | None:
        if self.n_targets == 0:
            return None
        reached = max((recall for recall, _ in self.points(0.5)), default=0.0)
        return self.ap_yolo((reached, 0.0))

    def ap_yolo(self, *ends: tuple[float, float]) -> float | None:
        """Lines between the points of the envelope, and trapezoids by hand."""
        if self.n_targets == 0:
            return None
        points = self.points(0.5)
        if not points:
            return 0.0
        points = [(0.0, 1.0), *points, *ends, (1.0, 0.0)]
        points = [(r, max(p for _, p in points[i:])) for i, (r, _) in enumerate(points)]

        def at(recall: float) -> float:
            last = max(i for i, (r, _) in enumerate(points) if r <= recall)
            if last + 1 == len(points):
                return points[last][1]
            (r0, p0), (r1, p1) = points[last : last + 2]
            return p0 + (p1 - p0) * (recall - r0) / (r1 - r0)

        read = [at(recall) for recall in np.linspace(0, 1, 101)]
        return sum((a + b) / 2 * 0.01 for a, b in pairwise(read))

    def precision_yolo(self) -> float | None:
        best = self.threshold()
        return None if best is None else self.counts(best)[0] / self.counts(best)[1]

    def recall_yolo(self) -> float | None:
        best = self.threshold()
        if best is None:
            return 0.0 if self.n_targets else None
        return self.counts(best)[0] / self.n_targets

    def precision(self) -> float | None:
        hits, kept = self.counts(self.scene.threshold)
        return hits / kept if kept else None

    def recall(self) -> float | None:
        hits, _ = self.counts(self.scene.threshold)
        return hits / self.n_targets if self.n_targets else None

    def f1(self) -> float | None:
        p, r = self.precision(), self.recall()
        if r is None:
            return None
        return 0.0 if not p or not r else 2 * p * r / (p + r)

    def threshold(self) -> float | None:
        scores = {score for pairs in self.counted for score, _ in pairs}
        if not scores or not self.n_targets:
            return None

        def quality(score: float) -> tuple[float, float]:
            hits, kept = self.counts(score)
            return (2 * hits / (kept + self.n_targets), score)

        return max(scores, key=quality)

    # -- points and pixels ------------------------------------------------------------------

    @staticmethod
    def pixels_of(box: list[float], shape: tuple[int, int]) -> set[tuple[int, int]]:
        return {
            (y, x)
            for y in range(shape[0])
            for x in range(shape[1])
            if box[0] <= x + 0.5 < box[2] and box[1] <= y + 0.5 < box[3]
        }

    def kept(self, image: SceneImage) -> list[list[float]]:
        return [
            box
            for score, box in zip(image.scores, image.boxes, strict=True)
            if score >= self.scene.threshold
        ]

    @staticmethod
    def distance(a: list[float], b: list[float]) -> float:
        return math.hypot(a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3]) / 2

    def _raster(self, boxes: list[list[float]], shape: tuple[int, int]) -> list[list[float]]:
        def key(box: list[float]) -> Any:
            pixels = self.pixels_of(box, shape)
            first = min(pixels) if pixels else (math.ceil(box[1] - 0.5), math.ceil(box[0] - 0.5))
            return (first, box[0] + box[2], box[1] + box[3], len(pixels))

        return sorted(boxes, key=key)

    def _raster_match(self, image: SceneImage) -> tuple[list[list[float]], list[list[float]]]:
        unused, used = self._raster(self.kept(image), image.shape), []
        for target in self._raster(image.targets, image.shape):
            for box in unused:
                if self.distance(box, target) < 3:
                    used.append(box)
                    unused.remove(box)
                    break
        return used, unused

    def _best_match(self, image: SceneImage) -> tuple[list[list[float]], list[list[float]]]:
        kept = self._raster(self.kept(image), image.shape)
        best: tuple[int, float, list[int]] = (0, 0.0, [])

        def extend(i: int, n: int, length: float, used: list[int]) -> None:
            nonlocal best
            if i == len(image.targets):
                if (n, -round(length, 9)) > (best[0], -round(best[1], 9)):
                    best = (n, length, used)
                return
            extend(i + 1, n, length, used)
            for j, box in enumerate(kept):
                distance = self.distance(box, image.targets[i])
                if j not in used and distance < 3:
                    extend(i + 1, n + 1, length + distance, [*used, j])

        extend(0, 0, 0.0, [])
        used = [kept[j] for j in best[2]]
        return used, [box for j, box in enumerate(kept) if j not in best[2]]

    def _pd(self, match: Any) -> float | None:
        hits = sum(len(match(image)[0]) for image in self.scene.images)
        return hits / self.n_targets if self.n_targets else None

    def _fa(self, match: Any, legacy: bool = False) -> float | None:
        false = size = 0
        for image in self.scene.images:
            used, unused = match(image)
            size += image.shape[0] * image.shape[1]
            excused = [len(self.pixels_of(box, image.shape)) for box in used] if legacy else []
            areas = [len(self.pixels_of(box, image.shape)) for box in unused]
            false += sum(area for area in areas if area not in excused)
        return false / size if size else None

    def pd(self) -> float | None:
        return self._pd(self._raster_match)

    def fa(self) -> float | None:
        return self._fa(self._raster_match)

    def fa_legacy(self) -> float | None:
        return self._fa(self._raster_match, legacy=True)

    def pd_hungarian(self) -> float | None:
        return self._pd(self._best_match)

    def fa_hungarian(self) -> float | None:
        return self._fa(self._best_match)

    def _alarms(self, images: list[SceneImage]) -> float | None:
        false = sum(len(self._raster_match(image)[1]) for image in images)
        return false / len(images) if images else None

    def alarms_per_frame(self) -> float | None:
        return self._alarms(list(self.scene.images))

    def alarms_free(self) -> float | None:
        return self._alarms([image for image in self.scene.images if not len(image.targets)])

    def ap_point(self) -> float | None:
        """Down the scores, ties in raster order, to the nearest free target."""
        if self.n_targets == 0:
            return None
        rows = []
        for image, pairs in zip(self.scene.images, self.counted, strict=True):
            free = self._raster(image.targets, image.shape)
            place = {
                id(box): n for n, box in enumerate(self._raster([b for _, b in pairs], image.shape))
            }
            for score, box in sorted(pairs, key=lambda pair: (-pair[0], place[id(pair[1])])):
                near = [(self.distance(box, t), j) for j, t in enumerate(free)]
                near = [pair for pair in near if pair[0] < 3]
                if near:
                    free.pop(min(near)[1])
                rows.append((score, bool(near)))
        points = []
        for level in {score for score, _ in rows}:
            kept = [hit for score, hit in rows if score >= level]
            points.append((sum(kept) / self.n_targets, sum(kept) / len(kept)))
        best = [
            max((precision for recall, precision in points if recall >= level), default=0.0)
            for level in np.linspace(0, 1, 101)
        ]
        return sum(best) / 101

    def masks(self) -> list[tuple[set[tuple[int, int]], set[tuple[int, int]]]]:
        """Kept pixels and target pixels of each image."""
        return [
            (
                set().union(*(self.pixels_of(box, image.shape) for box in self.kept(image))),
                set().union(*(self.pixels_of(box, image.shape) for box in image.targets)),
            )
            for image in self.scene.images
        ]

    def pixel_iou(self) -> float | None:
        union = sum(len(kept | mask) for kept, mask in self.masks())
        return sum(len(kept & mask) for kept, mask in self.masks()) / union if union else None

    def niou(self) -> float | None:
        each = [len(k & m) / len(k | m) if k | m else 1.0 for k, m in self.masks()]
        return sum(each) / len(each) if each else None

    def pixel_recall(self) -> float | None:
        n_pixels = sum(len(mask) for _, mask in self.masks())
        hit = sum(len(kept & mask) for kept, mask in self.masks())
        return hit / n_pixels if n_pixels else None

    def pixel_precision(self) -> float | None:
        n_pixels = sum(len(kept) for kept, _ in self.masks())
        hit = sum(len(kept & mask) for kept, mask in self.masks())
        return hit / n_pixels if n_pixels else None

    def pixel_f1(self) -> float | None:
        p, r = self.pixel_precision() or 0.0, self.pixel_recall()
        if r is None:
            return None
        return 2 * p * r / (p + r) if p + r else 0.0


@pytest.fixture(scope="session")
def slow_metrics() -> type[SlowMetrics]:
    """``slow_metrics(scene)`` has one method per metric."""
    return SlowMetrics
