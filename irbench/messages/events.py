"""What happens during work, as structured events: in a log file, reported to a person, or dropped.

One event is one line of JSON: ``time`` (UTC), ``level``, ``event``, and what belongs to it.
``RUN/log.jsonl`` is appended to by every command on the run, and is the only file of a run
with time stamps. It is bounded: of what may come once for each image the first
:data:`MOST_OF_A_KIND` are listed; see :class:`irbench.messages.log_file.LogFile` for the rest.
"""

from __future__ import annotations

import os
import shlex
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from irbench import __version__
from irbench.messages.external_text import error_text, printable, shortened, storable
from irbench.messages.log_file import LogFile

Level = Literal["info", "warning", "error"]

MOST_OF_A_KIND = 100
"""So many events of a kind of :data:`REPEATED` are listed for a method; the rest is counted."""

REPEATED = frozenset({"image_failed", "image_left_out", "worker_restarted"})
"""Kinds of events that may come once for each image."""

MAX_TEXT = 2000
"""Longest text of a field, in characters."""


class Events:
    """Where events go; any thread may record one.

    Parameters
    ----------
    report : callable, optional
        Given each event in one line, for a person.
    now : callable
        The time, in UTC.

    Examples
    --------
    >>> Events(print, lambda: datetime(2026, 1, 2, 3, 4, 5)).record("start", dataset="nudt")
    03:04:05 start: dataset=nudt
    """

    def __init__(
        self,
        report: Callable[[str], None] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._report, self._now = report, now
        self._log: LogFile | None = None
        self._counts: Counter[tuple[str, Any]] = Counter()
        self._recording = threading.Lock()

    def record(self, event: str, level: Level = "info", **fields: Any) -> None:
        """Record an event.

        Parameters
        ----------
        event : str
            Its kind, such as ``"method_started"``.
        level : {"info", "warning", "error"}
        **fields
            What JSON can hold; long texts are cut.
        """
        with self._recording:
            self._record(event, level, fields)

    def _record(self, event: str, level: Level, fields: dict[str, Any]) -> None:
        if event in REPEATED:
            kind = event, fields.get("method")
            self._counts[kind] += 1
            if self._counts[kind] > MOST_OF_A_KIND:
                return
            if self._counts[kind] == MOST_OF_A_KIND:
                fields["more"] = "not listed"
        now = self._now()
        fields = {name: _kept(value) for name, value in fields.items()}
        if self._log is not None:
            stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._log.append({"time": stamp, "level": level, "event": event, **fields})
            self._report_trouble()
        if self._report is not None:
            self._report(_line(now, event, fields))

    @contextmanager
    def logged_to(self, path: Path) -> Iterator[None]:
        """Append to a log file, inside the block."""
        self._log = log = LogFile(path)
        self._report_trouble()
        try:
            yield
        finally:
            log.close()
            self._log = None

    @contextmanager
    def of_command(
        self, path: Path, command: Sequence[str], *, resumed: bool, **begun: Any
    ) -> Iterator[dict[str, Any]]:
        """Log one command on a run directory, its beginning and its end included.

        Parameters
        ----------
        path : Path
            The log.
        command : sequence of str
            As typed.
        resumed : bool
            Whether the directory holds a run already.
        **begun
            More fields of the first event.

        Yields
        ------
        dict
            What is put in becomes fields of the last event; ``event`` replaces ``"finish"``.
        """
        ended: dict[str, Any] = {}
        start = time.monotonic()
        with self.logged_to(path):
            first = "resume" if resumed else "start"
            self.record(
                first,
                command=shlex.join(command),
                version=__version__,
                pid=os.getpid(),
                **begun,
            )
            try:
                yield ended
            except KeyboardInterrupt:
                ended["event"] = "interrupted"
                raise
            except Exception as error:
                ended.update(event="error", reason=error_text(error))
                raise
            finally:
                last = ended.pop("event", "finish")
                levels: dict[str, Level] = {"error": "error", "interrupted": "warning"}
                ended["seconds"] = round(time.monotonic() - start, 3)
                self.record(last, levels.get(last, "info"), **ended)

    def _report_trouble(self) -> None:
        if self._log is not None and self._log.trouble and self._report is not None:
            self._report(self._log.trouble)
            self._log = None


def _kept(value: Any) -> Any:
    if isinstance(value, str):
        return printable(shortened(value, MAX_TEXT))
    return storable(value)


def _line(now: datetime, event: str, fields: dict[str, Any]) -> str:
    parts = (f"{name}={_word(value)}" for name, value in fields.items() if value is not None)
    return f"{now:%H:%M:%S} {event}: {' '.join(parts)}"


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_word(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value)
