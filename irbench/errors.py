"""The errors irbench raises on purpose.

Every one of them names the argument, what was expected, what came and what to
do next. The command line prints the message alone, without a traceback, and
exits with :attr:`IrbenchError.exit_code`.
"""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Iterable
from pathlib import Path

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
"""As shells have it after Ctrl-C."""

EXIT_CODES = {
    EXIT_DONE: "done",
    EXIT_FAILED: "something failed or got worse, all was skipped, or images were left out",
    EXIT_USAGE: "bad usage or missing data",
    EXIT_INTERRUPTED: "interrupted, by Ctrl-C or SIGTERM",
}
"""What the exit codes of the command line mean; the help and the documentation say the same."""


class IrbenchError(Exception):
    """Base of all errors that irbench raises on purpose."""

    exit_code = EXIT_FAILED


class UsageError(IrbenchError, ValueError):
    """An argument is not acceptable."""

    exit_code = EXIT_USAGE


class UnknownNameError(UsageError):
    """A name that no method, dataset, report, protocol … has.

    Parameters
    ----------
    what : str
        The kind of thing that was looked for, such as ``"method"``.
    name : str
        The name that was given.
    known : iterable of str
        The names that exist.
    hint : str, optional
        A sentence that says what to do next.
    """

    def __init__(self, what: str, name: str, known: Iterable[str], hint: str = "") -> None:
        self.what, self.name, self.known = what, name, sorted(known)
        near = difflib.get_close_matches(name.lower(), self.known, n=3, cutoff=0.5)
        message = f"unknown {what} {name!r}."
        if near:
            message += f" Did you mean {' or '.join(near)}?"
        message += f" Known: {', '.join(self.known) or 'none'}."
        super().__init__(f"{message} {hint}".rstrip())


class ImageError(UsageError):
    """An image array or file that cannot be used as it is."""


class MaskError(UsageError):
    """A ground-truth mask that cannot be used as it is."""


class AnnotationError(UsageError):
    """Box labels (YOLO, VOC, COCO) that cannot be used as they are."""


class DetectionsError(UsageError):
    """Boxes, scores or regions that are no valid detections."""


class ParameterError(UsageError):
    """A parameter of a method that does not exist or is out of range."""


class MetricError(IrbenchError):
    """A metric whose form fails, or returns what is no value of it."""


class MissingDataError(UsageError):
    """A dataset that is not on this machine."""


class MissingLibraryError(UsageError):
    """An optional library that is not installed."""


class MissingValidationError(UsageError):
    """Calibration was asked for and there is no validation data."""


class RunKeyError(UsageError):
    """A run directory that holds the results of another run."""


class RunLockedError(UsageError):
    """A run directory that another process is writing to."""


class WriteError(IrbenchError, OSError):
    """A file that cannot be written, for want of room most often.

    Parameters
    ----------
    path : path-like
        The file.
    error : OSError
        Why not.
    """

    def __init__(self, path: Path | str, error: OSError) -> None:
        reason = str(error) if error.errno is None else os.strerror(error.errno)
        super().__init__(error.errno, error.strerror or reason)
        self.filename = str(path)
        advice = _ADVICE.get(error.errno or 0, "See to it, or choose another place")
        self.message = (
            f"cannot write {path}: {reason}. Nothing that was written before is damaged. "
            f"{advice}, then repeat the command; a run resumes where it stopped."
        )

    def __str__(self) -> str:
        return self.message


_ADVICE = {
    errno.ENOSPC: "Make room on that disk",
    errno.EDQUOT: "Make room within your quota",
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f)",
    errno.EACCES: "Get leave to write there, or choose another place",
    errno.EROFS: "Choose a place that can be written to",
}


class ArchiveError(UsageError):
    """An archive that must not or cannot be unpacked."""


class NoFigureError(UsageError):
    """A figure that cannot be drawn of this run, and why."""


class WeightsError(UsageError):
    """Weights of a network, or their card, that cannot be used."""
