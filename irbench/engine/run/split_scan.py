"""Reading a split once before a run: its ground truth, its hash, and what cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from irbench.data.class_checks import class_warnings
from irbench.data.manifest import Manifest
from irbench.dataset import Dataset
from irbench.engine.executors.executor import Executor
from irbench.engine.jobs.detection import scan_image
from irbench.engine.jobs.scanning import ScannedImage, read_image
from irbench.engine.jobs.specs import DatasetSpec, ScanJob
from irbench.ground_truth import GroundTruth
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
    pool: Executor | None = None,
    spec: DatasetSpec | None = None,
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
        Of the squares that ground truth is scaled to; see
        :func:`irbench.images.squashing.squash`. The manifest is that of the images as they are.
    pool : Executor, optional
        Its workers read, and keep what they have read for the methods.
    spec : DatasetSpec, optional
        How they open the dataset.

    Returns
    -------
    SplitScan
    """
    ids = dataset.ids[:limit]
    found: list[ScannedImage | None] = [None] * len(ids)
    if pool is not None and spec is not None:
        jobs = (ScanJob(spec, dataset.split, name, side, index) for index, name in enumerate(ids))
        for outcome in pool.run(scan_image, jobs):
            found[outcome.job.image_index] = outcome.returned
            if outcome.returned is not None:
                advance()
    images: list[ScannedImage] = []
    for sample_id, scanned in zip(ids, found, strict=True):
        if scanned is None:
            # What a worker has failed on is read here too, for the error itself.
            scanned, _ = read_image(dataset, sample_id, side)
            advance()
        images.append(scanned)
    entries = tuple(one.entry for one in images)
    manifest = Manifest(dataset.info.name, dataset.scheme, dataset.split, entries)
    return SplitScan(
        dataset.split,
        [one.truth for one in images if one.truth is not None],
        manifest.unreadable,
        manifest.hash[:16],
        image_digests(entries),
        manifest.notes,
        # Of a part of the split, the rest may have some.
        limit is None and manifest.lacks_targets,
        tuple(class_warnings(manifest.label_counts, dataset.conventions)),
    )
