"""The course of a training as scalars that TensorBoard shows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from irbench.extras import require_packages
from irbench.training.history import NOT_LOSSES, Row

EXTRA, PACKAGE = "tensorboard", "tensorboardX"
FOLDER = "tensorboard"
SUFFIX = ".irbench"
"""Ends the names of the files that are ours, beside those of other writers."""

_PREFIX = "events.out.tfevents."
_VALIDATED = "val_"


def require_writer() -> None:
    """Refuse to begin where the extra is missing.

    Raises
    ------
    MissingLibraryError
    """
    require_packages("--tensorboard", EXTRA, PACKAGE)


class EventCurves:
    """Writes each row of a history as scalars, at its epoch.

    What was written before is replaced by the history: a training that resumes from an older
    checkpoint has every epoch once, and a viewer that is open forgets what was undone.

    Parameters
    ----------
    folder : Path
        One training's.
    history : sequence of dict
        The epochs that are done already.
    """

    def __init__(self, folder: Path, history: Sequence[Row] = ()) -> None:
        # Its SummaryWriter hands events to a thread, and flushes without waiting for that.
        from tensorboardX import RecordWriter
        from tensorboardX.proto import event_pb2

        folder.mkdir(parents=True, exist_ok=True)
        before = sorted(folder.glob(f"{_PREFIX}*{SUFFIX}"))
        now = time.time()
        self._event = event_pb2.Event
        self._file = RecordWriter(str(folder / f"{_PREFIX}{now:.6f}{SUFFIX}"))
        self._write(wall_time=now, file_version="brain.Event:2")
        # Has a viewer that is open forget every step from 0 on.
        restarted = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._write(wall_time=now, step=0, session_log=restarted)
        # Time of training, without the breaks.
        self._time = now - sum(row["seconds"] for row in history)
        for row in history:
            self._add(row)
        self._file.flush()
        # Only now, so that there is always one that is whole.
        for path in before:
            path.unlink(missing_ok=True)

    def __enter__(self) -> EventCurves:
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()

    def add(self, row: Row) -> None:
        """Write one epoch, and have it on disk."""
        self._add(row)
        self._file.flush()

    def _add(self, row: Row) -> None:
        self._time += row["seconds"]
        values = [{"tag": tag, "simple_value": value} for tag, value in scalars(row)]
        self._write(wall_time=self._time, step=row["epoch"], summary={"value": values})

    def _write(self, **fields: Any) -> None:
        self._file.write(self._event(**fields).SerializeToString())


def scalars(row: Row) -> Iterator[tuple[str, Any]]:
    """The numbers of a row with their tags; an epoch that was not validated has fewer.

    Examples
    --------
    >>> row = {"epoch": 1, "box": 2.5, "val_ap50": None, "learning_rate": 0.01, "seconds": 3.0}
    >>> list(scalars(row))
    [('loss/box', 2.5), ('learning_rate', 0.01), ('seconds', 3.0)]
    """
    for name, value in row.items():
        if value is None or name == "epoch":
            continue
        if name.startswith(_VALIDATED):
            yield f"val/{name.removeprefix(_VALIDATED)}", value
        else:
            yield name if name in NOT_LOSSES else f"loss/{name}", value
