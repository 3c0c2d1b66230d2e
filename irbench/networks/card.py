"""The card of trained weights: what they are, and every image that had a part in them.

A card lies as ``NAME.json`` beside ``NAME.safetensors``. It is read without torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irbench.data.joint import SEPARATOR
from irbench.errors import WeightsError
from irbench.networks.card_fields import ANCESTOR, CARD, DIGEST_DIGITS, PARTS, check, invalid_field

if TYPE_CHECKING:
    from irbench.data.manifest import Manifest, ManifestEntry

SCHEMA = 1
ANONYMOUS = "folder"
"""The name of every folder of somebody's own images: it says nothing of what is inside."""

UNKNOWN = "unknown"
"""Stands for the dataset of weights whose training images nobody has stated."""

IMPORTED = "imported"
"""The setting that says which checkpoint imported weights come from."""

Images = Mapping[str, Mapping[str, str]]
"""``{"train": {id: digest}, "val": {id: digest}}``."""


def image_digests(entries: Iterable[ManifestEntry]) -> dict[str, str]:
    """The digest of each readable image of a manifest, by id.

    Parameters
    ----------
    entries : iterable of ManifestEntry

    Returns
    -------
    dict of str to str
        The first 12 digits of :func:`irbench.data.manifest.hash_image`.
    """
    return {one.id: one.image_hash[:DIGEST_DIGITS] for one in entries if one.is_readable}


def manifest_hashes(manifests: Mapping[str, Manifest]) -> dict[str, str]:
    """The hashes of the manifests of training and validation images; zeros for one that is not."""
    return {part: manifests[part].hash if part in manifests else "0" * 64 for part in PARTS}


@dataclass(frozen=True, kw_only=True)
class Ancestor:
    """Weights that a training began with.

    Attributes
    ----------
    name : str
        Of the file, without its ending.
    sha256 : str
        Of the file, in hex.
    dataset : str
        That they were trained on.
    images : mapping of str to mapping of str to str
        See :attr:`Card.images`.
    """

    name: str
    sha256: str
    dataset: str
    images: Images


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of trained weights.

    Attributes
    ----------
    method, title : str
        Whose network it is.
    architecture : str
        Hash over names and shapes of its tensors; set by
        :func:`irbench.networks.weights.save_weights`.
    dataset, scheme : str
        That it was trained on, as :func:`irbench.load_dataset` takes them.
    manifests : mapping of str to str
        Hash of the manifest of ``"train"`` and ``"val"``.
    images : mapping of str to mapping of str to str
        For ``"train"`` and ``"val"``, the id of each image with the digest of its
        grey levels, so that an image is known again under any id.
    started_from : tuple of Ancestor
        All weights that the training began with, those these began with included.
    image_size : int
        Side of the network's input, in pixels.
    settings : mapping
        The training recipe; plain JSON.
    seed : int
    epochs : int
        That were trained.
    best_epoch : int or None
        The one that was kept; 1 is the first, 0 the weights that it began with.
    steps : int
        Updates of the weights.
    seconds : float
        That the training took.
    hardware : str
        That it ran on, such as ``"NVIDIA H200"``.
    versions : mapping of str to (str or None)
        Of the libraries.
    metrics : mapping of str to (mapping of str to (float or None), or None)
        ``"val"``, and ``"test"`` or None: values under the names of a row of results
        (``f1``, ``map50``, ``threshold``, …).
    licence : str
        Of the data, which bounds what the weights may be used for.
    command : tuple of str
        That made them.
    sha256 : str
        Of the weights' file, in hex; set by
        :func:`irbench.networks.weights.save_weights`.
    """

    method: str
    title: str
    architecture: str = ""
    dataset: str
    scheme: str
    manifests: Mapping[str, str]
    images: Images
    started_from: tuple[Ancestor, ...] = ()
    image_size: int
    settings: Mapping[str, Any]
    seed: int
    epochs: int
    best_epoch: int | None
    steps: int
    seconds: float
    hardware: str
    versions: Mapping[str, str | None]
    metrics: Mapping[str, Mapping[str, float | None] | None] = field(
        default_factory=lambda: {"val": {}, "test": None}
    )
    licence: str
    command: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def summary(self) -> str:
        """One line: data, split scheme, epochs, trainings before, the hash's first 8 digits."""
        scheme = f" ({self.scheme})" if self.scheme else ""
        epochs = f"{self.epochs} epoch{'' if self.epochs == 1 else 's'}"
        if self.best_epoch == 0:
            epochs = f"none of {epochs} kept"
        if self.imported_from is not None:
            learned = f"trained on {self.dataset}{scheme}"
            if self.dataset == UNKNOWN:
                learned = "training images unknown"
            file = self.imported_from.get("file", "a checkpoint")
            return f"{learned}, imported from {file}, sha {self.sha256[:8]}"
        before = list(dict.fromkeys(ancestor.dataset for ancestor in self.started_from))
        start = f" after training on {', '.join(before)}" if before else ""
        return f"trained on {self.dataset}{scheme}, {epochs}{start}, sha {self.sha256[:8]}"

    @property
    def began_with(self) -> tuple[str, ...]:
        """The datasets, other than their own, that the weights they started from learned from."""
        own = set(self.dataset.split(SEPARATOR))
        before = [name for one in self.started_from for name in one.dataset.split(SEPARATOR)]
        return tuple(name for name in dict.fromkeys(before) if name not in own)

    @property
    def imported_from(self) -> Mapping[str, Any] | None:
        """Which checkpoint of another repository they come from; None where trained here."""
        found = self.settings.get(IMPORTED)
        return found if isinstance(found, dict) else None

    @property
    def threshold(self) -> float | None:
        """The score threshold of best F1 on the validation images; None where unknown."""
        return self.metric("val", "threshold")

    def metric(self, part: str, name: str) -> float | None:
        """A value of :attr:`metrics`; None where it was not measured."""
        return (self.metrics.get(part) or {}).get(name)

    def lineage(self, name: str) -> tuple[Ancestor, ...]:
        """These weights, called ``name``, and all that they started from.

        Returns
        -------
        tuple of Ancestor
            What a training that begins with them writes into its ``started_from``.
        """
        own = Ancestor(name=name, sha256=self.sha256, dataset=self.dataset, images=self.images)
        return (own, *self.started_from)

    def as_dict(self) -> dict[str, Any]:
        """The card as JSON."""
        return {"schema": SCHEMA, **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, content: Any, where: Path | str = "card") -> Card:
        """Read a card from JSON.

        Parameters
        ----------
        content : object
            As :meth:`as_dict` returns it.
        where : path-like
            Named in errors.

        Raises
        ------
        WeightsError
            Naming the file and the field.
        """
        if not isinstance(content, dict):
            raise invalid_field(where, "it", "an object", content)
        schema = content.get("schema")
        if schema != SCHEMA:
            raise WeightsError(
                f"the card {where} has schema {schema!r}, this irbench reads {SCHEMA}; get the "
                "weights for this version, or train them again."
            )
        fields = {name: value for name, value in content.items() if name != "schema"}
        check(fields, CARD, where, "")
        ancestors = fields["started_from"]
        for index, one in enumerate(ancestors):
            if not isinstance(one, dict):
                raise invalid_field(where, f"started_from[{index}]", "an object", one)
            check(one, ANCESTOR, where, f"started_from[{index}].")
        fields["started_from"] = tuple(Ancestor(**one) for one in ancestors)
        fields["command"] = tuple(fields["command"])
        return cls(**fields)
