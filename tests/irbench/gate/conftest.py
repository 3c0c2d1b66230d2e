"""Run directories as the engine leaves them, with known faults."""

from __future__ import annotations

import hashlib

import numpy as np
import orjson
import pytest

from irbench.detections import Detections
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.image_records import ImageRecord, StageTimes
from irbench.engine.storage.parquet_files import write_detections, write_ground_truth, write_timings
from irbench.engine.storage.results import load_run
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.protocol import TABLE1
from irbench.scoring.evaluation import evaluate

SHAPE = (40, 56)
THRESHOLD = 1.0


def regions_at(places, size=3):
    mask = np.zeros(SHAPE, bool)
    for row, column in places:
        mask[row : row + size, column : column + size] = True
    return mask_regions(mask)


def method_rng(name, image):
    digest = hashlib.sha256(f"{name} {image}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))


def detect(
    name,
    image,
    places,
    clutter,
    power=0.8,
    drop=0.0,
    shift=0,
    seed=0,
    boxes_only=False,
    noise=0.0,
    noise_seed=0,
):
    """Most targets, some clutter; ``drop`` of the hits are lost, what is left is shifted.

    With ``boxes_only`` as a network answers, boxes that are never whole pixels; ``noise`` is
    what another arithmetic makes of scores and boxes, relative.
    """
    rng = method_rng(f"{name} {seed}", image)
    hit = rng.random(len(places)) < power
    scores = rng.uniform(0.8, 3, len(places) + len(clutter))
    lost = np.random.default_rng([7, *image.encode()]).random(len(places)) < drop
    found = [
        (place, score)
        for place, score, kept in zip(places, scores, hit & ~lost, strict=False)
        if kept
    ]
    found += list(zip(clutter, scores[len(places) :], strict=True))
    # Components come in raster order.
    found.sort(key=lambda one: one[0])
    regions = regions_at([(row, column + shift) for (row, column), _ in found])
    if boxes_only:
        boxes = regions.boxes + rng.normal(0, 0.3, regions.boxes.shape)
        scores = np.array([score for _, score in found])
        noises = np.random.default_rng([noise_seed, *image.encode()])
        boxes = boxes * (1 + noise * noises.standard_normal(boxes.shape))
        return Detections(boxes, scores * (1 + noise * noises.standard_normal(scores.shape)))
    return Detections(regions.boxes, [score for _, score in found], regions)


def json_number(value):
    """As results.json has it, which knows no infinity."""
    return "inf" if value == float("inf") else value


class RunFactory:
    """Writes run directories of the methods ``classic`` (deterministic) and ``net`` (trained).

    ``faults`` gives arguments of :func:`detect` by method, ``rows`` fields to change of a row,
    ``facts`` of a method's facts, ``key`` of the run's key.
    """

    def __init__(self, folder):
        self.folder = folder
        self.made = {}

    def __call__(self, methods=("classic", "net"), **arguments):
        """A run, shared by all tests that ask for the same one."""
        asked = repr((methods, sorted(arguments.items())))
        if asked not in self.made:
            self.made[asked] = self.write(f"run-{len(self.made)}", methods, **arguments)
        return self.made[asked]

    def write(
        self,
        name,
        methods,
        n_images=40,
        faults=None,
        rows=None,
        facts=None,
        key=None,
        per_image_ms=None,
        threshold=THRESHOLD,
    ):
        directory = RunDirectory(self.folder / name)
        places = [(4, 4), (20, 30)]
        targets = regions_at(places)
        images = [f"scene-{index:03d}" for index in range(n_images)]
        truths = [GroundTruth(image, SHAPE, targets.boxes, targets) for image in images]
        write_ground_truth(directory.ground_truth_file, {"test": truths})
        written, known = [], {}
        for name in methods:
            fault = (faults or {}).get(name, {})
            found = {image: detect(name, image, places, [(32, 10)], **fault) for image in images}
            entries = [ImageRecord("test", image, {0.25: one}) for image, one in found.items()]
            write_detections(directory.detections_file(name), entries)
            times = {}
            if per_image_ms is not None:
                times = {im: StageTimes(0, per_image_ms[name] * (1 + i % 3), 0)
                         for i, im in enumerate(images[:20])}  # fmt: skip
            write_timings(directory.timings_file(name), [], times, "test")
            result = evaluate(found, truths, TABLE1, threshold=threshold)
            of_network = {"weights": "net-a", "weights_sha256": "aa"} if name == "net" else {}
            row = {
                "method": name, "title": name.title(), "group": "Test Methods", "year": 2026,
                "state": "done", "reason": "", "dataset": "made",
                "kind": "score-map", "threshold": json_number(threshold), "extent": 0.25,
                "calibration": "validation", "method_params": {}, "n_failed": 0,
                **of_network, **result.values, "undefined": result.undefined,
                **(rows or {}).get(name, {}),
            }  # fmt: skip
            written.append(row)
            known[name] = {
                "state": row["state"],
                "facts": {
                    "params": {"size": 5},
                    "code": "c0de",
                    "conversion": "components/1",
                    **({"weights_sha256": "aa"} if of_network else {}),
                    **(facts or {}).get(name, {}),
                },
                "calibration": {"extent": 0.25},
            }
        run_key = {"dataset": "made", "split": "test", "limit": None,
                   "manifests": {"test": "0123"}, "protocol": TABLE1.as_dict(),
                   **(key or {})}  # fmt: skip
        dataset = {"name": "made", "title": "Made up", "split": "test", "scheme": "",
                   "n_images": n_images, "n_targets": 2 * n_images}  # fmt: skip
        directory.write(
            {
                "key": run_key,
                "dataset": dataset,
                "versions": {"numpy": "2.4.0"},
                "machine": {"processor": "abacus"},
                "methods": known,
            }
        )
        directory.results_file.write_bytes(orjson.dumps({"rows": written}))
        return load_run(directory.path)


@pytest.fixture(scope="session")
def make_run(tmp_path_factory):
    return RunFactory(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def reference_run(make_run):
    """The run that baselines are made of."""
    return make_run()


@pytest.fixture(scope="session")
def baseline(reference_run):
    from irbench.gate.recording import record_baseline

    return record_baseline(reference_run)
