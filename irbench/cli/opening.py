"""What commands open, with the event that reports it: datasets, runs, calibrations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from irbench.cli.verbosity import command_events, command_progress, record
from irbench.errors import UsageError

if TYPE_CHECKING:
    from irbench.conventions import Conventions
    from irbench.dataset import Dataset
    from irbench.engine.storage.results import RunResults
    from irbench.scoring.calibration import Calibration


def open_own(
    name: str,
    data_root: Path | None,
    scheme: str | None = None,
    conventions: Conventions | None = None,
    split: str = "all",
) -> Dataset:
    """Open a dataset by its own rules, no protocol's; by default all of it."""
    from irbench.engine.planning import choices
    from irbench.plugins.registry import load_dataset

    opened = load_dataset(name, data_root, split, scheme, conventions)
    choices.record_opened(opened, command_events(command_progress()))
    return opened


def open_run(path: Path) -> RunResults:
    """Read a run directory; see :func:`irbench.engine.storage.results.load_run`."""
    from irbench.engine.storage.results import load_run

    results = load_run(path)
    record(
        "run_opened",
        path=str(path),
        dataset=results.dataset["name"],
        protocol=results.protocol["name"],
        written_by=results.run.get("versions", {}).get("irbench"),
        states={row["method"]: row["state"] for row in results.rows},
    )
    return results


def open_runs(paths: Iterable[Path]) -> list[RunResults]:
    """Read run directories, each once."""
    return [open_run(path) for path in {path.resolve(): path for path in paths}.values()]


def open_calibration(path: Path, method: str) -> Calibration:
    """The calibration of one method from a run or a file of ``irbench calibrate``."""
    from irbench.scoring.calibration import read_calibrations

    known = read_calibrations(path)
    if method not in known:
        raise UsageError(f"--calibration {path} knows nothing of {method}.")
    return known[method]
