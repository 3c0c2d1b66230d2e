"""Trainings of networks of a few channels, in this process and on one thread."""

from __future__ import annotations

from pathlib import Path

import pytest

PLUGIN = Path(__file__).with_name("trainable_plugin.py")


@pytest.fixture
def trainable_plugin(tiny_plugin):
    """The plug-in's path; its methods and datasets are known while the test runs."""
    torch = pytest.importorskip("torch")
    from irbench.plugins.registry import load_plugin

    load_plugin(PLUGIN)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield PLUGIN
    torch.set_num_threads(threads)


@pytest.fixture
def make_settings():
    """Settings of a short training; every one can be set."""
    pytest.importorskip("torch")
    from irbench.training.settings import TrainingSettings

    def make(**given):
        short = {"image_size": 32, "epochs": 4, "batch": 4, "warmup_epochs": 1.0}
        return TrainingSettings(**{**short, "precision": "float32", **given})

    return make


@pytest.fixture
def told():
    """Progress that remembers its lines."""
    from irbench.messages.progress import Progress

    class Told(Progress):
        def __init__(self):
            self.lines = []

        def say(self, message):
            self.lines.append(message)

    return Told()


@pytest.fixture
def make_job(trainable_plugin, tmp_path, make_settings, told):
    """Makes a training job of the plug-in's networks in ``tmp_path / out``."""
    import torch

    from irbench.plugins.registry import load_dataset, method_class
    from irbench.training.job import TrainingJob, training_splits
    from irbench.training.processes import TrainingProcesses

    def make(out="out", method="drop-net", dataset="trap-scenes", weights=None, **settings):
        chosen = make_settings(**settings)
        detector = method_class(method)(image_size=chosen.image_size, weights=weights)
        train, val = training_splits(load_dataset(dataset, split="all"))
        return TrainingJob(
            detector=detector,
            train=train,
            val=val,
            settings=chosen,
            out=tmp_path / out,
            processes=TrainingProcesses(0, 1, torch.device("cpu")),
            progress=told,
            command=("irbench", "train", method),
        )

    return make


@pytest.fixture
def standing():
    """What a training directory holds: tensors by name, and the state without times."""

    def read(out):
        from dataclasses import asdict

        from safetensors.torch import load_file

        from irbench.training.checkpoint import read_header

        path = Path(out) / "checkpoint" / "last.safetensors"
        state = asdict(read_header(path)[1])
        del state["seconds"]
        for row in state["history"]:
            del row["seconds"], row["images_per_second"]
        return load_file(path), state

    return read


@pytest.fixture
def assert_same(standing):
    """Asserts that two directories hold the same training to the bit."""

    def check(one, other):
        from irbench.networks.weights_file import WeightsFile

        (tensors, state), (tensors2, state2) = standing(one), standing(other)
        assert state == state2
        assert tensors.keys() == tensors2.keys()
        assert all(tensors[name].equal(tensors2[name]) for name in tensors)
        first, second = (
            WeightsFile.open(next(Path(folder).glob("*.safetensors"))).card
            for folder in (one, other)
        )
        assert first.sha256 == second.sha256
        assert first.metrics == second.metrics

    return check
