"""What a plug-in's function raised, as the error of the metric that it belongs to."""

from __future__ import annotations

import traceback
from pathlib import Path

from irbench.errors import MetricError


def plugin_failure(what: str, error: Exception) -> Exception:
    """The error to raise in place of one that a plug-in's function raised.

    Parameters
    ----------
    what : str
        The function, such as ``"the form of the metric 'f2'"``.
    error : Exception

    Returns
    -------
    Exception
        A MetricError that names kind, message, file and line. Want of memory is no fault of a
        plug-in, and stays what it is, as does a MetricError.
    """
    if isinstance(error, MemoryError | MetricError):
        return error
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return MetricError(
        f"{what} failed: {type(error).__name__}: {error} "
        f"({Path(frame.filename).name}, line {frame.lineno})."
    )
