"""A split read by workers: the same as read here, in whatever order images come back."""

from __future__ import annotations

import dataclasses

import numpy as np

from irbench.engine.executors.batches import run_batch
from irbench.engine.executors.executor import Outcome
from irbench.engine.jobs.specs import DatasetSpec
from irbench.engine.run.split_scan import scan_split


class Backwards:
    """Runs jobs here, the last first, and loses every third."""

    def run(self, function, jobs):
        for number, job in enumerate(reversed(list(jobs))):
            lost = (None, "the worker process died (SIGSEGV)", 0.0)
            yield Outcome(job, *(lost if number % 3 == 0 else run_batch(function, [job])[0]))


def test_workers_find_what_this_process_finds(tmp_path):
    import cv2

    from irbench.plugins.registry import load_dataset

    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        for number in range(8):
            pixels = np.zeros((12, 16), np.uint8)
            pixels[number : number + 2, 3:5] = 255
            cv2.imwrite(str(tmp_path / folder / f"{number}.png"), pixels)
    (tmp_path / "images" / "5.png").write_bytes(b"no image")
    data = load_dataset(str(tmp_path), split="all")
    spec = DatasetSpec(data.info.name, str(data.root), data.scheme)
    counts = []
    here = scan_split(data)
    by_workers = scan_split(data, None, lambda: counts.append(1), None, Backwards(), spec)
    assert len(counts) == 8
    assert list(by_workers.left_out) == ["5"]
    truths = [[(one.id, one.boxes.tolist()) for one in scan.truths] for scan in (here, by_workers)]
    assert truths[0] == truths[1]
    others = [dataclasses.replace(scan, truths=[]) for scan in (here, by_workers)]
    assert vars(others[0]) == vars(others[1])
