"""From data to weights with a card: what is written, what it says, and what is never opened."""

from __future__ import annotations

import csv
import dataclasses
import json

import pytest

torch = pytest.importorskip("torch")

import irbench  # noqa: E402
from irbench.data.manifest import build_manifest  # noqa: E402
from irbench.engine.storage.directory import RunDirectory  # noqa: E402
from irbench.errors import MissingDataError, RunLockedError, UsageError  # noqa: E402
from irbench.networks.card import image_digests  # noqa: E402
from irbench.networks.weights_file import WeightsFile  # noqa: E402
from irbench.plugins.registry import load_dataset  # noqa: E402
from irbench.protocol import TABLE1  # noqa: E402
from irbench.training.final_scores import score_splits  # noqa: E402
from irbench.training.job import training_name, training_splits  # noqa: E402
from irbench.training.messages import out_of_memory  # noqa: E402


@pytest.fixture
def no_picture(monkeypatch):
    monkeypatch.setattr("irbench.training.job.draw_history", lambda *_: None)


def test_what_a_training_leaves(make_job, told):
    job = make_job(method="plain-net", epochs=6, learning_rate=0.02)
    result = job.execute()  # The test split raises where it is opened.
    assert {path.name for path in job.out.iterdir()} - {".lock"} == {
        "plain-net-trap-scenes.safetensors",
        "plain-net-trap-scenes.json",
        "history.csv",
        "history.png",
        "training.json",
        "checkpoint",
        "finished.json",
    }
    rows = list(csv.DictReader((job.out / "history.csv").read_text().splitlines()))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    for row, kept in zip(rows, result.state.history, strict=True):
        assert float(row["cls"]) == pytest.approx(kept["cls"], rel=1e-5)
        assert float(row["val_ap50"]) == pytest.approx(kept["val_ap50"], rel=1e-5)
    lines = [line for line in told.lines if line.startswith("epoch ")]
    assert len(lines) == 6
    assert "cls " in lines[0]
    assert "val AP@50" in lines[0]
    assert lines[0].endswith(" left")
    assert lines[-1].endswith("images/s")
    assert json.loads((job.out / "training.json").read_text())["precision"] == "float32"


def test_the_card_says_what_the_weights_are(make_job, no_picture):
    job = make_job(method="plain-net", epochs=6, learning_rate=0.02)
    state = job.execute().state
    card = job.weights_file.card
    assert (card.method, card.dataset, card.scheme) == ("plain-net", "trap-scenes", "one")
    for split in ("train", "val"):
        manifest = build_manifest(load_dataset("trap-scenes", split=split))
        assert card.images[split] == image_digests(manifest.entries)
        assert card.manifests[split] == manifest.hash
    assert card.settings == json.loads(json.dumps(job.settings.as_dict()))
    assert (card.epochs, card.steps, card.seed, card.image_size) == (6, 18, 0, 32)
    best = max(state.history, key=lambda row: row["val_ap50"])
    assert card.best_epoch == best["epoch"]
    assert card.licence == "CC0"
    assert card.metrics["test"] is None

    detector = irbench.load_method("plain-net", weights=str(job.weights_path))
    val = load_dataset("trap-scenes", split="val")
    found = {one.id: detector.detect(one.image) for one in val}
    result = irbench.evaluate(found, val, TABLE1, threshold=card.threshold)
    compared = {name for name in card.metrics["val"] if name != "threshold"}
    assert {"map50", "f1", "precision", "recall"} <= compared
    for name in compared:
        assert card.metrics["val"][name] == pytest.approx(result.values[name], abs=1e-12), name
    # Validation while training reads images in half precision, and in batches.
    assert card.metrics["val"]["map50"] == pytest.approx(best["val_ap50"], abs=0.02)


def test_a_training_that_begins_with_weights(make_job, no_picture, monkeypatch):
    first = make_job("first", epochs=1)
    first.execute()
    begun = []
    monkeypatch.setattr(type(first.detector), "begin", lambda *_: begun.append(1))
    second = make_job("second", epochs=1, weights=str(first.weights_path))
    second.execute()
    (ancestor,) = second.weights_file.card.started_from
    assert ancestor.sha256 == first.weights_file.card.sha256
    assert not begun  # Which is for fresh weights.
    make_job("third", epochs=1).execute()
    assert begun
    with pytest.raises(UsageError, match=r"weights: '.*' there, None now"):
        make_job("second", epochs=1).execute(resume=True)


def test_the_test_split_is_scored_once_training_is_finished(make_job, no_picture):
    job = make_job(epochs=2)
    job = dataclasses.replace(job, val=None, test=job.val)  # Nothing else has seen them then.
    assert not job.execute(max_minutes=1e-6).finished
    assert job.weights_file.card.metrics["test"] is None
    assert job.execute(resume=True).finished
    scored = score_splits(job.weights_file, job.detector, {"val": job.val, "test": job.test})
    assert job.weights_file.card.metrics == scored
    assert scored["test"]


@pytest.mark.parametrize("split", ["train", "val"])
def test_test_images_that_are_learned_from_are_refused_before_anything_is_trained(make_job, split):
    job = make_job(epochs=1)
    same = getattr(job, split)
    with pytest.raises(UsageError, match=rf"^--test: {len(same)} of {len(same)} test images are"):
        dataclasses.replace(job, test=same).execute()
    assert not job.checkpoint.exists()


def test_validation_images_that_are_learned_from_are_reported(make_job, told, no_picture):
    job = make_job(epochs=1)
    dataclasses.replace(job, val=job.train).execute()
    assert any("validation images are training images too" in line for line in told.lines)


def test_code_that_changed_since_the_checkpoint_is_reported(
    make_job, told, no_picture, monkeypatch
):
    job = make_job(epochs=2)
    job.execute(max_minutes=1e-6)
    job.execute(resume=True, max_minutes=1e-6)
    assert not any("code" in line for line in told.lines)
    monkeypatch.setattr("irbench.training.job.code_version", lambda cls: "another")
    job.execute(resume=True)
    assert any("the code of drop-net has changed" in line for line in told.lines)


def test_a_directory_that_is_taken(make_job, no_picture):
    job = make_job(epochs=1)
    job.execute()
    card = job.weights_file.card
    with pytest.raises(UsageError, match="holds a training already; resume by --resume"):
        make_job(epochs=1).execute()
    job.checkpoint.unlink()
    for resume in (False, True):
        with pytest.raises(UsageError, match="without a checkpoint to resume from"):
            make_job(epochs=1).execute(resume=resume)
    assert WeightsFile.open(job.weights_path).card == card
    other = make_job("other", epochs=1)
    with RunDirectory(other.out).locked(), pytest.raises(RunLockedError):
        other.execute()


def test_an_output_that_cannot_be_made(make_job, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be made"):
        make_job("file/out").execute()


def test_data_that_nothing_can_be_learned_from(make_job, tiny_plugin, tmp_path):
    with pytest.raises(UsageError, match="No labels in the training split") as caught:
        make_job(dataset="blank-scenes").execute()
    assert caught.value.exit_code == 2
    (tmp_path / "images").mkdir()
    dataset = load_dataset("trap-scenes", split="all")
    type(dataset).splits, splits = ("test", "all"), type(dataset).splits
    try:
        with pytest.raises(MissingDataError, match=r"no training split, only test, all; put train"):
            training_splits(dataset)
    finally:
        type(dataset).splits = splits


def test_names_of_trainings(trainable_plugin, tmp_path):
    import cv2
    import numpy as np

    assert training_name("net", load_dataset("trap-scenes", split="train")) == "net-trap-scenes"
    root = tmp_path / "my scenes"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
        cv2.imwrite(str(root / folder / "a.png"), np.zeros((8, 8), np.uint8))
    assert training_name("net", load_dataset(root, split="all")) == "net-my-scenes"


@pytest.mark.parametrize(
    ("batch", "accumulate", "n_processes", "advice"),
    [(16, 1, 1, "--accumulate 2 "), (15, 1, 1, "--accumulate 3 "), (12, 2, 2, "--accumulate 3 ")],
)
def test_less_memory_at_a_time(make_settings, tmp_path, batch, accumulate, n_processes, advice):
    settings = make_settings(batch=batch, accumulate=accumulate)
    assert advice in out_of_memory(settings, batch, n_processes, tmp_path / "none")
    settings = make_settings(batch=4, accumulate=4)
    message = out_of_memory(settings, 4, 1, tmp_path / "none")
    assert "--accumulate" not in message
    assert "a smaller --imgsz" in message
