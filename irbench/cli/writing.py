"""Files that options of commands name."""

from __future__ import annotations

from pathlib import Path

from irbench.atomic import write_bytes
from irbench.errors import UsageError


def write_output(path: Path, content: bytes, option: str = "--out") -> None:
    """Write a file, atomically; its folder is made where it is missing.

    Raises
    ------
    UsageError
        If it cannot be written: another place by ``option`` may do.
    """
    try:
        write_bytes(path, content)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}; name another by {option}."
        ) from None
