"""Every reader of files from outside, with valid files for it: what the fuzzer damages."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import sys
import tarfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from mutations import damage_bytes, damage_json, damage_text, damage_value

SHAPE = (24, 32)
ROOT = Path(__file__).parents[1]


@dataclass
class Reader:
    """A reader and its valid files.

    ``files`` are pairs of the file to be damaged and what reads it; a file has its own
    kind of damage. ``allowed`` are where the reader may leave something.
    """

    files: list
    damage: object = damage_bytes

    def read(self, index, content):
        path, read = self.files[index]
        path.write_bytes(content)
        read(path)


def scene(seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(30, 90, SHAPE, dtype=np.uint8)
    mask = np.zeros(SHAPE, np.uint8)
    mask[5:8, 9:13] = mask[15:18, 20:22] = 255
    return np.where(mask > 0, 230, image).astype(np.uint8), mask


def is_image(image):
    assert image.ndim == 2
    assert image.size
    assert image.dtype.kind in "uf"


def is_inside(labels):
    boxes = labels.boxes
    assert boxes.dtype == np.float32
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert (boxes >= 0).all()
    assert (boxes[:, [2, 0]] <= SHAPE[1]).all()
    assert (boxes[:, [3, 1]] <= SHAPE[0]).all()


def images(folder):
    from irbench.images import read_image

    grey = scene(0)[0]
    stored = {
        "a.png": grey,
        "b.png": grey.astype(np.uint16) * 250,
        "c.png": cv2.merge([grey, grey[::-1], grey, grey]),
        "d.tiff": grey,
        "e.tiff": grey.astype(np.float32) / 255,
        "f.bmp": grey,
        "g.jpg": grey,
    }
    for name, array in stored.items():
        cv2.imwrite(str(folder / name), array)
    plain = [cv2.IMWRITE_TIFF_COMPRESSION, 1]
    cv2.imwrite(str(folder / "h.tiff"), cv2.merge([grey] * 3), plain)
    paths = sorted(folder.iterdir())
    return Reader([(path, lambda path: is_image(read_image(path))) for path in paths])


def masks(folder):
    from irbench.masks import mask_regions, read_mask

    def read(path):
        mask = read_mask(path)
        assert mask.pixels.dtype == bool
        mask_regions(mask.pixels)

    for name in ("a.png", "b.bmp", "c.tiff"):
        cv2.imwrite(str(folder / name), scene(0)[1])
    return Reader([(path, read) for path in sorted(folder.iterdir())])


def yolo(folder):
    from irbench.data.annotations import read_yolo

    (folder / "a.txt").write_text("0 0.4 0.3 0.1 0.1\n0 0.65 0.7 0.0625 0.125\n")
    (folder / "b.txt").write_text("0 0.4 0.3 0.1 0.1 0.9\n1 0.65 0.7 0.0625 0.125 0.5\n")
    reads = (
        lambda path: is_inside(read_yolo(path, SHAPE)),
        lambda path: is_inside(read_yolo(path, SHAPE, overhang=True)),
    )
    return Reader([(p, r) for p in sorted(folder.iterdir()) for r in reads], damage_text)


def voc(folder):
    from irbench.data.annotations import read_voc
    from irbench.data.annotations.voc import write_voc

    path = folder / "a.xml"
    write_voc(path, [[9, 5, 13, 8], [20, 15, 22, 18]], SHAPE)
    reads = (lambda path: is_inside(read_voc(path, SHAPE)), read_voc)
    return Reader([(path, read) for read in reads], damage_text)


def coco(folder):
    from irbench.data.annotations import read_coco, read_coco_results

    boxes = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [9, 5, 4, 3], "score": 0.5}]
    boxes += [{"id": 2, "image_id": "2", "category_id": 1, "bbox": [20.5, 15, 2, 3], "score": 1}]
    sizes = {"height": SHAPE[0], "width": SHAPE[1]}
    whole = {
        "images": [{"id": n, "file_name": f"{n}.png", **sizes} for n in (1, "2")],
        "annotations": boxes,
        "categories": [{"id": 1, "name": "target"}],
    }
    (folder / "a.json").write_text(json.dumps(whole))
    (folder / "b.json").write_text(json.dumps(boxes))

    def read(path):
        for labels in read_coco(path).labels.values():
            assert np.isfinite(labels.boxes).all()

    def read_results(path):
        for labels in read_coco_results(path, {1: SHAPE, "2": SHAPE}).values():
            is_inside(labels)

    return Reader([(folder / "a.json", read), (folder / "b.json", read_results)], damage_json)


def own_images(folder):
    """A dataset of two scenes."""
    from irbench.registry import load_dataset

    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for name in ("1", "2"):
        image, mask = scene(int(name))
        cv2.imwrite(str(folder / "images" / f"{name}.png"), image)
        cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask)
    return load_dataset(str(folder))


def predictions(folder):
    from irbench.data.predictions import read_predictions

    dataset = own_images(folder / "data")
    contents = {}
    for name in ("1", "2"):
        mask = scene(int(name))[1]
        array = io.BytesIO()
        np.save(array, (mask / 300).astype(np.float32))
        contents["masks", f"{name}.png"] = cv2.imencode(".png", mask)[1].tobytes()
        contents["arrays", f"{name}.npy"] = array.getvalue()
        contents["yolo", f"{name}.txt"] = b"0 0.4 0.3 0.1 0.1 0.9\n"
    contents["coco", "found.json"] = json.dumps(
        [{"image_id": 1, "category_id": 1, "bbox": [9, 5, 4, 3], "score": 0.5}]
    ).encode()

    def read(path):
        found = read_predictions(path.parent, dataset, allow_extra=True)
        assert found.detections.keys() == {"1", "2"}

    files = []
    for (kind, name), content in contents.items():
        (folder / kind).mkdir(exist_ok=True)
        (folder / kind / name).write_bytes(content)
        if not name.startswith("2"):
            files.append((folder / kind / name, read))

    def damage(content, chance):
        by_first = {b"[": damage_json, b"0": damage_text}
        return by_first.get(content[:1], damage_bytes)(content, chance)

    return Reader(files, damage)


def split_lists(folder):
    from irbench.registry import load_dataset

    own_images(folder)

    def read(path):
        dataset = load_dataset(str(folder), split="test")
        for sample in dataset:
            assert sample.id in ("1", "2")

    (folder / "test.txt").write_text("1\nimages/2.png\n")
    return Reader([(folder / "test.txt", read)], damage_text)


def run_directory(folder):
    """A run of somebody's masks."""
    from irbench.engine.directory import RunDirectory
    from irbench.engine.external import ExternalRow, evaluate_predictions
    from irbench.engine.plan import RunPlan
    from irbench.engine.worker import DatasetSpec
    from irbench.progress import Progress
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
    from irbench.calibration import read_calibrations
    from irbench.engine.results import load_run
    from irbench.errors import IrbenchError
    from irbench.registry import catalogue

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
    from irbench.engine.records import Entry, StageTimes
    from irbench.masks import mask_regions
    from irbench.metrics.map_statistics import measure_map

    image, mask = scene(0)
    with_regions = Detections.from_mask(mask > 0)
    boxes = Detections(with_regions.boxes, [0.25, 4.5])
    targets = mask_regions(mask > 0)
    measured = measure_map(image / 255.0, image.astype(float), targets, is_probability=False)
    times = StageTimes(1.0, 2.0, 3.0)
    return [
        Entry("val", "1", {0.1: boxes, 0.5: with_regions}, times),
        Entry("test", "1", {0.5: with_regions}, times, "", measured),
        Entry("test", "2", {}, None, "ValueError: no"),
    ]


def journal(folder):
    """What a run goes on from, and the tables that it makes of it."""
    from irbench.engine.journal import Journal
    from irbench.engine.map_records import map_statistics_writer, read_map_statistics
    from irbench.engine.store import detections_writer, read_timings, timings_writer, write_all

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
    from irbench.engine.map_records import write_map_statistics
    from irbench.engine.results import load_run
    from irbench.gate.recording import image_times

    run = run_directory(folder)
    write_map_statistics(run / "map_statistics" / "net.parquet", some_entries())

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
    from irbench.engine.results import load_run
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
    from irbench.calibration import read_calibrations

    path = folder / "calibration.json"
    fields = {"extent": 0.2, "threshold": "inf", "source": "validation", "f1": None}
    path.write_text(json.dumps({"methods": {"tophat": fields, "mpcm": {"threshold": 3}}}))
    return Reader([(path, read_calibrations)], damage_json)


def shipped_weights(folder):
    """Weights of a small network, and their card."""
    import torch

    from irbench.networks.card import Card
    from irbench.networks.weights import save_weights

    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    card = Card(
        method="m", title="M", architecture="0" * 16, dataset="d", scheme="s",
        manifests={"train": "a" * 16, "val": "b" * 16},
        images={"train": {"a0": "0" * 12}, "val": {"b0": "1" * 12}},
        image_size=64, settings={"lr": 0.01}, seed=0, epochs=3, best_epoch=2, steps=18,
        seconds=1.5, hardware="a test", versions={"torch": None}, licence="CC0",
        metrics={"val": {"f1": 0.9}, "test": None}, sha256="c" * 64,
    )  # fmt: skip
    path = folder / "m.safetensors"
    save_weights(path, network, card)
    return path, network


def weights(folder):
    import dataclasses

    from irbench.networks.weights import load_weights
    from irbench.networks.weights_file import WeightsFile

    path, network = shipped_weights(folder)
    whole = WeightsFile.open(path)

    def read(path):
        # A card that says so is what an attacker would write, too.
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        card = dataclasses.replace(whole.card, sha256=digest)
        load_weights(network, WeightsFile(path, card))

    return Reader([(path, read)])


def cards(folder):
    from irbench.networks.weights_file import WeightsFile

    path = shipped_weights(folder)[0]
    return Reader(
        [(path.with_suffix(".json"), lambda card: WeightsFile.open(card.with_suffix(path.suffix)))],
        damage_json,
    )


def checkpoints(folder):
    import torch

    from irbench.training.checkpoint import (
        TrainingState,
        TrainingTensors,
        load_checkpoint,
        save_checkpoint,
    )

    def fresh():
        networks = [torch.nn.Conv2d(1, 2, 3) for _ in range(3)]
        return TrainingTensors(*networks, torch.optim.SGD(networks[0].parameters(), momentum=0.9))

    tensors = fresh()
    tensors.network(torch.zeros(1, 1, 5, 5)).sum().backward()
    tensors.optimizer.step()
    path = folder / "last.safetensors"
    state = TrainingState(1, 3, 2.5, 1, 0.5, [{"epoch": 1, "loss": 2.0}])
    save_checkpoint(path, {"seed": 1}, state, tensors)
    return Reader([(path, lambda path: load_checkpoint(path, {"seed": 1}, fresh()))])


def archives(folder):
    from irbench.data.importing import import_data
    from irbench.data.unpacking import Limits

    contents = {"data/images/a.png": b"picture" * 40, "data/masks/a.png": b"\0" * 900}
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    for ending, mode in (("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz")):
        with tarfile.open(folder / f"a.{ending}", mode) as archive:
            for name, content in contents.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    paths = sorted(folder.iterdir())
    root = folder / "root"
    limits = Limits(max_bytes=2**20, max_files=100, reserve_bytes=0)

    def read(path):
        try:
            import_data(path, "new", root, overwrite=True, limits=limits)
        finally:
            around = {one.name for one in folder.iterdir()}
            assert around <= {"root", *(one.name for one in paths)}, around
            for one in root.rglob("*"):
                assert not one.is_symlink()
                assert root.resolve() in one.resolve().parents

    return Reader([(path, read) for path in paths])


def recipes(folder):
    from irbench.cli.train_options import read_settings

    path = folder / "recipe.toml"
    path.write_text("epochs = 5\nbatch = 8\nmomentum = 0.5\n[augmentation]\nscale = 1.0\n")
    return Reader([(path, lambda path: read_settings(path, {}))], damage_text)


READERS = {
    "image": images,
    "mask": masks,
    "yolo": yolo,
    "voc": voc,
    "coco": coco,
    "predictions": predictions,
    "split lists": split_lists,
    "run.json": run_json,
    "results.json": results_json,
    "journal": journal,
    "parquet": parquet,
    "baseline": baselines,
    "calibration": calibrations,
    "archive": archives,
    "recipe": recipes,
    "card": cards,
    "weights": weights,
    "checkpoint": checkpoints,
}


def main(names, n_inputs, seed, folder, note):
    """Damage and read; the input in work stands in ``note``, what was wrong on standard output."""
    import resource
    import signal

    from irbench.errors import IrbenchError

    def late(*_):
        raise TimeoutError("took too long")

    signal.signal(signal.SIGALRM, late)
    resource.setrlimit(resource.RLIMIT_AS, (12 * 2**30, resource.RLIM_INFINITY))
    for name in names:
        place = folder / name.replace(" ", "-")
        place.mkdir()
        reader = READERS[name](place)
        valid = [path.read_bytes() for path, _ in reader.files]
        for index, content in enumerate(valid):
            reader.read(index, content)  # As they are they are good.
        n_refused, began = 0, time.process_time()
        for number in range(n_inputs):
            # A string: a tuple's hash, and so its random numbers, change from process to process.
            chance = random.Random(f"{name} {seed} {number}")
            index = chance.randrange(len(valid))
            content = reader.damage(valid[index], chance)
            note.write_bytes(f"{name} {seed} {number}\n".encode() + content)
            signal.setitimer(signal.ITIMER_REAL, 60)
            try:
                reader.read(index, content)
            except IrbenchError:
                n_refused += 1
            except BaseException as error:
                what = {"error": f"{type(error).__name__}: {error}"[:500]}
                where = error.__traceback__
                while where.tb_next is not None:
                    where = where.tb_next
                what["at"] = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}"
                what["input"] = base64.b64encode(content[:3000]).decode()
                what["file"] = reader.files[index][0].name
                tell({"reader": name, "number": number, **what})
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            reader.files[index][0].write_bytes(valid[index])
        seconds = round(time.process_time() - began, 1)
        tell({"reader": name, "tried": n_inputs, "refused": n_refused, "seconds": seconds})


def tell(what):
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    names, n_inputs, seed, folder = sys.argv[1:]
    main(names.split(","), int(n_inputs), int(seed), Path(folder), Path(folder) / "input")
