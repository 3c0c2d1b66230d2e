"""What a run is made on and by which rules, from the names that a user gives."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from irbench.conventions import Conventions
from irbench.dataset import Dataset
from irbench.engine.jobs.specs import DatasetSpec
from irbench.errors import IrbenchError
from irbench.messages.events import Events
from irbench.plugins.registry import catalogue, load_dataset
from irbench.protocol import Protocol, get_protocol


def choose_protocol(
    named: str | Protocol,
    operating_point: str | None = None,
    threshold: float | None = None,
    score: str | None = None,
) -> Protocol:
    """A protocol, by name or as it is, with what is changed of it."""
    protocol = get_protocol(named) if isinstance(named, str) else named
    changes: dict[str, Any] = {}
    if operating_point is not None:
        changes["operating_point"] = operating_point
        changes["fixed_threshold"] = threshold
    elif threshold is not None:
        changes = {"operating_point": "fixed", "fixed_threshold": threshold}
    if score is not None:
        changes["score"] = score
    if not changes:
        return protocol
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
