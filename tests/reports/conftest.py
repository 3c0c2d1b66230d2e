"""Runs on disk, without running anything."""

from __future__ import annotations

import dataclasses

import pytest

from irbench.engine.directory import RunDirectory
from irbench.engine.results import load_run, write_results
from irbench.protocol import TABLE1

DATASETS = {
    "irstd1k": ("IRSTD-1k", 201, 298),
    "nuaa": ("NUAA-SIRST", 86, 107),
    "nudt": ("NUDT-SIRST", 266, 371),
    "folder": ("my night scenes", 14, 11),
}
BACKGROUND, HVS, LOW_RANK, DEEP = (
    "Background Suppression",
    "HVS-based Methods",
    "Low-rank and Sparse Decomposition",
    "Deep Learning Methods",
)


def identity(method, title=None, group=BACKGROUND, year=2010, **more):
    """What every row has, finished or not."""
    return {
        "method": method,
        "title": title or method.upper(),
        "group": group,
        "year": year,
        "kind": "score-map",
        "note": "",
        "method_params": {},
        **more,
    }


def done(method, f1, title=None, group=BACKGROUND, year=2010, **more):
    """A finished row; every fraction is made of ``f1``."""
    return {
        **identity(method, title, group, year),
        "state": "done",
        "reason": "",
        "precision": f1 + 0.05,
        "recall": f1 - 0.05,
        "f1": f1,
        "map50": f1 - 0.1,
        "map50_95": f1 / 2,
        "pd": f1,
        "fa": (1 - f1) * 1e-4,
        "iou": f1 / 2,
        "niou": f1 / 2 + 0.01,
        "params": None,
        "flops": None,
        "fps": 100 * f1,
        "ms_median": 10 / f1,
        "threshold": 12.3456,
        "operating_point": "val-f1",
        "extent": 0.25,
        "calibration": "validation",
        "conversion": "components/1",
        "n_images": 0,
        "n_targets": 0,
        "n_failed": 0,
        "undefined": {
            "params": "a method without learned parameters",
            "flops": "a method without a network",
        },
        **more,
    }


def box(method, f1, title, **more):
    """A finished row of a network that answers boxes."""
    no_regions = "the method answers boxes only"
    fields = {
        "kind": "box",
        "group": DEEP,
        "year": 2025,
        "extent": None,
        "threshold": 0.25,
        "conversion": "",
        "iou": None,
        "niou": None,
        "params": 2_578_175,
        "flops": 7.51e9,
        "input_size": [640, 640],
        "undefined": {"iou": no_regions, "niou": no_regions},
    }
    return done(method, f1, title, **{**fields, **more})


def unfinished(method, state, reason, title=None, **more):
    """A row of a method without results: identity, state and reason."""
    return {**identity(method, title, **more), "state": state, "reason": reason}


@pytest.fixture
def rows():
    """Makers of rows: ``rows.done("tophat", 0.7)``."""

    class Rows:
        pass

    for maker in (done, box, unfinished, identity):
        setattr(Rows, maker.__name__, staticmethod(maker))
    return Rows


@pytest.fixture
def make_run(tmp_path):
    """Write a run directory as the engine does, and read it again."""

    def make(
        dataset, rows, name=None, *, split="test", scheme="60-20-20", limit=None, manifest=None,
        calibration="validation", left_out=None, machine=None, running=(), **protocol,
    ):  # fmt: skip
        title, n_images, n_targets = DATASETS[dataset]
        path = tmp_path / (name or dataset)
        directory = RunDirectory(path)
        facts = {"dataset": dataset, "dataset_title": title, "split": split, "scheme": scheme}
        rows = [{**row, **facts} for row in rows]
        for row in rows:
            if "n_images" in row:
                row["n_images"], row["n_targets"] = n_images, n_targets
            if row.get("operating_point"):
                row["operating_point"] = protocol.get("operating_point", "val-f1")
        run = {
            "key": {
                "dataset": dataset,
                "scheme": scheme,
                "split": split,
                "limit": limit,
                "manifests": {split: manifest or f"{dataset}-{split}", "val": f"{dataset}-val"},
                "protocol": dataclasses.replace(TABLE1, **protocol).as_dict(),
                "calibration": calibration,
            },
            "dataset": {
                "name": dataset,
                "title": title,
                "reference": "",
                "scheme": scheme,
                "split": split,
                "n_images": n_images,
                "n_targets": n_targets,
                "left_out": left_out or {},
            },
            "command": ["irbench", "run"],
            "machine": machine or {"processor": "Some CPU", "cores": 2, "memory_bytes": 8e9},
            "versions": {"irbench": "0.1.0", "numpy": "2.4.6", "torch": None},
            "methods": {
                **{row["method"]: {"state": row["state"]} for row in rows},
                **{method: {"state": "running"} for method in running},
            },
        }
        write_results(directory, rows, run)
        directory.write(run)
        return load_run(path)

    return make


@pytest.fixture
def paper_like(make_run):
    """Three datasets, given in another order than Table I's, with everything that can go wrong."""
    reason = "3 images failed and count as without detections, such as XDU0: TimeoutError: 600 s"
    nudt = make_run(
        "nudt",
        [
            done("tophat", 0.7, "Top-Hat", year=1982, method_params={"size": 9}),
            done("mpcm", 0.61, "MPCM", HVS, 2016),
            done("odd", 0.5, "50%_a&b × Müller–Łoś", LOW_RANK, 2013, note="a plug-in, $x$ <b>"),
            unfinished("pstnn", "failed", "failed on 10 of 10 images: no memory", "PSTNN",
                       group=LOW_RANK, year=2019),
            box("le-irstd", 0.9, "LE-IRSTD"),
        ],
    )  # fmt: skip
    irstd1k = make_run(
        "irstd1k",
        [
            done("tophat", 0.4, "Top-Hat", year=1982, method_params={"size": 5}),
            done("mpcm", 0.4, "MPCM", HVS, 2016, state="partial", reason=reason, n_failed=3),
            box("le-irstd", 0.8, "LE-IRSTD"),
        ],
        left_out={"test": {"XDU9": "the mask has another size"}},
    )
    folder = make_run(
        "folder",
        [
            done("tophat", 0.3, "Top-Hat", year=1982, calibration="shipped", method_params={}),
            unfinished("le-irstd", "skipped", "leak: 3 of its images were trained on", "LE-IRSTD",
                       group=DEEP, year=2025, kind="box"),
        ],
        scheme="",
    )  # fmt: skip
    return [folder, nudt, irstd1k]
