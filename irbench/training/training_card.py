"""The card of weights that were just trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from irbench.data.manifest import Manifest
from irbench.dataset import Dataset
from irbench.networks.card import Card, image_digests, manifest_hashes
from irbench.networks.card_fields import PARTS
from irbench.networks.neural import NeuralDetector
from irbench.process.provenance import package_versions
from irbench.training.checkpoint import TrainingState
from irbench.training.settings import TrainingSettings
from irbench.training.tasks import card_settings, input_side

_OWN_MATTERS = ("--out", "--data-root", "--resume")
"""Options that say where things are on one machine, or in how many goes it was done."""

_FILES = ("--weights", "--dataset", "--plugin", "--recipe")
"""Options whose value may be a file or a folder, of which the name alone says something."""


def make_card(
    detector: NeuralDetector,
    train: Dataset,
    manifests: Mapping[str, Manifest],
    settings: TrainingSettings,
    state: TrainingState,
    *,
    hardware: str,
    command: Sequence[str],
) -> Card:
    """Write down what weights are and every image that had a part in them.

    Parameters
    ----------
    detector : NeuralDetector
        Whose network was trained; its weights, if it has any, are those it began with.
    train : Dataset
    manifests : mapping of str to Manifest
        Of ``"train"`` and, where there is one, ``"val"``.
    settings : TrainingSettings
    state : TrainingState
        After the last whole epoch.
    hardware : str
    command : sequence of str
        See :func:`repeatable_command`.

    Returns
    -------
    Card
        Without scores, fingerprint and checksum.
    """
    start = detector.weights_file
    return Card(
        method=detector.info.name,
        title=detector.info.title,
        dataset=train.info.name,
        scheme=train.scheme,
        manifests=manifest_hashes(manifests),
        images={
            split: image_digests(manifests[split].entries) if split in manifests else {}
            for split in PARTS
        },
        started_from=() if start is None else start.card.lineage(start.name),
        image_size=input_side(detector, settings),
        settings=card_settings(detector, settings),
        seed=settings.seed,
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        steps=state.step,
        seconds=round(state.seconds, 1),
        hardware=hardware,
        versions=package_versions(),
        licence=train.info.licence,
        command=repeatable_command(command),
    )


def repeatable_command(command: Sequence[str]) -> tuple[str, ...]:
    """A command without what concerns one machine only, for others to repeat.

    Of files and folders the name is kept, and not where they lie.

    Examples
    --------
    >>> repeatable_command(["irbench", "train", "--out", "a", "--data-root=b", "--batch", "8"])
    ('irbench', 'train', '--batch', '8')
    >>> repeatable_command(["irbench", "train", "--weights", "/a/b/c.safetensors"])
    ('irbench', 'train', '--weights', 'c.safetensors')
    """
    kept: list[str] = []
    words = iter(command)
    for word in words:
        name, equals, value = word.partition("=")
        if name in _FILES:
            kept += [f"{name}={_named(value)}"] if equals else [name, _named(next(words, ""))]
        elif name not in _OWN_MATTERS:
            kept.append(word)
        elif not equals and name != "--resume":
            next(words, None)
    return tuple(kept)


def _named(value: str) -> str:
    """A path without its folders; several, separated by commas, likewise."""
    return ",".join(Path(one).name or one for one in value.split(","))
