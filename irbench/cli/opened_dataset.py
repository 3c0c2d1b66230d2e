"""Opening a dataset for a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from irbench.cli.verbosity import record_opened

if TYPE_CHECKING:
    from irbench.dataset import Dataset
    from irbench.protocol import Protocol


def open_dataset(
    name: str, data_root: Path | None, split: str, scheme: str | None, protocol: Protocol
) -> Dataset:
    """See :func:`irbench.engine.planning.choices.open_dataset`; records what was opened."""
    from irbench.engine.planning import choices

    opened = choices.open_dataset(name, data_root, split, scheme, protocol)
    record_opened(opened)
    return opened
