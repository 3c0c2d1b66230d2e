"""Makes ``pyirstdmetrics.npz``: what PyIRSTDMetrics says of a few pairs of masks.

PyIRSTDMetrics pins a NumPy before 2, and so lives in an environment of its own::

    python -m venv toolkit && toolkit/bin/pip install pyirstdmetrics==1.0.2
    toolkit/bin/python tests/oracles/pyirstdmetrics.py
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from py_irstd_metrics import (
    CMMetrics,
    FmeasureHandler,
    HierarchicalIoUBasedErrorAnalysis,
    IoUHandler,
    MatchingBasedMetrics,
    PrecisionHandler,
    ProbabilityDetectionAndFalseAlarmRate,
    RecallHandler,
)

SHAPE = (40, 48)
FILE = Path(__file__).with_suffix(".npz")


def squares(*places):
    """A mask of filled rectangles (row, column, height, width)."""
    mask = np.zeros(SHAPE, bool)
    for row, column, height, width in places:
        mask[row : row + height, column : column + width] = True
    return mask


def clutter(seed, n, step):
    """Random rectangles on a grid."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(np.arange(2, 34, step), np.arange(2, 42, step)), -1)
    chosen = rng.permutation(places.reshape(-1, 2))[:n]
    return [(*place, *rng.integers(1, 5, 2)) for place in chosen]


def near(places, seed, share):
    """The same rectangles a little aside and of another size, less some."""
    rng = np.random.default_rng(seed)
    return [
        (row + rng.integers(-1, 2), column + rng.integers(-1, 2), h + rng.integers(0, 2), w)
        for row, column, h, w in places
        if rng.random() < share
    ]


def pairs():
    """By name, (kept, truth)."""
    crowd = clutter(1, 9, 9)
    return {
        "perfect": (squares((5, 5, 3, 3)), squares((5, 5, 3, 3))),
        "a pixel aside": (squares((5, 6, 3, 3)), squares((5, 5, 3, 3))),
        "near without overlap": (squares((5, 8, 1, 1)), squares((5, 6, 1, 1))),
        "three pixels away": (squares((5, 8, 1, 1)), squares((5, 5, 1, 1))),
        "two targets in one region": (
            squares((10, 10, 3, 9)),
            squares((10, 10, 3, 3), (10, 15, 3, 4)),
        ),
        "two regions at one target": (
            squares((10, 10, 4, 2), (10, 13, 4, 2)),
            squares((10, 10, 4, 5)),
        ),
        "overlap with a far centroid": (squares((3, 3, 2, 28)), squares((3, 3, 2, 20))),
        "false alarms alone": (squares((4, 4, 2, 2), (20, 30, 3, 3)), squares()),
        "misses alone": (squares(), squares((4, 4, 2, 2), (20, 30, 3, 3))),
        "nothing": (squares(), squares()),
        "crowd": (squares(*near(crowd, 2, 0.8), *clutter(3, 4, 11)), squares(*crowd)),
        "dense": (squares(*clutter(4, 40, 5)), squares(*clutter(5, 40, 5))),
        "a region far away upsets the order": (
            squares((10, 10, 2, 12), (10, 24, 2, 2), (36, 2, 3, 3)),
            squares((10, 10, 2, 20), (30, 40, 2, 2)),
        ),
        "clutter": (squares(*clutter(6, 12, 8)), squares(*clutter(7, 3, 8))),
    }


def measure(images):
    """All that the toolkit says of a set of images."""
    pixels = CMMetrics(
        metric_handlers={
            "iou": IoUHandler(sample_based=False),
            "niou": IoUHandler(sample_based=True),
            "pixel_recall": RecallHandler(sample_based=False),
            "pixel_precision": PrecisionHandler(sample_based=False),
            "pixel_f1": FmeasureHandler(
                with_dynamic=False, with_binary=True, sample_based=False, beta=1.0
            ),
        }
    )
    points = ProbabilityDetectionAndFalseAlarmRate()
    hiou, errors = MatchingBasedMetrics(), HierarchicalIoUBasedErrorAnalysis()
    for kept, truth in images:
        for metric in (pixels, points, hiou, errors):
            metric.update(kept.astype(float), truth)
    point_values = points.get()
    said = {
        "pd": point_values["probability_detection"],
        "fa": point_values["false_alarm"],
        **{name: values["binary"] for name, values in pixels.get().items()},
        "hiou": hiou.get()["hiou"],
        **errors.get(),
    }
    return {name: float(np.asarray(values).item()) for name, values in said.items()}


def main():
    images = pairs()
    said = {name: measure([pair]) for name, pair in images.items()}
    said["all"] = measure(images.values())
    kept, truth = (np.stack(masks) for masks in zip(*images.values(), strict=True))
    np.savez_compressed(
        FILE,
        kept=kept,
        truth=truth,
        names=np.array(list(images)),
        said=np.array(json.dumps(said)),
        version=np.array(version("pyirstdmetrics")),
    )


if __name__ == "__main__":
    main()
