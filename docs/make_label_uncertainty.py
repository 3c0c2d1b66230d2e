"""What AP the ground truth reaches against itself when its boxes are off by a fraction of a pixel.

Run it from the repository's root, with ``IRBENCH_DATA`` set::

    python docs/make_label_uncertainty.py nudt nuaa irstd1k

Every true box of the test split is returned as a detection after each of its four edges was moved
by a uniform random amount of at most so many pixels: a detector that finds every target and has no
false alarm, and knows edges as well as that. The means are over 20 draws.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

import irbench
from irbench.ground_truth import GroundTruth

AMPLITUDES = (0.25, 0.5, 0.75, 1.0, 1.5)
N_DRAWS = 20
LEAST_SIDE = 0.1
"""A box keeps at least this side, in pixels."""


def moved(truth: GroundTruth, amplitude: float, rng: np.random.Generator) -> irbench.Detections:
    """The boxes of an image, each edge moved by up to ``amplitude`` px, with scores at random."""
    boxes = truth.boxes + rng.uniform(-amplitude, amplitude, truth.boxes.shape)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + LEAST_SIDE)
    height, width = truth.shape
    boxes[:, 0::2] = boxes[:, 0::2].clip(0, width)
    boxes[:, 1::2] = boxes[:, 1::2].clip(0, height)
    return irbench.Detections(boxes=boxes, scores=rng.uniform(0.1, 1, len(boxes)))


def reached(truths: Sequence[GroundTruth], amplitude: float) -> tuple[float, float]:
    """Mean AP at IoU 0.5 and 0.3 over the draws."""
    values = []
    for seed in range(N_DRAWS):
        rng = np.random.default_rng(seed)
        found = {truth.id: moved(truth, amplitude, rng) for truth in truths}
        result = irbench.evaluate(found, truths, threshold=0.0)
        values.append((result["map50"], result["map30"]))
    map50, map30 = np.mean(np.array(values, float), axis=0)
    return float(map50), float(map30)


def main() -> None:
    """Print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="+")
    names = parser.parse_args().datasets
    header = [f"±{amplitude:g} px" for amplitude in AMPLITUDES]
    print("| dataset | median box, px | " + " | ".join(header) + " |")
    print("| --- | ---: |" + " ---: |" * len(AMPLITUDES))
    for name in names:
        dataset = irbench.load_dataset(name, split="test")
        truths = [GroundTruth.of(sample) for sample in dataset]
        boxes = np.concatenate([truth.boxes for truth in truths])
        sides = np.median(boxes[:, 2:] - boxes[:, :2], axis=0)
        cells = [
            f"{100 * map50:.1f} / {100 * map30:.1f}"
            for map50, map30 in (reached(truths, amplitude) for amplitude in AMPLITUDES)
        ]
        print(f"| {dataset.info.title} | {sides[0]:g} x {sides[1]:g} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
