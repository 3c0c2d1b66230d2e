"""Measures what docs/camera.md says of real data: extents without labels, and alarm rates.

For each of the three published datasets and some quick methods:

- the extent of greatest AP@50 on the validation images; the extent that the other two datasets
  give together (their geometric mean, to the nearest candidate) against the one that was made on
  ``synth``, both on the test images;
- the threshold of 0.1 alarms a frame on training frames whose targets are painted out, and as
  they are; then the alarms of the test frames.

Run::

    python docs/make_camera.py --data-root DATA        # an hour, one core
    python docs/make_camera.py --tables                # the tables of the page alone
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import irbench
from irbench.conversion.components import detect_components
from irbench.ground_truth import GroundTruth
from irbench.metrics.average_precision import average_precision
from irbench.metrics.matching import match_detections
from irbench.protocol import EXTENTS
from irbench.sequences.threshold import alarm_threshold
from irbench.statistics.poisson import poisson_interval

DATASETS = ("nuaa", "nudt", "irstd1k")
METHODS = ("tophat", "newtophat", "mpcm", "aagd", "admd", "hbmlcm")
KINDS_OF_EXTENT = ("synth", "others", "own")
WANTED = 0.1
N_FRAMES = 300
GROWN_PX = 3
"""Targets are painted out with so much around them, since their blur reaches beyond the mask."""


def spread(ids: Sequence[str]) -> Sequence[str]:
    """At most about :data:`N_FRAMES`, evenly spread."""
    return ids[:: max(len(ids) // N_FRAMES, 1)]


def painted_out(sample: irbench.Sample) -> Any:
    """The image without its targets: their pixels continued from the surrounding background."""
    assert sample.mask is not None
    if not sample.mask.any():
        return sample.image
    side = 2 * GROWN_PX + 1
    grown = cv2.dilate(sample.mask.astype(np.uint8), np.ones((side, side), np.uint8))
    return cv2.inpaint(sample.image, grown, GROWN_PX, cv2.INPAINT_TELEA)


def extent_of(name: str, measured: dict[str, float]) -> float:
    """The geometric mean of several datasets' extents, to the nearest candidate."""
    mean = math.exp(sum(map(math.log, measured.values())) / len(measured))
    return min(EXTENTS, key=lambda extent: abs(math.log(extent / mean)))


def precision_by_extent(name: str, dataset: str, split: str, root: Path) -> dict[float, float]:
    """AP@50 of each candidate."""
    detector = irbench.load_method(name)
    opened = irbench.load_dataset(dataset, root, split)
    found: list[list[irbench.Detections]] = []
    truths = []
    for key in spread(opened.ids):
        sample = opened.load(key)
        score_map = detector.score_map(sample.image)
        found.append(detect_components(score_map, EXTENTS, keep_regions=False))
        truths.append(sample.boxes)
    result = {}
    for place, extent in enumerate(EXTENTS):
        images = [one[place] for one in found]
        boxes, scores = [one.boxes for one in images], [one.scores for one in images]
        table = match_detections(boxes, scores, truths, (0.5,))
        result[extent] = average_precision(table, 0.5).value or 0.0
    return result


def frames_of(
    dataset: str, split: str, root: Path, *, paint: bool
) -> Iterator[tuple[irbench.Sample, Any]]:
    """Samples, each with the frame that the detector gets."""
    opened = irbench.load_dataset(dataset, root, split)
    for key in spread(opened.ids):
        sample = opened.load(key)
        yield sample, painted_out(sample) if paint else sample.image


def alarm_rates(name: str, dataset: str, extent: float, root: Path) -> dict[str, Any]:
    """Alarms a frame of the test images at thresholds of the training frames."""
    detector = irbench.load_method(name)
    thresholds = {}
    for kind in ("painted out", "as they are"):
        scores = [
            detector.detect(image, extent=extent).scores
            for _, image in frames_of(dataset, "train", root, paint=kind == "painted out")
        ]
        thresholds[kind] = alarm_threshold(np.concatenate(scores), len(scores), WANTED)
    tested = [
        (sample, detector.detect(image, extent=extent), detector.detect(bare, extent=extent))
        for (sample, image), (_, bare) in zip(
            frames_of(dataset, "test", root, paint=False),
            frames_of(dataset, "test", root, paint=True),
            strict=True,
        )
    ]
    row: dict[str, Any] = {
        "method": name,
        "dataset": dataset,
        "extent": extent,
        "n_train": thresholds["painted out"].n_frames,
        "n_test": len(tested),
    }
    n_test = len(tested)
    for kind, chosen in thresholds.items():
        result = irbench.evaluate(
            {sample.id: found for sample, found, _ in tested},
            [GroundTruth.of(sample) for sample, _, _ in tested],
            threshold=chosen.threshold,
        )
        row[f"{kind}: alarms beside targets"] = int(result.counts.points.false_components.sum())
        row[f"{kind}: alarms on frames painted out"] = sum(
            len(bare.above(chosen.threshold)) for _, _, bare in tested
        )
    for name_of, n_alarms in list(row.items()):
        if "alarms" in name_of:
            low, high = poisson_interval(n_alarms, n_test)
            rate = n_alarms / n_test
            within = WANTED / 2 <= rate <= 2 * WANTED or low <= WANTED <= high
            row[name_of] = {"rate": rate, "interval": [low, high], "within": within}
    return row


def tables(content: dict[str, Any]) -> str:
    """The two tables of docs/camera.md, as Markdown."""
    lines = [
        "AP@50 of the test images, in percent, at the extent made on `synth`, at the one that the",
        "other two datasets give (as what ships would be made without this one), and at its own.",
        "",
        "| method | dataset | synth | other cameras | own |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in content["extents"]:
        cells = [f"{100 * row[name][1]:.1f} ({row[name][0]:g})" for name in KINDS_OF_EXTENT]
        lines.append(f"| {row['method']} | {row['dataset']} | {' | '.join(cells)} |")
    means = [
        sum(100 * row[name][1] for row in content["extents"]) / len(content["extents"])
        for name in KINDS_OF_EXTENT
    ]
    lines.append(f"| mean | | {' | '.join(f'{mean:.1f}' for mean in means)} |")
    lines += [
        "",
        f"Alarms a frame of the test images at thresholds for {content['wanted']:g} a frame, from",
        "training frames with their targets painted out, and as they are. ✓: within a factor of",
        "two, or its 95 % Poisson interval holds the wanted rate.",
        "",
        "| method | dataset | painted out → painted out | painted out → as is | as is → as is |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in content["alarms"]:
        cells = [
            f"{row[name]['rate']:.3f}{' ✓' if row[name]['within'] else ''}"
            for name in (
                "painted out: alarms on frames painted out",
                "painted out: alarms beside targets",
                "as they are: alarms beside targets",
            )
        ]
        lines.append(f"| {row['method']} | {row['dataset']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write_tables(content: dict[str, Any]) -> None:
    """Put the tables between their marks on the page."""
    page = Path(__file__).with_name("camera.md")
    before, begin, rest = page.read_text().partition("<!-- tables: begin -->")
    _, end, after = rest.partition("<!-- tables: end -->")
    page.write_text(f"{before}{begin}\n\n{tables(content)}\n\n{end}{after}")


def main() -> None:
    """Write the figures as JSON, and the tables of the page."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--tables", action="store_true", help="make the tables from the JSON")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).with_name("results") / "camera.json"
    )
    options = parser.parse_args()
    if options.tables:
        write_tables(json.loads(options.out.read_text()))
        return
    shipped = resources.files("irbench.methods") / "calibration.json"
    made_on_synth = json.loads(shipped.read_text())["methods"]
    extents, alarms = [], []
    best: dict[str, dict[str, float]] = {}
    for name in options.methods.split(","):
        best[name] = {}
        for dataset in DATASETS:
            values = precision_by_extent(name, dataset, "val", options.data_root)
            best[name][dataset] = max(values, key=lambda extent: (values[extent], extent))
        on_synth = float(made_on_synth[name]["extent"])
        for dataset in DATASETS:
            others = {key: value for key, value in best[name].items() if key != dataset}
            values = precision_by_extent(name, dataset, "test", options.data_root)
            foreign = extent_of(name, others)
            extents.append(
                {
                    "method": name,
                    "dataset": dataset,
                    "synth": [on_synth, values[on_synth]],
                    "others": [foreign, values[foreign]],
                    "own": [best[name][dataset], values[best[name][dataset]]],
                }
            )
            print(extents[-1], flush=True)
            alarms.append(alarm_rates(name, dataset, foreign, options.data_root))
            print(alarms[-1], flush=True)
    content = {"best_extents": best, "extents": extents, "wanted": WANTED, "alarms": alarms}
    options.out.write_text(json.dumps(content, indent=1) + "\n")
    write_tables(content)


if __name__ == "__main__":
    main()
