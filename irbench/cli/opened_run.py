"""Opening a run directory for a command that reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from irbench.cli.verbosity import record

if TYPE_CHECKING:
    from irbench.engine.storage.results import RunResults


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
