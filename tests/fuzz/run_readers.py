"""Readers of what a run leaves, and of what is made of it."""

from __future__ import annotations

import json

from data_readers import own_images
from mutations import damage_bytes, damage_json, damage_value
from reader import Reader, scene


def run_directory(folder):
    """A run of somebody's masks."""
    from irbench.engine.jobs.specs import DatasetSpec
    from irbench.engine.planning.plan import RunPlan
    from irbench.engine.run.submitted_predictions import ExternalRow, evaluate_predictions
    from irbench.engine.storage.directory import RunDirectory
    from irbench.messages.progress import Progress
    from irbench.protocol import TABLE1

    own_images(folder / "data")
    plan = RunPlan(
        dataset=DatasetSpec("folder", str(folder / "data"), None, ()),
        split="test", protocol=TABLE1, methods=(), command=("irbench",),
    )  # fmt: skip
    row = ExternalRow("net", folder / "data" / "masks")
    evaluate_predictions(row, plan, RunDirectory(folder / "run"), Progress())
    return folder / "run"


def read_run(path):
    """All that commands read of a run, and the tables made of it."""
    from irbench.engine.storage.results import load_run
    from irbench.errors import IrbenchError
    from irbench.plugins.registry import catalogue
    from irbench.scoring.calibration import read_calibrations

    run = path
    while not (run / "run.json").exists():
        run = run.parent
    errors = []

    def attempt(function):
        try:
            return function()
        except IrbenchError as error:
            errors.append(error)

    results = load_run(run)
    attempt(lambda: results.ground_truth)
    attempt(lambda: results.detections("net"))
    attempt(lambda: read_calibrations(run))
    out = run.parent / "tables"
    out.mkdir(exist_ok=True)
    for name in ("markdown", "csv", "latex"):
        report = catalogue("reports").classes[name]()
        attempt(lambda report=report: report.write([results], out))
    if errors:
        raise errors[0]


def run_json(folder):
    return Reader([(run_directory(folder) / "run.json", read_run)], damage_json)


def results_json(folder):
    return Reader([(run_directory(folder) / "results.json", read_run)], damage_json)


def some_entries():
    from irbench import Detections
    from irbench.engine.storage.image_records import ImageRecord, StageTimes
    from irbench.images.masks import mask_regions
    from irbench.metrics.map_statistics import measure_map

    image, mask = scene(0)
    with_regions = Detections.from_mask(mask > 0)
    boxes = Detections(with_regions.boxes, [0.25, 4.5])
    targets = mask_regions(mask > 0)
    measured = measure_map(image / 255.0, image.astype(float), targets, is_probability=False)
    times = StageTimes(1.0, 2.0, 3.0)
    return [
        ImageRecord("val", "1", {0.1: boxes, 0.5: with_regions}, times),
        ImageRecord("test", "1", {0.5: with_regions}, times, "", measured),
        ImageRecord("test", "2", {}, None, "ValueError: no"),
    ]


def journal(folder):
    """What a run resumes from, and the tables that it makes of it."""
    from irbench.engine.storage.journal import Journal
    from irbench.engine.storage.map_statistics_file import (
        map_statistics_writer,
        read_map_statistics,
    )
    from irbench.engine.storage.parquet_files import (
        detections_writer,
        read_timings,
        timings_writer,
        write_all,
    )

    path = folder / "a.jsonl"
    with Journal(path, "key") as lines:
        for entry in some_entries():
            lines.add(entry)
    maps, found, timings = (folder / f"{name}.parquet" for name in ("maps", "found", "timings"))

    def store(entries):
        write_all(
            entries,
            map_statistics_writer(maps),
            detections_writer(found),
            timings_writer(timings, {}, "test"),
        )
        read_timings(timings, "test")
        if maps.exists():
            read_map_statistics(maps, "test")

    def read(path):
        with Journal(path, "key") as journal:
            kept = list(journal.entries)
            # The last line is looked into, and cut off if it is damaged.
            assert not kept or journal.entries[kept[-1]]
            try:
                store(journal.entries.values())
            finally:
                # What was cut off is cut off for good, and there is room for more.
                journal.add(some_entries()[2])
        with Journal(path, "key") as journal:
            assert list(journal.entries)[:-1] == [one for one in kept if one != ("test", "2")]

    def damage(content, chance):
        if chance.randrange(2):
            return damage_bytes(content, chance)
        lines = content.splitlines()
        at = chance.randrange(len(lines))
        lines[at] = json.dumps(damage_value(json.loads(lines[at]), chance)).encode()
        return b"\n".join(lines) + b"\n"

    return Reader([(path, read)], damage)


def parquet(folder):
    from irbench.engine.storage.map_statistics_file import map_statistics_writer
    from irbench.engine.storage.parquet_files import write_all
    from irbench.engine.storage.results import load_run
    from irbench.gate.recording import image_times

    run = run_directory(folder)
    write_all(some_entries(), map_statistics_writer(run / "map_statistics" / "net.parquet"))

    def read(path):
        results = load_run(run)
        if path.parent.name == "timings":
            image_times(results, "net")
        elif path.parent.name == "map_statistics":
            results.map_statistics("net")
        else:
            results.detections("net")

    return Reader([(path, read) for path in sorted(run.rglob("*.parquet"))])


def baselines(folder):
    from irbench.engine.storage.results import load_run
    from irbench.gate import baseline as module
    from irbench.gate.recording import record_baseline

    path = folder / "baseline.json"
    record_baseline(load_run(run_directory(folder))).write(path)

    def read(path):
        read_back = module.read_baseline(path)
        for method in read_back.rows:
            read_back.result(method)

    def damage(content, chance):
        if chance.randrange(4) == 0:
            return damage_bytes(content, chance)
        value = json.loads(content)
        wrapped = {k: v for k, v in value.items() if k not in ("format", "version", "checksum")}
        wrapped = damage_value(wrapped, chance)
        if not isinstance(wrapped, dict):
            return json.dumps(wrapped).encode()
        try:
            # As if somebody had made it so on purpose.
            signed = {**value, **wrapped, "checksum": module._checksum(wrapped)}
        except TypeError:
            signed = {**value, **wrapped}
        for name in value.keys() - wrapped.keys() - {"format", "version", "checksum"}:
            del signed[name]
        return json.dumps(signed).encode()

    return Reader([(path, read)], damage)


def calibrations(folder):
    from irbench.scoring.calibration import read_calibrations

    path = folder / "calibration.json"
    fields = {"extent": 0.2, "threshold": "inf", "source": "validation", "f1": None}
    path.write_text(json.dumps({"methods": {"tophat": fields, "mpcm": {"threshold": 3}}}))
    return Reader([(path, read_calibrations)], damage_json)
