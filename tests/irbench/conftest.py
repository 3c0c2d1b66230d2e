"""A tiny network with weights, for the tests of all that handles weights."""

from __future__ import annotations

from pathlib import Path

import pytest

PLUGIN = Path(__file__).with_name("tiny_network_plugin.py")


@pytest.fixture
def tiny_plugin(monkeypatch, tmp_path):
    """The plug-in's path; its methods and datasets are known while the test runs."""
    from irbench.plugins.registry import load_plugin

    monkeypatch.setenv("IRBENCH_WEIGHTS", str(tmp_path / "named weights"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user data"))
    load_plugin(PLUGIN)
    return PLUGIN


@pytest.fixture
def tiny_net(tiny_plugin):
    """The class of the tiny network."""
    from irbench.plugins.registry import method_class

    return method_class("tiny-net")


@pytest.fixture
def make_card():
    """Makes a card; every field can be set."""
    from irbench.networks.card import Card

    def make(**fields):
        ids = {"train": {"a0": "0" * 12}, "val": {"b0": "1" * 12}}
        known = {
            "method": "tiny-net",
            "title": "Tiny-Net",
            "architecture": "0" * 16,
            "dataset": "tiny-scenes",
            "scheme": "letters",
            "manifests": {"train": "a" * 16, "val": "b" * 16},
            "images": ids,
            "image_size": 64,
            "settings": {"lr": 0.01, "mosaic": True},
            "seed": 0,
            "epochs": 300,
            "best_epoch": 212,
            "steps": 18000,
            "seconds": 3600.5,
            "hardware": "a test",
            "versions": {"torch": "2.13.0", "cv2": None},
            "metrics": {"val": {"map50": 0.91, "f1": 0.88, "threshold": 0.4}, "test": None},
            "licence": "CC0",
            "command": ("irbench", "train", "tiny-net"),
            "sha256": "c" * 64,
        }
        return Card(**{**known, **fields})

    return make


@pytest.fixture
def images_of(tiny_plugin):
    """The images of a tiny dataset as a card names them, the splits as asked for."""
    from irbench.data.manifest import build_manifest
    from irbench.networks.card import image_digests
    from irbench.plugins.registry import load_dataset

    def images(dataset="tiny-scenes", train="train", val="val"):
        return {
            part: image_digests(build_manifest(load_dataset(dataset, split=split)).entries)
            if split
            else {}
            for part, split in (("train", train), ("val", val))
        }

    return images


@pytest.fixture
def save_tiny(tmp_path, tiny_net, make_card, images_of):
    """Writes weights of the tiny network where they are found by name; gives the file."""
    torch = pytest.importorskip("torch")
    from irbench.networks.weights import WeightsFile, save_weights

    def save(name="tiny-net-tiny-scenes", seed=0, folder=None, **fields):
        torch.manual_seed(seed)
        network = tiny_net().build()
        path = (folder or tmp_path / "named weights") / f"{name}.safetensors"
        save_weights(path, network, make_card(**{"images": images_of(), **fields}))
        return WeightsFile.open(path)

    return save
