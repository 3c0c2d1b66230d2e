"""The errors irbench raises on purpose.

Every one of them names the argument, what was expected, what came and what to
do next. The command line prints the message alone, without a traceback, and
exits with :attr:`IrbenchError.exit_code`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
"""As shells have it after Ctrl-C."""

EXIT_CODES = {
    EXIT_DONE: "done",
    EXIT_FAILED: "something failed or got worse, or images were left out",
    EXIT_USAGE: "bad usage or missing data",
    EXIT_INTERRUPTED: "interrupted",
}
"""What the exit codes of the command line mean; the help and the documentation say the same."""


class IrbenchError(Exception):
    """Base of all errors that irbench raises on purpose."""

    exit_code = EXIT_FAILED


class UsageError(IrbenchError, ValueError):
    """An argument is not acceptable."""

    exit_code = EXIT_USAGE


class UnknownNameError(UsageError):
    """A name that no method, dataset, report, protocol … answers to.

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


class ArchiveError(UsageError):
    """An archive that must not or cannot be unpacked."""


class WeightsError(UsageError):
    """Weights of a network, or their card, that cannot be used."""
