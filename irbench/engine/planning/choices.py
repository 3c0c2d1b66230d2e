"""What is run, on what and by which rules, from the names that a user gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from irbench.conventions import Conventions
from irbench.dataset import Dataset
from irbench.detector import Detector
from irbench.engine.jobs.specs import DatasetSpec
from irbench.engine.planning.network_plan import has_weights_for
from irbench.errors import IrbenchError
from irbench.messages.events import Events
from irbench.plugins.registry import catalogue, load_dataset
from irbench.protocol import Protocol, get_protocol

GROUP_NAMES = ("all", "extended", "classical", "deep")
"""Sets of methods; see :func:`default_methods`."""


def choose_protocol(
    named: str | Protocol,
    operating_point: str | None = None,
    threshold: float | None = None,
    score: str | None = None,
) -> Protocol:
    """A protocol, by name or as it is, with what is changed of it."""
    protocol = get_protocol(named) if isinstance(named, str) else named
    changes: dict[str, Any] = {} if score is None else {"score": score}
    if operating_point is not None or threshold is not None:
        changes["operating_point"] = operating_point or "fixed"
        changes["fixed_threshold"] = threshold
    return dataclasses.replace(protocol, **changes)


def open_dataset(
    name: str,
    data_root: Path | str | None,
    split: str,
    scheme: str | None,
    protocol: Protocol,
    events: Events,
    conventions: Conventions | None = None,
) -> Dataset:
    """Open a dataset under the scheme asked for, else the protocol's where the data has it.

    Its place is recorded as an event.
    """
    if scheme is None:
        known = catalogue("datasets").classes.get(name)
        if known is not None and protocol.scheme in known.info.schemes:
            scheme = protocol.scheme
    opened = load_dataset(name, data_root, split, scheme, conventions)
    record_opened(opened, events)
    return opened


def record_opened(dataset: Dataset, events: Events) -> None:
    """Record where a dataset was found."""
    events.record(
        "dataset_opened",
        dataset=dataset.info.name,
        root=None if dataset.root is None else str(dataset.root),
        scheme=dataset.scheme,
        split=dataset.split,
        n_images=len(dataset.ids),
    )


def dataset_spec(opened: Dataset, plugins: tuple[str, ...]) -> DatasetSpec:
    """What a worker needs to open the same dataset."""
    root = None if opened.root is None else str(Path(opened.root).resolve())
    name, scheme = opened.info.name, opened.scheme or None
    return DatasetSpec(name, root, scheme, plugins, opened.conventions)


def typical_pixels(dataset: Dataset) -> int | None:
    """Median number of pixels of a few images spread over a split; None where none is readable."""
    sizes = []
    step = max(len(dataset.ids) // 9, 1)
    for sample_id in dataset.ids[::step]:
        try:
            sizes.append(dataset.load(sample_id).image.size)
        # Named when the split is read in full.
        except IrbenchError:
            continue
    return sorted(sizes)[len(sizes) // 2] if sizes else None


def default_directory(dataset: Dataset, protocol: Protocol) -> Path:
    """``runs/DATASET``, or ``runs/DATASET-PROTOCOL`` under another protocol than the default."""
    name = dataset.info.name
    if name == "folder" and dataset.root is not None:
        name = Path(dataset.root).resolve().name
    return Path("runs") / (name if protocol.name == "table1" else f"{name}-{protocol.name}")


def default_methods(
    group: str, typical_pixels: int | None = None, dataset: Dataset | None = None
) -> list[type[Detector]]:
    """The methods that a set stands for, in the order of Table I.

    Parameters
    ----------
    group : str
        ``all``: those whose ``info.default`` is true, and those whose ``info.with_weights``
        is and that have weights trained on ``dataset``; of these, ``classical`` are the ones
        without a network and ``deep`` the ones with one. ``extended``: all of these, and
        those whose ``info.extended`` is true.
    typical_pixels : int, optional
        Leaves out what does not suit images of this size; see
        :meth:`irbench.MethodInfo.suits`.
    dataset : Dataset, optional
        That is tested on.
    """
    return [cls for cls in _of_set(group, typical_pixels) if _belongs(cls, group, dataset)]


def unweighted_methods(
    names: Sequence[str], typical_pixels: int | None, dataset: Dataset
) -> tuple[str, ...]:
    """The networks that sets among ``names`` would include if they had weights for a dataset."""
    left_out: dict[str, None] = {}
    for group in names:
        if group in GROUP_NAMES:
            for cls in _of_set(group, typical_pixels):
                if cls.info.with_weights and not _belongs(cls, group, dataset):
                    left_out[cls.info.name] = None
    return tuple(name for name in left_out if name not in names)


def _of_set(group: str, typical_pixels: int | None) -> list[type[Detector]]:
    """The methods of one kind that suit images of a size, whether they belong to it or not."""
    classes = [
        cls
        for cls in catalogue("methods").classes.values()
        if (group in ("all", "extended") or (group == "deep") == cls.info.trainable)
        and (typical_pixels is None or cls.info.suits(typical_pixels))
    ]
    return sorted(classes, key=lambda cls: cls.info.order)


def _belongs(cls: type[Detector], group: str, dataset: Dataset | None) -> bool:
    info = cls.info
    if info.default or (group == "extended" and info.extended):
        return True
    return info.with_weights and dataset is not None and has_weights_for(cls, dataset)
