"""Every metric against a slow implementation of its definition, over awkward inputs."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.detections.boxes import filled_ranges
from irbench.metrics import (
    average_precision,
    counting,
    operating_point,
    pixels,
    point_average_precision,
    points,
    yolo_average_precision,
)
from irbench.metrics.components import Components
from irbench.metrics.definition import METRICS
from irbench.metrics.matching import match_detections
from irbench.metrics.packed_components import PackedComponents


def table_of(scene):
    return match_detections(*scene.lists(), max_detections=scene.max_detections)


def box_counts(scene):
    return counting.count_boxes(table_of(scene), scene.threshold)


def kept_boxes(image, threshold):
    return [b for b, s in zip(image.boxes, image.scores, strict=True) if s >= threshold]


def point_counts(scene, matching="raster"):
    boxes = [(kept_boxes(image, scene.threshold), image.targets) for image in scene.images]
    found, targets = (
        PackedComponents.of(
            Components.from_boxes(pair[side], image.shape)
            for pair, image in zip(boxes, scene.images, strict=True)
        )
        for side in (0, 1)
    )
    n_pixels = np.array([image.shape[0] * image.shape[1] for image in scene.images], np.int64)
    return points.count_points(found, targets, n_pixels, matching)


def loose_table(scene):
    return match_detections(*scene.lists(), (0.3,), scene.max_detections)


def ranked_points(scene):
    rows = table_of(scene)
    found, scores, targets = [], [], []
    for index, image in enumerate(scene.images):
        # The limit is of the best-scored boxes, before any matching.
        kept = rows.detection_index[rows.image_index == index]
        found.append(Components.from_boxes([image.boxes[i] for i in kept], image.shape))
        scores += [image.scores[i] for i in kept]
        targets.append(Components.from_boxes(image.targets, image.shape))
    return point_average_precision.match_points(
        PackedComponents.of(found), np.array(scores, float), PackedComponents.of(targets)
    )


def fill(boxes, shape):
    mask = np.zeros(shape, bool)
    for x0, y0, x1, y1 in filled_ranges(boxes, shape):
        mask[y0:y1, x0:x1] = True
    return mask


def pixel_counts(scene):
    return pixels.count_pixels(
        (
            fill(kept_boxes(image, scene.threshold), image.shape),
            fill(image.targets, image.shape),
        )
        for image in scene.images
    )


OURS = {
    "precision": lambda s, w: counting.precision(box_counts(s), w),
    "recall": lambda s, w: counting.recall(box_counts(s), w),
    "f1": lambda s, w: counting.f1(box_counts(s), w),
    "map50": lambda s, w: average_precision.average_precision(table_of(s), weights=w),
    "map50_95": lambda s, w: average_precision.map50_95(table_of(s), w),
    "ap_all_point": lambda s, w: average_precision.average_precision(
        table_of(s), weights=w, estimator="all-point"
    ),
    "map30": lambda s, w: average_precision.average_precision(loose_table(s), 0.3, w),
    "map75": lambda s, w: average_precision.average_precision(table_of(s), 0.75, w),
    "ap_yolo": lambda s, w: yolo_average_precision.ap_yolo(table_of(s), w),
    "ap_ultralytics": lambda s, w: yolo_average_precision.ap_ultralytics(table_of(s), w),
    "precision_yolo": lambda s, w: yolo_average_precision.precision_yolo(table_of(s), w),
    "recall_yolo": lambda s, w: yolo_average_precision.recall_yolo(table_of(s), w),
    "ap_point": lambda s, w: point_average_precision.ap_point(ranked_points(s), w),
    "threshold": lambda s, w: operating_point.best_f1_threshold(table_of(s), weights=w),
    "pd": lambda s, w: points.pd(point_counts(s), w),
    "fa": lambda s, w: points.fa(point_counts(s), w),
    "fa_legacy": lambda s, w: points.fa_legacy(point_counts(s), w),
    "pd_hungarian": lambda s, w: points.pd(point_counts(s, "hungarian"), w),
    "fa_hungarian": lambda s, w: points.fa(point_counts(s, "hungarian"), w),
    "alarms_per_frame": lambda s, w: points.alarms_per_frame(point_counts(s), w),
    "alarms_free": lambda s, w: points.alarms_free(point_counts(s), w),
    "iou": lambda s, w: pixels.iou(pixel_counts(s), w),
    "niou": lambda s, w: pixels.niou(pixel_counts(s), w),
    "pixel_recall": lambda s, w: pixels.pixel_recall(pixel_counts(s), w),
    "pixel_precision": lambda s, w: pixels.pixel_precision(pixel_counts(s), w),
    "pixel_f1": lambda s, w: pixels.pixel_f1(pixel_counts(s), w),
}
SLOW_NAMES = {"iou": "pixel_iou"}


def assert_same(value, expected, tolerance):
    if value is None or expected is None:
        assert value is expected
    else:
        assert value == pytest.approx(expected, rel=0, abs=tolerance)


# Against the toolkit of their authors, in test_hierarchical_iou.py.
HIERARCHICAL = {"hiou", "hiou_segmentation", "hiou_localisation", "hiou_toolkit"}


def test_every_metric_of_boxes_points_and_pixels_is_compared():
    # Those of score maps are compared in tests of their own.
    names = {name for name, metric in METRICS.items() if metric.kind not in ("cost", "maps")}
    assert names == set(OURS) | HIERARCHICAL


@pytest.mark.parametrize("name", OURS)
def test_equals_the_slow_implementation(name, scene, slow_metrics):
    expected = getattr(slow_metrics(scene), SLOW_NAMES.get(name, name))()
    ours = OURS[name](scene, None)
    assert_same(ours.value, expected, 1e-12)
    assert bool(ours.reason) == (expected is None)
    low, high = METRICS[name].bounds
    assert ours.value is None or low <= ours.value <= high


@pytest.mark.parametrize("name", OURS)
def test_a_weight_is_the_image_so_many_times(name, scene, scene_type):
    """What a bootstrap relies on: no draw needs another matching."""
    times = np.random.default_rng(5).integers(0, 4, len(scene.images))
    repeated = scene_type(
        [image for image, n in zip(scene.images, times, strict=True) for _ in range(n)],
        scene.threshold,
        scene.max_detections,
    )
    weighted, expected = OURS[name](scene, times), OURS[name](repeated, None)
    assert_same(weighted.value, expected.value, 1e-12)


@pytest.mark.parametrize("name", OURS)
def test_no_order_of_a_list_matters(name, scene, scene_type):
    """Of images, detections or targets; equal to the last bit, sums of ratios excepted."""
    rng = np.random.default_rng(6)
    shuffled = scene_type(
        [shuffle_lists(scene.images[i], rng) for i in rng.permutation(len(scene.images))],
        scene.threshold,
        scene.max_detections,
    )
    before, after = OURS[name](scene, None), OURS[name](shuffled, None)
    assert_same(after.value, before.value, 1e-15 if name == "niou" else 0)


def shuffle_lists(image, rng):
    order = rng.permutation(len(image.boxes))
    return type(image)(
        [image.boxes[i] for i in order],
        [image.scores[i] for i in order],
        [image.targets[i] for i in rng.permutation(len(image.targets))],
        image.shape,
    )


@pytest.mark.parametrize("name", OURS)
def test_bad_weights_are_refused(name, make_scene):
    scene = make_scene(1, 3, None)
    with pytest.raises(ValueError, match=r"weights must have shape \(3,\), got \(2,\)"):
        OURS[name](scene, [1, 1])
    with pytest.raises(ValueError, match=r"weights\[1\] must be finite and at least 0"):
        OURS[name](scene, [1, -1, 1])
