"""Making weights with a card out of a checkpoint of another repository."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from irbench.checkpoints.fitting import fit_checkpoint
from irbench.checkpoints.reading import read_checkpoint
from irbench.data.manifest import Manifest, build_manifest
from irbench.errors import MissingDataError, UsageError, WeightsError
from irbench.messages.progress import Progress
from irbench.networks.card import IMPORTED, UNKNOWN, Card, image_digests, manifest_hashes
from irbench.networks.card_fields import PARTS
from irbench.networks.neural import NeuralDetector
from irbench.networks.weights import save_weights
from irbench.networks.weights_file import WeightsFile
from irbench.process.provenance import package_versions

if TYPE_CHECKING:
    from irbench.dataset import Dataset


def import_weights(
    detector: NeuralDetector,
    checkpoint: Path,
    out: Path,
    trained_on: Dataset | None,
    *,
    image_size: int | None = None,
    source: str = "",
    licence: str = "",
    command: Sequence[str] = (),
    progress: Progress | None = None,
) -> WeightsFile:
    """Write the weights of a checkpoint, in single precision, with a card.

    Parameters
    ----------
    detector : NeuralDetector
        Without weights; its input size becomes that of the card.
    checkpoint : Path
        See :func:`irbench.checkpoints.reading.read_checkpoint`.
    out : Path
        The safetensors file; must not exist.
    trained_on : Dataset or None
        Under the scheme whose training list was learned from; None where nobody knows.
    image_size : int, optional
        Side of the network's input in pixels, for the card; by default the detector's.
    source, licence : str
        Where the checkpoint comes from, and what it may be used for; for the card.
    command : sequence of str
        See :func:`irbench.training.training_card.repeatable_command`.
    progress : Progress, optional

    Raises
    ------
    WeightsError
        If the checkpoint cannot be read or does not fit; nothing is written then.
    UsageError
        If ``out`` exists, or the detector has weights already.
    MissingDataError
        If the data has no training split.

    Notes
    -----
    Published networks are trained on everything but the test list, and their best epoch
    was chosen on what the authors chose. So validation images count as trained on.
    """
    if detector.weights is not None:
        raise UsageError("the detector that takes imported weights must have none.")
    if out.exists():
        raise UsageError(f"{out} exists already; give another --out, or remove it.")
    read = read_checkpoint(checkpoint)
    network = detector.network
    try:
        prefix = fit_checkpoint(network, read)
    except WeightsError as error:
        raise WeightsError(
            f"the checkpoint {checkpoint} does not fit {detector.info.name}: {error}"
        ) from None
    manifests = {} if trained_on is None else _seen(trained_on, progress)
    card = Card(
        method=detector.info.name,
        title=detector.info.title,
        dataset=UNKNOWN if trained_on is None else trained_on.info.name,
        scheme="" if trained_on is None else trained_on.scheme,
        manifests=manifest_hashes(manifests),
        images={
            "train": {
                name: digest
                for one in manifests.values()
                for name, digest in image_digests(one.entries).items()
            },
            "val": {},
        },
        image_size=detector.input_size if image_size is None else image_size,
        settings={
            IMPORTED: {
                "file": checkpoint.name,
                "sha256": read.sha256,
                "format": read.format,
                "prefix": prefix,
                "source": source,
            }
        },
        seed=0,
        epochs=0,
        best_epoch=None,
        steps=0,
        seconds=0.0,
        hardware="",
        versions=package_versions(),
        licence=licence or "not stated",
        command=tuple(command),
    )
    save_weights(out, network, card, "float32")
    return WeightsFile.open(out)


def _seen(dataset: Dataset, progress: Progress | None) -> dict[str, Manifest]:
    """What the training list and the validation list of a scheme name.

    Raises
    ------
    WeightsError
        If an image cannot be read: the leak guard would not know it again.
    """
    if "train" not in dataset.splits:
        raise MissingDataError(
            f"{dataset.info.title} has no training split, so what the weights have seen is not "
            f"known; say `--trained-on {UNKNOWN}`."
        )
    splits = [split for split in PARTS if split in dataset.splits]
    found = {split: build_manifest(dataset.with_split(split), progress) for split in splits}
    for split, manifest in found.items():
        for name, reason in manifest.unreadable.items():
            raise WeightsError(
                f"{name!r} of the {split} split of {dataset.info.title} cannot be read ({reason}), "
                f"so it would not be known again; see `irbench data verify {dataset.info.name}`."
            )
    return found
