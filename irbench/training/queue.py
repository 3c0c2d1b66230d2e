"""A list of trainings that are run one after the other, most valuable first.

The file is TOML::

    out = "runs/queue"          # beside the file; each training gets a directory in it

    [[training]]
    method = "le-irstd"
    dataset = "nudt"
    max-minutes = 3             # of this training
    imgsz = 640
    test = true                 # a switch

    [[training]]
    name = "p2"                 # of its directory; by default METHOD-DATASET
    method = "le-irstd-p2"
    dataset = "nudt,nuaa"
    set = ["ema_share=0.2"]     # an option that may be repeated

The keys of a training are the options of ``irbench train``, by their names; files are looked for
where the command is typed, then beside the queue. Each is a process of
its own, so that one that fails, or that the system kills for its memory, does not end the others.
"""

from __future__ import annotations

import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irbench.errors import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, UsageError

_OF_THE_QUEUE = ("out", "training")
_OF_AN_ENTRY = ("name", "method")
_REFUSED = ("out", "resume", "queue")
_FILES = ("dataset", "plugin", "recipe", "weights", "data-root")


@dataclass(frozen=True)
class QueuedTraining:
    """One training of a queue.

    Attributes
    ----------
    name : str
        Of its directory.
    arguments : tuple of str
        Of ``irbench train``, without where it goes and how long it may take.
    max_minutes : float or None
        After which it stops with valid weights.
    """

    name: str
    arguments: tuple[str, ...]
    max_minutes: float | None

    def command(self, out: Path, minutes: float | None) -> tuple[str, ...]:
        """The arguments of ``irbench`` that begin this training or resume it."""
        limit = () if minutes is None else ("--max-minutes", f"{minutes:g}")
        return ("train", *self.arguments, "--out", str(out / self.name), "--resume", *limit)


@dataclass(frozen=True)
class TrainingQueue:
    """What a queue file says.

    Attributes
    ----------
    out : Path
        Directory of the trainings' directories.
    trainings : tuple of QueuedTraining
        In the order in which they are run.
    """

    out: Path
    trainings: tuple[QueuedTraining, ...]


def read_queue(path: Path, options: Mapping[str, bool]) -> TrainingQueue:
    """Read a queue file.

    Parameters
    ----------
    path : Path
    options : mapping of str to bool
        The options that a training may have, and whether each is a switch.

    Raises
    ------
    UsageError
        For a file that cannot be read or is no TOML, and for a key that is unknown, missing or
        given twice; it names the file, the training and the key.
    """
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"the queue {path} cannot be read: {error}") from error
    if unknown := sorted(set(text) - set(_OF_THE_QUEUE)):
        raise UsageError(
            f"{path} has the key {unknown[0]!r}; a queue has `out` and [[training]] tables."
        )
    entries = text.get("training")
    if not isinstance(entries, list) or not entries:
        raise UsageError(f"{path} has no [[training]] table; give one for each training.")
    trainings = tuple(
        _queued(entry, f"{path}, training {number}", options, path.parent)
        for number, entry in enumerate(entries, 1)
    )
    names = [one.name for one in trainings]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"{path} has {names.count(name)} trainings called {name!r}; give each a `name`."
            )
    out = text.get("out", path.stem)
    if not isinstance(out, str):
        raise UsageError(f"{path}: `out` must be a directory in quotes, got {out!r}.")
    return TrainingQueue(path.parent / out, trainings)


def _queued(entry: Any, where: str, options: Mapping[str, bool], folder: Path) -> QueuedTraining:
    if not isinstance(entry, dict):
        raise UsageError(f"{where} must be a [[training]] table, got {entry!r}.")
    for key in ("method", "dataset"):
        if not isinstance(entry.get(key), str):
            raise UsageError(f"{where} must have `{key}` as text, got {entry.get(key)!r}.")
    arguments = [entry["method"]]
    minutes: float | None = None
    for key, value in entry.items():
        option = key.replace("_", "-")
        if option in _OF_AN_ENTRY:
            continue
        if option in _REFUSED or option not in options:
            known = ", ".join(sorted(set(options) - set(_REFUSED)))
            raise UsageError(f"{where}: {key!r} is no option of a queued training; known: {known}.")
        if option == "max-minutes":
            if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                raise UsageError(f"{where}: {key} must be a number above 0, got {value!r}.")
            minutes = float(value)
        elif options[option]:
            if not isinstance(value, bool):
                raise UsageError(f"{where}: {key} is a switch, true or false, got {value!r}.")
            arguments += [f"--{option}"] if value else []
        else:
            for one in value if isinstance(value, list) else [value]:
                text = _found(str(one), folder) if option in _FILES else str(one)
                arguments += [f"--{option}", text]
    default = f"{entry['method']}-{Path(entry['dataset']).name.replace(',', '+')}"
    name = entry.get("name", default)
    if not isinstance(name, str) or not name or Path(name).name != name:
        raise UsageError(f"{where}: name must be that of a directory, got {name!r}.")
    return QueuedTraining(name, tuple(arguments), minutes)


def _found(text: str, folder: Path) -> str:
    """A file or folder that lies beside the queue, and not where the command is typed.

    A word without a folder or an ending is a name, such as that of a dataset.
    """
    beside = folder / text
    is_path = "/" in text or bool(Path(text).suffix)
    return str(beside) if is_path and not Path(text).exists() and beside.exists() else text


def check_methods(queue: TrainingQueue) -> None:
    """Look up the methods that no plug-in brings before the first training begins.

    Raises
    ------
    UnknownNameError
        Else it would come when its turn does, hours later perhaps.
    """
    from irbench.plugins.registry import method_class

    for training in queue.trainings:
        if "--plugin" not in training.arguments:
            method_class(training.arguments[0])


@dataclass(frozen=True)
class QueueOutcome:
    """How one training of a queue ended.

    Attributes
    ----------
    name : str
    state : {"done", "stopped", "failed", "interrupted"}
        ``stopped``: its time is over; it has valid weights, and the same queue resumes it.
    minutes : float
        Wall clock.
    """

    name: str
    state: str
    minutes: float


def run_queue(
    queue: TrainingQueue,
    *,
    max_minutes: float | None = None,
    run: Callable[[Sequence[str]], int] | None = None,
) -> Iterator[QueueOutcome]:
    """Run the trainings of a queue in their order; those that are finished are left as they are.

    Parameters
    ----------
    queue : TrainingQueue
    max_minutes : float, optional
        Of all together. A training that would exceed it stops early; the rest is not begun.
    run : callable, optional
        Runs ``irbench`` with some arguments and returns its exit status; by default a process.

    Yields
    ------
    QueueOutcome
        As soon as each has ended. After an interrupt none follows.
    """
    from irbench.training.job import FINISHED

    run = run or _run_process
    begun = time.monotonic()
    for training in queue.trainings:
        finished = queue.out / training.name / FINISHED
        if finished.exists():
            yield QueueOutcome(training.name, "done", 0.0)
            continue
        limits = [] if training.max_minutes is None else [training.max_minutes]
        if max_minutes is not None:
            left = max_minutes - (time.monotonic() - begun) / 60
            if left <= 0:
                return
            limits.append(left)
        started = time.monotonic()
        status = run(training.command(queue.out, min(limits, default=None)))
        if status == EXIT_DONE:
            state = "done" if finished.exists() else "stopped"
        else:
            state = "interrupted" if status == EXIT_INTERRUPTED else "failed"
        yield QueueOutcome(training.name, state, (time.monotonic() - started) / 60)
        if state == "interrupted":
            return


def queue_status(outcomes: Sequence[QueueOutcome]) -> int:
    """The exit status of a queue: 0, 1 if a training failed, 130 if it was interrupted."""
    states = {one.state for one in outcomes}
    if "interrupted" in states:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if "failed" in states else EXIT_DONE


def _run_process(arguments: Sequence[str]) -> int:
    # -P: a file of the user's, such as signal.py in the current folder, is no module of Python.
    return subprocess.run(
        [sys.executable, "-P", "-m", "irbench", *arguments], check=False
    ).returncode
