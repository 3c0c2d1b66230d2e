"""Networks of masks are trained by the same loop: resumed to the bit, validated, with a card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import irbench.training.trainer as trainer_module  # noqa: E402
from irbench import Detections, evaluate  # noqa: E402
from irbench.errors import MissingDataError, UsageError  # noqa: E402
from irbench.ground_truth import GroundTruth  # noqa: E402
from irbench.networks.segmentation import BY_DATASET  # noqa: E402
from irbench.protocol import BASICIRSTD  # noqa: E402
from irbench.training.checkpoint import read_header  # noqa: E402
from irbench.training.mask_cache import MaskCache  # noqa: E402
from irbench.training.mask_validation import MaskValidator  # noqa: E402
from irbench.training.settings import TrainingSettings  # noqa: E402
from irbench.training.trainer import Trainer  # noqa: E402

PLUGIN = Path(__file__).with_name("mask_plugin.py")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """No picture, which takes longer than such a training; every epoch on disk."""
    monkeypatch.setattr("irbench.training.job.draw_history", lambda *_: None)
    monkeypatch.setattr(trainer_module, "CHECKPOINT_EVERY_S", 0.0)


@pytest.fixture
def mask_plugin(trainable_plugin):
    from irbench.plugins.registry import load_plugin

    load_plugin(PLUGIN)


@pytest.fixture
def make_mask_job(mask_plugin, tmp_path, told):
    from irbench.plugins.registry import load_dataset, method_class
    from irbench.training.job import TrainingJob, training_splits
    from irbench.training.processes import TrainingProcesses

    def make(out="out", method="mask-net", dataset="mask-scenes", weights=None, **changes):
        cls = method_class(method)
        short = {"crop": 16, "epochs": 3, "batch": 4, "learning_rate": 0.01, "validate_every": 1}
        settings = (
            TrainingSettings(precision="float32").changed(cls.training_defaults).changed(short)
        )
        train, val = training_splits(load_dataset(dataset, split="all"))
        return TrainingJob(
            detector=cls(weights=weights),
            train=train,
            val=val,
            settings=settings.changed(changes),
            out=tmp_path / out,
            processes=TrainingProcesses(0, 1, torch.device("cpu")),
            progress=told,
            command=("irbench", "train", method),
        )

    return make


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adagrad", "masks": {"loss": "sls", "warm_up_epochs": 1}},
        {"optimizer": "sgd", "accumulate": 2, "masks": {"sampling": "long-side", "blur": 1.0}},
        {"image_size": 24, "masks": {"sampling": "squash", "loss": "bce"}},
    ],
    ids=str,
)
def test_a_broken_training_is_resumed_to_the_bit(
    make_mask_job, assert_same, monkeypatch, tmp_path, changes
):
    make_mask_job("whole", **changes).execute()
    whole = Trainer._set_rate

    def set_rate(self, number):
        if (self.state.epoch, number - self.state.step) == (2, 1):
            raise ZeroDivisionError
        whole(self, number)

    monkeypatch.setattr(Trainer, "_set_rate", set_rate)
    with pytest.raises(ZeroDivisionError):
        make_mask_job("broken", **changes).execute()
    monkeypatch.setattr(Trainer, "_set_rate", whole)
    assert read_header(tmp_path / "broken/checkpoint/last.safetensors")[1].epoch == 2
    torch.rand(7)
    make_mask_job("broken", **changes).execute(resume=True)
    assert_same(tmp_path / "whole", tmp_path / "broken")


def test_history_and_card_say_what_was_measured_and_how_the_input_is_scaled(make_mask_job):
    job = make_mask_job(validate_every=2, epochs=4)
    result = job.execute()
    rows = result.state.history
    assert [row["val_niou"] is None for row in rows] == [False, False, True, False]
    assert all(row["val_niou"] <= 1 for row in rows if row["val_niou"] is not None)
    assert {"iou"} < set(rows[0])
    card = job.weights_file.card
    assert card.image_size == 16
    assert card.settings["masks"]["loss"] == "soft-iou-batch"
    assert card.metrics["val"]["niou"] is not None
    scaling = card.settings["input_scaling"]
    images = [job.train.load(name).image / 255 for name in job.train.ids]
    assert scaling["mean"] == pytest.approx([np.mean([one.mean() for one in images])], rel=1e-3)
    # The weights alone say how an image is scaled that they are run on.
    again = type(job.detector)(weights=str(job.weights_path))
    assert list(again.applied_scaling.mean) == scaling["mean"]


def test_a_dataset_with_published_constants_is_scaled_by_them(make_mask_job):
    detector = make_mask_job().detector
    detector.learn_scaling("nuaa", BY_DATASET["nudt"])
    assert detector.applied_scaling == BY_DATASET["nuaa"]


def test_validation_is_what_the_detector_and_the_evaluator_say(make_mask_job):
    job = make_mask_job()
    detector = job.detector
    torch.manual_seed(3)
    detector.network[-1].bias.data += 0.3
    validator = MaskValidator(detector, MaskCache.of(job.val), job.val, batch=2)
    network = detector.network.eval()
    maps = list(validator.probabilities(network))
    samples = [job.val.load(name) for name in job.val.ids]
    for one, sample in zip(maps, samples, strict=True):
        # The cache holds images in half precision.
        np.testing.assert_allclose(one, detector.probability_map(sample.image), atol=2e-3)
    scores = validator(network)
    found = {
        sample.id: Detections.from_probability(one.numpy())
        for one, sample in zip(maps, samples, strict=True)
    }
    truths = [GroundTruth.of(sample) for sample in samples]
    result = evaluate(found, truths, BASICIRSTD)
    assert scores.niou == pytest.approx(result["niou"])
    assert scores.ap50 == pytest.approx(result["map50"] or 0.0)


def test_images_without_a_mask_are_left_out_and_told(make_mask_job, told):
    make_mask_job(dataset="some-boxes", batch=2).execute()
    assert any("left out of training" in line and "no mask" in line for line in told.lines)
    with pytest.raises(MissingDataError, match="it has boxes and no mask"):
        make_mask_job("other", dataset="only-boxes").execute()


@pytest.mark.parametrize(
    ("method", "changes", "said"),
    [
        ("mask-net", {"crop": 20}, r"multiple of 8 px and at least 16 px, got 20"),
        ("mask-net", {"crop": 8}, r"multiple of 8 px and at least 16 px, got 8"),
        ("mask-net", {"augmentation": {"mosaic": 1.0}}, "mosaic is for networks of boxes"),
        ("mask-net", {"masks": None}, "mask-net is a network of masks, and the recipe is for"),
        ("pool-net", {"batch": 1}, "cannot be trained on one image at a time"),
        ("pool-net", {"batch": 4, "accumulate": 4}, "Take a larger --batch"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_first_step(
    make_mask_job, tmp_path, method, changes, said
):
    with pytest.raises(UsageError, match=said):
        make_mask_job(method=method, **changes).execute()
    assert not (tmp_path / "out/checkpoint").exists()


def test_one_image_at_a_time_is_fine_without_such_a_normalisation(make_mask_job):
    assert make_mask_job(batch=1, epochs=1).execute().finished
    assert make_mask_job("pool", method="pool-net", batch=2, epochs=1).execute().finished


def test_a_network_of_boxes_refuses_a_recipe_of_masks(make_job):
    with pytest.raises(UsageError, match="plain-net is a network of boxes, and the recipe is for"):
        make_job(
            method="plain-net", masks=TrainingSettings().changed({"masks": {}}).masks
        ).execute()


def test_it_learns(make_mask_job):
    job = make_mask_job(epochs=60, validate_every=20, augmentation={"flip_lr": 0.5})
    assert job.execute().state.best_score > 0.9
