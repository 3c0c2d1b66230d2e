"""Manifests: what a dataset holds, by its decoded pixels.

The hash of a manifest is part of the key of a run. It depends on grey levels and
ground truth, not on how files are named, compressed or laid out, so two copies of
a dataset that decode alike are the same data.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.data.file_names import escaped_name
from irbench.dataset import Dataset, Sample
from irbench.errors import AnnotationError, ImageError, MaskError
from irbench.images import ValueRange
from irbench.messages.progress import Progress

UNUSABLE = (ImageError, MaskError, AnnotationError)
"""The errors that leave a sample out; any other is a fault of the program or the machine."""

MANY_IMAGES = 3
"""So many images without one target are no test of a detector but labels that were misread."""


@dataclass(frozen=True, kw_only=True)
class ManifestEntry:
    """One sample, without its pixels.

    Attributes
    ----------
    id : str
    shape : (int, int) or None
        Height and width; None if the sample is unreadable.
    image_hash : str
        SHA-256 of type, shape and grey levels as decoded, in hex.
    truth_hash : str
        SHA-256 of the mask's bits; where there is no mask, or boxes that are not
        those of its components, of the boxes.
    value_range : (float, float) or None
        Black and white where they are not the dtype's.
    n_targets : int
    n_odd : int
        Pixels of the stored mask that are neither background nor full. The bits
        of the mask say what they are read as, so they are not part of any hash.
    notes : tuple of str
        What a person should know of how its files were read; in no hash.
    dtype : str
        Of the pixels, such as ``"uint8"``; part of the hash of the image.
    label_counts : mapping of str to int
        Labels by class, be they targets or not; in no hash.
    error : str
        Why the sample cannot be used; empty if it can.
    error_kind : str
        The class of that error.
    """

    id: str
    shape: tuple[int, int] | None = None
    image_hash: str = ""
    truth_hash: str = ""
    value_range: ValueRange | None = None
    n_targets: int = 0
    n_odd: int = 0
    notes: tuple[str, ...] = ()
    dtype: str = ""
    label_counts: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    error_kind: str = ""

    @classmethod
    def of(cls, sample: Sample) -> ManifestEntry:
        """The entry of a sample that has been read."""
        return cls(
            id=sample.id,
            shape=sample.shape,
            image_hash=hash_image(sample.image),
            truth_hash=hash_truth(sample),
            value_range=sample.value_range,
            n_targets=len(sample.boxes),
            n_odd=sample.n_odd,
            notes=sample.notes,
            label_counts=sample.label_counts,
            dtype=sample.image.dtype.name,
        )

    @classmethod
    def of_error(cls, sample_id: str, error: Exception) -> ManifestEntry:
        """The entry of a sample that cannot be used."""
        return cls(id=sample_id, error=escaped_name(str(error)), error_kind=type(error).__name__)

    @property
    def is_readable(self) -> bool:
        """Whether the sample can be used."""
        return not self.error

    def identity(self) -> list[Any]:
        """What enters the hash of the manifest; no path of this machine does."""
        if not self.is_readable:
            return [self.id, self.error_kind]
        return [self.id, self.image_hash, self.truth_hash, self.value_range]


@dataclass(frozen=True)
class Manifest:
    """What a split of a dataset holds.

    Attributes
    ----------
    dataset, scheme, split : str
    entries : tuple of ManifestEntry
        In the order of the dataset.
    """

    dataset: str
    scheme: str
    split: str
    entries: tuple[ManifestEntry, ...]

    @property
    def hash(self) -> str:
        """SHA-256 in hex over the entries, sorted by id."""
        ordered = sorted((entry.identity() for entry in self.entries), key=lambda line: line[0])
        return hashlib.sha256(json.dumps(ordered, separators=(",", ":")).encode()).hexdigest()

    @property
    def readable(self) -> tuple[ManifestEntry, ...]:
        """The entries that can be used."""
        return tuple(entry for entry in self.entries if entry.is_readable)

    @property
    def unreadable(self) -> dict[str, str]:
        """The reason for each sample that cannot be used, by id."""
        return {entry.id: entry.error for entry in self.entries if not entry.is_readable}

    @property
    def notes(self) -> dict[str, tuple[str, ...]]:
        """The samples that each note is of."""
        found: dict[str, list[str]] = {}
        for entry in self.readable:
            for clause in entry.notes:
                found.setdefault(clause, []).append(entry.id)
        return {clause: tuple(ids) for clause, ids in found.items()}

    @property
    def label_counts(self) -> dict[str, int]:
        """Number of labels by class, the most frequent first, be they targets or not."""
        counts: Counter[str] = Counter()
        for entry in self.readable:
            counts.update(entry.label_counts)
        return dict(counts.most_common())

    @property
    def lacks_targets(self) -> bool:
        """Whether these are several images, and not one target in all of them."""
        return len(self.readable) >= MANY_IMAGES and self.n_targets == 0

    @property
    def n_targets(self) -> int:
        """Number of targets in all readable samples."""
        return sum(entry.n_targets for entry in self.entries)

    def as_dict(self) -> dict[str, Any]:
        """The manifest in short, for ``run.json``."""
        return {
            "dataset": self.dataset,
            "scheme": self.scheme,
            "split": self.split,
            "hash": self.hash,
            "n_images": len(self.entries),
            "n_targets": self.n_targets,
            "unreadable": self.unreadable,
        }


def build_manifest(dataset: Dataset, progress: Progress | None = None) -> Manifest:
    """Read every sample of a dataset once and record what it is.

    Parameters
    ----------
    dataset : Dataset
    progress : Progress, optional
        Reported to for each sample.

    Returns
    -------
    Manifest
        Samples that cannot be used are recorded with the reason, not raised.
    """
    entries = []
    with (progress or Progress()).track(f"reading {dataset.info.title}", len(dataset)) as advance:
        for sample_id in dataset.ids:
            entries.append(describe_sample(dataset, sample_id))
            advance()
    return Manifest(dataset.info.name, dataset.scheme, dataset.split, tuple(entries))


def usable_samples(
    dataset: Dataset,
    left_out: dict[str, str],
    progress: Progress | None = None,
    *,
    ids: Sequence[str] | None = None,
    title: str = "",
) -> Iterator[tuple[str, Sample]]:
    """Read samples one after the other, each with its id.

    Parameters
    ----------
    dataset : Dataset
    left_out : dict of str to str
        Takes up the samples that cannot be used, with the reason.
    progress : Progress, optional
        Reported to for each sample.
    ids : sequence of str, optional
        By default all of the split.
    title : str
        Of the progress; by default that the dataset is read.
    """
    ids, title = dataset.ids if ids is None else ids, title or f"reading {dataset.info.title}"
    with (progress or Progress()).track(title, len(ids)) as advance:
        for sample_id in ids:
            try:
                sample = dataset.load(sample_id)
            except UNUSABLE as error:
                left_out[sample_id] = str(error)
            else:
                yield sample_id, sample
            advance()


def describe_sample(dataset: Dataset, sample_id: str) -> ManifestEntry:
    """Read one sample and make its manifest entry."""
    try:
        sample = dataset.load(sample_id)
    except UNUSABLE as error:
        return ManifestEntry.of_error(sample_id, error)
    return ManifestEntry.of(sample)


def hash_image(image: NDArray[Any]) -> str:
    """SHA-256 of an image as decoded.

    Parameters
    ----------
    image : (H, W) ndarray

    Returns
    -------
    str
        In hex, over type, shape and values; the same on every machine.
    """
    digest = hashlib.sha256()
    _update(digest, image)
    return digest.hexdigest()


def hash_truth(sample: Sample) -> str:
    """SHA-256 of the ground truth of a sample.

    Returns
    -------
    str
        In hex, over the mask, over the boxes where they do not follow from it, and over what
        is ignored, where anything is.
    """
    digest = hashlib.sha256()
    if sample.mask is not None:
        _update(digest, sample.mask)
    if sample.targets is None or not np.array_equal(sample.boxes, sample.targets.boxes):
        _update(digest, sample.boxes)
    if len(sample.ignored):
        _update(digest, sample.ignored)
    return digest.hexdigest()


def _update(digest: hashlib._Hash, array: NDArray[Any]) -> None:
    # The byte order of the machine is no property of the data.
    portable = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    digest.update(f"{array.dtype.name}{array.shape}".encode())
    digest.update(portable.data)
