"""Readers of weights, their cards, and checkpoints."""

from __future__ import annotations

import hashlib

from mutations import damage_json
from reader import Reader


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
