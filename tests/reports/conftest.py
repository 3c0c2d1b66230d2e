"""Runs on disk, without running anything."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import orjson
import pytest

from irbench.detections import Detections
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.image_records import ImageRecord
from irbench.engine.storage.map_statistics_file import map_statistics_writer
from irbench.engine.storage.parquet_files import write_all, write_detections, write_ground_truth
from irbench.engine.storage.results import load_run, write_results
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.metrics.map_statistics import measure_map
from irbench.protocol import TABLE1
from irbench.reports.html import Html
from irbench.scoring.evaluation import evaluate

DATASETS = {
    "irstd1k": ("IRSTD-1k", 201, 298),
    "nuaa": ("NUAA-SIRST", 86, 107),
    "nudt": ("NUDT-SIRST", 266, 371),
    "folder": ("my night scenes", 14, 11),
}
REFERENCES = {
    "nudt": "B. Li et al., Dense Nested Attention Network for Infrared Small Target Detection, "
    "IEEE Trans. Image Process. 32, 1745-1758, 2023, doi:10.1109/TIP.2022.3199107",
    "folder": "The user's own data",
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
    """A finished row of a network that returns boxes."""
    no_regions = "the method returns boxes only"
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
def finished_row():
    """Makes a finished row; see :func:`done`."""
    return done


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
    return run_maker(tmp_path)


def run_maker(folder):
    """What :func:`make_run` is, for a folder."""

    def make(
        dataset, rows, name=None, *, split="test", scheme="60-20-20", limit=None, manifest=None,
        calibration="validation", left_out=None, machine=None, running=(), **protocol,
    ):  # fmt: skip
        title, n_images, n_targets = DATASETS[dataset]
        path = folder / (name or dataset)
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
                "reference": REFERENCES.get(dataset, ""),
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


# A small run with everything on disk that pages and figures are made of.
ODD = "50%_a&b<script>"
IDS = ("night <1> & co", "b", "empty", "d", "e", "f")
SHAPE = (48, 64)
EXTENT = 0.25


def make_images(rng):
    """An image and a mask by id; the one called empty has no target."""
    images = {}
    for name in IDS:
        image = rng.normal(90, 6, SHAPE)
        mask = np.zeros(SHAPE, bool)
        for _ in range(0 if name == "empty" else 2):
            y, x = rng.integers(6, SHAPE[0] - 8), rng.integers(6, SHAPE[1] - 8)
            mask[y : y + 3, x : x + 3] = True
        image[mask] += rng.uniform(15, 120)
        images[name] = np.clip(image, 0, 255).astype(np.uint8), mask
    return images


def detect(method, image):
    """A score map and detections of a method, by how much it blurs."""
    size = {"tophat": 3, ODD: 5, "boxes": 7}[method]
    score_map = cv2.GaussianBlur(image.astype(np.float64), (size, size), 0)
    score_map -= cv2.GaussianBlur(score_map, (21, 21), 0)
    found = Detections.from_score_map(score_map, EXTENT)
    if method == "boxes":
        return None, Detections(found.boxes, found.scores)
    return score_map, found


@pytest.fixture
def html_run(tmp_path):
    """Make a run: three methods that are done, one that failed and one that was skipped.

    ``methods`` chooses; ``with_images=False`` forgets where the images are.
    """
    return html_run_maker(tmp_path)


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory):
    """What ``html_run()`` makes, once for all tests that only read it."""
    return html_run_maker(tmp_path_factory.mktemp("whole"))()


@pytest.fixture(scope="session")
def whole_page(whole_run, tmp_path_factory):
    """The page of :func:`whole_run`, a file."""
    (path,) = Html().write([whole_run], tmp_path_factory.mktemp("page"))
    return path


def html_run_maker(folder):
    """What :func:`html_run` is, for a folder."""

    def make(methods=("tophat", ODD, "boxes", "broken", "none"), with_images=True, name="run 1"):
        images = make_images(np.random.default_rng(3))
        data = folder / "my night scenes"
        truths = []
        for role in ("images", "masks"):
            (data / role).mkdir(parents=True, exist_ok=True)
        for sample_id, (image, mask) in images.items():
            cv2.imwrite(str(data / "images" / f"{sample_id}.png"), image)
            cv2.imwrite(str(data / "masks" / f"{sample_id}.png"), mask.astype(np.uint8) * 255)
            targets = mask_regions(mask)
            truths.append(GroundTruth(sample_id, SHAPE, targets.boxes, targets))
        directory = RunDirectory(folder / name)
        made = []
        for method in methods:
            if method == "broken":
                made.append(unfinished(method, "failed", "no <memory>", "Broken & Co"))
                continue
            if method == "none":
                made.append(unfinished(method, "skipped", "leak", "Skipped"))
                continue
            made.append(_row(method, images, truths, directory))
        run = run_maker(folder)("folder", made, name, scheme="")
        content = orjson.loads((run.path / "run.json").read_bytes())
        content["methods"] = {
            row["method"]: {
                "state": row["state"],
                "calibration": {"extent": row.get("extent")},
                "facts": {"params": {"size": "<5>"}, "code": "abc"},
            }
            for row in made
        }
        if with_images:
            content["data_root"] = str(data)
        directory.write({k: v for k, v in content.items() if k != "schema"})
        write_ground_truth(directory.ground_truth_file, {"test": truths})
        return load_run(run.path)

    return make


def _row(method, images, truths, directory):
    extent = None if method == "boxes" else EXTENT
    entries, detections, maps = [], {}, {}
    for truth in truths:
        image = images[truth.id][0]
        score_map, found = detect(method, image)
        detections[truth.id] = found
        if score_map is not None:
            maps[truth.id] = measure_map(score_map, image, truth.targets)
        entries.append(
            ImageRecord("test", truth.id, {extent: found}, map_statistics=maps.get(truth.id))
        )
    for file in (directory.detections_file(method), directory.map_statistics_file(method)):
        file.parent.mkdir(parents=True, exist_ok=True)
    write_detections(directory.detections_file(method), entries)
    write_all(entries, map_statistics_writer(directory.map_statistics_file(method)))
    threshold = float(np.quantile(np.concatenate([one.scores for one in detections.values()]), 0.6))
    result = evaluate(detections, truths, TABLE1, threshold=threshold, map_statistics=maps or None)
    maker = box if method == "boxes" else done
    title = {"tophat": "Top-Hat", "boxes": "Boxes"}.get(method, method)
    return {
        **maker(method, 0.5, title),
        **result.values,
        "extent": extent,
        "threshold": threshold,
        "undefined": result.undefined,
    }


@pytest.fixture
def ablation_run(make_run):
    """Two networks of Tables II and III, one that both have, and a method of neither."""
    return make_run(
        "irstd1k",
        [
            done("tophat", 0.4, "Top-Hat", year=1982),
            box("yolov8n", 0.7, "YOLOv8-n", params=3_011_043, flops=8.19e9),
            unfinished("yolov8n-mbconv", "failed", "no memory", "YOLOv8-n + MBConv",
                       group=DEEP, year=2025, kind="box"),
            box("le-irstd", 0.8, "LE-IRSTD"),
            box("le-irstd-published", 0.75, "LE-IRSTD, as released"),
            box("le-irstd-deep", 0.85, "LE-IRSTD (depth 3,6)"),
        ],
        "ablations",
    )  # fmt: skip
