"""The run directory: where its files are, who may write, what run it belongs to, and its log."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from irbench.atomic import remove_leftovers, write_json
from irbench.engine.storage.file_checks import check_run
from irbench.errors import RunKeyError, RunLockedError, UsageError, WriteError
from irbench.json_fields import parse_json
from irbench.messages.events import Events, Level
from irbench.messages.external_text import storable, unprintable

SCHEMA_VERSION = 1


class RunDirectory:
    """The files of one run.

    Parameters
    ----------
    path : path-like
        Made where it is missing.

    Raises
    ------
    UsageError
        If its name is not UTF-8 that can be printed: Arrow, which writes most of the files in
        it, takes no other.
    """

    def __init__(self, path: Path | str) -> None:
        if flaw := unprintable(str(path)):
            raise UsageError(f"a run directory cannot be called {str(path)!a}: {flaw}.")
        self.path = Path(path)

    @property
    def run_file(self) -> Path:
        """Protocol, key, methods, machine and states."""
        return self.path / "run.json"

    @property
    def results_file(self) -> Path:
        """One row per method."""
        return self.path / "results.json"

    @property
    def ground_truth_file(self) -> Path:
        """The targets of every image that the run uses."""
        return self.path / "ground_truth.parquet"

    @property
    def log_file(self) -> Path:
        """What happened when; see :mod:`irbench.messages.events`."""
        return self.path / "log.jsonl"

    def journal_file(self, method: str) -> Path:
        """The finished images of a method that is not done yet."""
        return self.path / "journal" / f"{method}.jsonl"

    def detections_file(self, method: str) -> Path:
        """What a method found."""
        return self.path / "detections" / f"{method}.parquet"

    def map_statistics_file(self, method: str) -> Path:
        """What is kept of a method's score maps; missing for boxes, and in older runs."""
        return self.path / "map_statistics" / f"{method}.parquet"

    def timings_file(self, method: str) -> Path:
        """What each image took, and what failed."""
        return self.path / "timings" / f"{method}.parquet"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for this process.

        Raises
        ------
        RunLockedError
            If another process holds it.
        UsageError
            If it cannot be made.
        WriteError
            If nothing can be written in it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--out {self.path} cannot be made: {error.strerror}.") from error
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
            remove_leftovers(self.path)
        except Timeout:
            raise RunLockedError(
                f"{self.path} is being written by another irbench process; wait for it, "
                "or use another --out."
            ) from None
        except OSError as error:
            raise WriteError(self.path / ".lock", error) from error
        try:
            yield
        finally:
            lock.release()

    def read(self) -> dict[str, Any] | None:
        """The content of ``run.json``; None for a new directory.

        Raises
        ------
        RunKeyError
            If it is damaged, or of another schema version.
        """
        if not self.run_file.exists():
            return None
        try:
            content = storable(parse_json(self.run_file.read_bytes()))
        except (ValueError, OSError) as error:
            raise RunKeyError(
                f"{self.run_file} cannot be read ({error}); use another --out."
            ) from None
        if not isinstance(content, dict) or content.get("schema") != SCHEMA_VERSION:
            version = content.get("schema") if isinstance(content, dict) else None
            raise RunKeyError(
                f"{self.run_file} has schema version {version}, this irbench reads "
                f"{SCHEMA_VERSION}; use another --out, or the irbench that wrote it."
            )
        check_run(content, self.run_file)
        return content

    def write(self, content: dict[str, Any]) -> None:
        """Replace ``run.json`` atomically."""
        write_json(self.run_file, {"schema": SCHEMA_VERSION, **content})


class RunLog:
    """The events of one command on a run directory.

    Parameters
    ----------
    events : Events
    """

    def __init__(self, events: Events) -> None:
        self.events = events
        self._begun: dict[str, float] = {}

    def kept(
        self, directory: RunDirectory, command: Sequence[str], **facts: Any
    ) -> AbstractContextManager[dict[str, Any]]:
        """Append to the directory's log inside a block, its beginning and its end included.

        Parameters
        ----------
        directory : RunDirectory
        command : sequence of str
        **facts
            Of the command, for the entry of its beginning.
        """
        resumed = directory.run_file.exists()
        return self.events.of_command(directory.log_file, command, resumed=resumed, **facts)

    def image_left_out(self, split: str, image: str, reason: str) -> None:
        """An image that no method is tested on."""
        self.events.record("image_left_out", "warning", split=split, image=image, reason=reason)

    def method_begun(self, name: str, facts: Mapping[str, Any]) -> None:
        """A method is begun, or resumed."""
        self._begun[name] = time.monotonic()
        self.events.record("method_started", method=name, facts=dict(facts))

    def method_finished(self, name: str, row: Mapping[str, Any]) -> None:
        """A method has its row: run now, or by an earlier command and scored again."""
        begun = self._begun.pop(name, None)
        if begun is None:
            self.events.record("method_kept", method=name, state=row["state"])
            return
        self.events.record(
            f"method_{row['state']}",
            "warning" if row["state"] == "partial" else "info",
            method=name,
            seconds=round(time.monotonic() - begun, 3),
            **{field: row[field] for field in ("n_images", "n_failed", "f1", "ms_median")},
        )

    def method_given_up(self, name: str, state: str, reason: str) -> None:
        """A method has no results: failed, interrupted or skipped."""
        level: Level = "error" if state == "failed" else "warning"
        self.events.record(f"method_{state}", level, method=name, reason=reason)
