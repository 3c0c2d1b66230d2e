"""Reading a split once before a run: its ground truth, its hash, and what cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from irbench.data.class_checks import class_warnings
from irbench.data.manifest import Manifest, ManifestEntry
from irbench.dataset import Dataset
from irbench.errors import ImageError, IrbenchError
from irbench.ground_truth import GroundTruth
from irbench.images.squashing import squash
from irbench.messages.external_text import unprintable
from irbench.networks.card import image_digests


@dataclass(frozen=True, eq=False)
class SplitScan:
    """What a split holds.

    Attributes
    ----------
    split : str
    truths : list of GroundTruth
        Of the readable samples, in the order of the split.
    left_out : dict of str to str
        Samples that cannot be used, and why; left out for every method alike.
    hash : str
        Of the manifest: over ids, decoded pixels and targets, so that a re-encoded copy has
        the same. 16 hexadecimal digits.
    notes : dict of str to tuple of str
        What a person should know of how the files were read, and of which samples.
    lacks_targets : bool
        Whether there are several images and no target in any.
    warnings : tuple of str
        What a person should know of the classes of the labels, a clause each.
    digests : dict of str to str
        Of each readable image, by id; see :func:`irbench.networks.card.image_digests`.
    """

    split: str
    truths: list[GroundTruth] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    hash: str = ""
    digests: dict[str, str] = field(default_factory=dict)
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lacks_targets: bool = False
    warnings: tuple[str, ...] = ()


def scan_split(
    dataset: Dataset,
    limit: int | None = None,
    advance: Callable[[], None] = lambda: None,
    side: int | None = None,
) -> SplitScan:
    """Read every sample of a split once.

    Parameters
    ----------
    dataset : Dataset
    limit : int, optional
        Only so many samples, from the start.
    advance : callable
        Called after each sample.
    side : int, optional
        Of the squares that ground truth is scaled to; see :func:`irbench.images.squashing.squash`.
        The manifest is that of the images as they are.

    Returns
    -------
    SplitScan
    """
    truths: list[GroundTruth] = []
    entries: list[ManifestEntry] = []
    for sample_id in dataset.ids[:limit]:
        try:
            check_sample_name(sample_id)
            sample = dataset.load(sample_id)
        except IrbenchError as error:
            entries.append(ManifestEntry.of_error(sample_id, error))
        else:
            truths.append(GroundTruth.of(squash(sample, side)))
            entries.append(ManifestEntry.of(sample))
        advance()
    manifest = Manifest(dataset.info.name, dataset.scheme, dataset.split, tuple(entries))
    return SplitScan(
        dataset.split,
        truths,
        manifest.unreadable,
        manifest.hash[:16],
        image_digests(entries),
        manifest.notes,
        # Of a part of the split, the rest may have some.
        limit is None and manifest.lacks_targets,
        tuple(class_warnings(manifest.label_counts, dataset.conventions)),
    )


def check_sample_name(sample_id: str) -> None:
    """Refuse a sample whose name no table or file can have, of whatever dataset it is.

    Raises
    ------
    ImageError
    """
    if flaw := unprintable(sample_id):
        raise ImageError(f"the name of the image {sample_id!a} has {flaw}; rename it.")
