"""Reports of how far long work is: a bar on a terminal, lines in a log, or nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from irbench.messages.external_text import printable

Advance = Callable[[], None]


class Progress:
    """Says nothing; the base of those that do, and what library calls use by default."""

    @contextmanager
    def track(self, title: str, total: int, unit: str = "") -> Iterator[Advance]:
        """Follow ``total`` steps of work called ``title``.

        Parameters
        ----------
        title : str
        total : int
        unit : str
            What a step is, such as ``"frames"``, where their number a second is wanted too.

        Yields
        ------
        callable
            To be called once after each step.
        """
        yield lambda: None

    def say(self, message: str) -> None:
        """Report one line."""

    def warn(self, message: str) -> None:
        """Report in one line what went wrong."""
        self.say(message)


class QuietProgress(Progress):
    """Says on standard error what went wrong, and nothing else."""

    def warn(self, message: str) -> None:
        """See :meth:`Progress.warn`."""
        sys.stderr.write(f"{printable(message)}\n")


class LineProgress(Progress):
    """Lines on standard error: at the end of each piece of work, and now and then between."""

    interval_s = 30.0
    """Least time between two lines about the same work."""

    @contextmanager
    def track(self, title: str, total: int, unit: str = "") -> Iterator[Advance]:
        """See :meth:`Progress.track`."""
        start = last = time.monotonic()
        done = 0

        def advance() -> None:
            nonlocal done, last
            done += 1
            now = time.monotonic()
            if now - last >= self.interval_s and done < total:
                last = now
                left = (now - start) / done * (total - done)
                speed = f", {done / (now - start):.1f} {unit}/s" if unit else ""
                self.say(f"{title}: {done}/{total}{speed}, about {duration(left)} left")

        yield advance
        elapsed = time.monotonic() - start
        if elapsed >= 1.0:
            speed = f", {done / elapsed:.1f} {unit}/s" if unit else ""
            self.say(f"{title}: {done}/{total} in {duration(elapsed)}{speed}")

    def say(self, message: str) -> None:
        """See :meth:`Progress.say`."""
        sys.stderr.write(f"{printable(message)}\n")
        sys.stderr.flush()


class BarProgress(Progress):
    """A bar with the time left, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(stderr=True)

    @contextmanager
    def track(self, title: str, total: int, unit: str = "") -> Iterator[Advance]:
        """See :meth:`Progress.track`."""
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        speed = (TextColumn("{task.fields[speed]}"),) if unit else ()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            *speed,
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=self.console, transient=True) as bars:
            task = bars.add_task(title, total=total, speed="")
            start, done = time.monotonic(), 0

            def advance() -> None:
                nonlocal done
                done += 1
                bars.advance(task)
                if unit:
                    rate = done / max(time.monotonic() - start, 1e-9)
                    bars.update(task, speed=f"{rate:.1f} {unit}/s")

            yield advance

    def say(self, message: str) -> None:
        """See :meth:`Progress.say`."""
        self.console.print(printable(message), highlight=False, markup=False)


def terminal_progress() -> Progress:
    """A bar where standard error is a terminal that can draw one, else lines."""
    can_draw = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return BarProgress() if can_draw else LineProgress()


def duration(seconds: float) -> str:
    """A time span in words: ``"42 s"``, ``"3 min 05 s"``, ``"2 h 10 min"``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
