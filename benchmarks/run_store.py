"""Memory of going on with a run of many images, and of reporting it: each in a fresh process.

python benchmarks/run_store.py                     # 100,000 images, 5 methods, 10 detections each
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from irbench.detections import Detections
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.image_records import ImageRecord, StageTimes
from irbench.engine.storage.journal import Journal
from irbench.engine.storage.map_statistics_file import map_statistics_writer
from irbench.engine.storage.parquet_files import (
    detections_writer,
    read_detections,
    read_ground_truth,
    timings_writer,
    write_blocks,
    write_ground_truth,
)
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.resources import peak_memory
from irbench.scoring.evaluation import evaluate

SHAPE = (64, 64)
N_DETECTIONS = 10


def truths(n_images):
    for number in range(n_images):
        mask = np.zeros(SHAPE, bool)
        row, column = number % 60, number // 60 % 60
        mask[row : row + 3, column : column + 3] = True
        targets = mask_regions(mask)
        yield GroundTruth(f"{number:06d}", SHAPE, targets.boxes, targets)


def entries(n_images, seed):
    rng = np.random.default_rng(seed)
    for number in range(n_images):
        mask = np.zeros(SHAPE, bool)
        mask[number % 60 : number % 60 + 3, number // 60 % 60 : number // 60 % 60 + 3] = True
        # Single pixels on a grid of 4 px, so that none touches another.
        rows, columns = np.divmod(rng.choice(256, N_DETECTIONS - 1, replace=False), 16)
        mask[4 * rows, 4 * columns] = True
        regions = mask_regions(mask)
        scores = rng.normal(5, 2, len(regions))
        found = {0.3: Detections(regions.boxes, scores, regions)}
        yield ImageRecord("test", f"{number:06d}", found, StageTimes(0.1, 5.0, 0.4))


def make(run, n_images, n_methods):
    """Write the journals, as they are when a run is killed just before its end."""
    directory = RunDirectory(run)
    write_ground_truth(directory.ground_truth_file, {"test": list(truths(n_images))})
    for method in range(n_methods):
        with Journal(directory.journal_file(f"m{method}"), "key") as journal:
            for entry in entries(n_images, method):
                journal.add(entry)


def resume(run, n_methods):
    """Open each journal again, and make the Parquet files of it."""
    directory = RunDirectory(run)
    ids = [truth.id for truth in read_ground_truth(directory.ground_truth_file)["test"]]
    for name in (f"m{method}" for method in range(n_methods)):
        with Journal(directory.journal_file(name), "key") as journal:
            keys = (("test", image) for image in ids)
            write_blocks(
                journal.blocks(key for key in keys if key in journal.entries),
                map_statistics_writer(directory.map_statistics_file(name)),
                detections_writer(directory.detections_file(name)),
                timings_writer(directory.timings_file(name), {}, "test"),
            )


def report(run, n_methods):
    """Read what each method found, and score it."""
    directory = RunDirectory(run)
    images = read_ground_truth(directory.ground_truth_file)["test"]
    shapes = {truth.id: truth.shape for truth in images}
    for method in range(n_methods):
        found = read_detections(directory.detections_file(f"m{method}"), "test", 0.3, shapes)
        evaluate(found, images, threshold=5.0)


STEPS = {"resume": resume, "report": report}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--methods", type=int, default=5)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        start = time.process_time()
        STEPS[arguments.step](arguments.run, arguments.methods)
        seconds = round(time.process_time() - start, 1)
        memory = round((peak_memory() or 0) / 1e6)
        print(json.dumps({"processor s": seconds, "peak MB": memory}))
        return
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        make(run, arguments.images, arguments.methods)
        for step in STEPS:
            command = [sys.executable, __file__, "--step", step, "--run", str(run)]
            command += ["--images", str(arguments.images), "--methods", str(arguments.methods)]
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            print(f"{step}, {arguments.methods} x {arguments.images}: {answer.stdout.strip()}")


if __name__ == "__main__":
    main()
