"""What a run puts into its log: that a command starts, what becomes of each method, the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from irbench.engine.planning.plan import RunPlan
from irbench.engine.storage.directory import RunDirectory
from irbench.messages.events import Events, Level


class RunLog:
    """The events of one command on a run directory.

    Parameters
    ----------
    events : Events
    """

    def __init__(self, events: Events) -> None:
        self.events = events
        self._begun: dict[str, float] = {}

    @contextmanager
    def kept(self, directory: RunDirectory, plan: RunPlan) -> Iterator[None]:
        """Append to the directory's log inside the block, its beginning and its end included."""
        with self.events.of_command(
            directory.log_file,
            plan.command,
            resumed=directory.run_file.exists(),
            dataset=plan.dataset.name,
            split=plan.split,
            methods=[method.name for method in plan.methods],
            jobs=plan.n_jobs,
        ):
            yield

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
            "warning" if row["n_failed"] else "info",
            method=name,
            seconds=round(time.monotonic() - begun, 3),
            **{field: row[field] for field in ("n_images", "n_failed", "f1", "ms_median")},
        )

    def method_given_up(self, name: str, state: str, reason: str) -> None:
        """A method has no results: failed, interrupted or skipped."""
        level: Level = "error" if state == "failed" else "warning"
        self.events.record(f"method_{state}", level, method=name, reason=reason)
