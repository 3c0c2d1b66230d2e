"""A file of JSON lines that is appended to and never grows without bounds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

MAX_BYTES = 8_000_000
"""Size of a log at which another one is begun."""

_TAIL_BYTES = 65_536


class LogFile:
    """One object of JSON per line.

    Beyond :data:`MAX_BYTES`, ``NAME.jsonl`` becomes ``NAME.1.jsonl``, in place of the one
    before. A file that cannot be written, as on a full disk, is given up: a log must not be
    what stops a run.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    trouble : str
        Why nothing is written any more; empty while all is well.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""
        self._file: BinaryIO | None = None
        try:
            self._file = path.open("ab+", buffering=0)
            _cut_torn_line(self._file)
        except OSError as error:
            self._give_up(error)

    def append(self, content: dict[str, Any]) -> None:
        """Write a line; it is on its way to the disk when this returns."""
        if self._file is None:
            return
        import orjson

        options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
        line = orjson.dumps(content, option=options, default=str)
        try:
            if self._file.tell() > MAX_BYTES:
                self._file.close()
                self.path.replace(self.path.with_suffix(".1.jsonl"))
                self._file = self.path.open("ab", buffering=0)
            # In one piece, so that a kill leaves whole lines.
            self._file.write(line)
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file; nothing is written after that."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _give_up(self, error: OSError) -> None:
        self.close()
        self.trouble = f"{self.path} cannot be written: {error.strerror or error}; no log is kept"


def _cut_torn_line(file: BinaryIO) -> None:
    """Drop what a kill, or a full disk, has left of a last line."""
    end = file.seek(0, os.SEEK_END)
    start = max(end - _TAIL_BYTES, 0)
    file.seek(start)
    tail = file.read(end - start)
    if tail and not tail.endswith(b"\n"):
        file.truncate(start + tail.rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)
