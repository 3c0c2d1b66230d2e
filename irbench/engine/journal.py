"""The journal of a method: one line per finished image, written as it comes.

Killing the process loses at most the images in work: a torn last line is cut off
when the journal is opened again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

import orjson

from irbench.engine.journal_lines import decode_line, encode_json, encode_line
from irbench.engine.records import Entry
from irbench.errors import RunKeyError, WriteError


class Journal:
    """Append-only record of a method's finished images.

    In memory it keeps where each line begins, not what it holds.

    Parameters
    ----------
    path : Path
    key : str
        Of the method's row; the first line of the file.

    Attributes
    ----------
    errors : dict of (str, str) to str
        By split and image, why images failed.

    Raises
    ------
    RunKeyError
        If the file holds the journal of another key.
    WriteError
        If it cannot be written.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.errors: dict[tuple[str, str], str] = {}
        self._starts: dict[str, dict[str, int]] = {}
        self._end = self._read(key) if path.exists() else 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not buffered: what a full disk does not take must not be tried again by close().
            self._file = path.open("ab", buffering=0)
            self._file.truncate(self._end)
        except OSError as error:
            raise WriteError(path, error) from error
        if self._end == 0:
            self._write(encode_json({"key": key}))

    @property
    def entries(self) -> Mapping[tuple[str, str], Entry]:
        """The finished images by split and id, each read from the file when it is asked for."""
        return _Entries(self.path, self._starts)

    def add(self, entry: Entry) -> None:
        """Record an image; it is on its way to the disk when this returns."""
        self.add_line(entry.split, entry.image, encode_line(entry), entry.error)

    def add_line(self, split: str, image: str, line: bytes, error: str = "") -> None:
        """Record an image whose line was made already; see :meth:`add`."""
        start = self._end
        self._write(line)
        self._index(split, image, start, error)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            # Half a line at most stays behind, and is cut off when the run goes on.
            raise WriteError(self.path, error) from error
        self._end += len(line)

    def _index(self, split: str, image: str, start: int, error: str) -> None:
        self._starts.setdefault(split, {})[image] = start
        if error:
            self.errors[split, image] = error
        else:
            self.errors.pop((split, image), None)

    def _read(self, key: str) -> int:
        """Take up the whole lines, and tell where they end."""
        good = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                try:
                    record = orjson.loads(line) if line.endswith(b"\n") else None
                except orjson.JSONDecodeError:
                    record = None
                if record is None:
                    # A kill tears the last line only, so nothing of worth follows.
                    break
                if number == 0 and record.get("key") != key:
                    raise RunKeyError(f"{self.path} was written by another run; use another --out.")
                if number > 0:
                    self._index(record["split"], record["image"], good, record["error"])
                good += len(line)
        return good


class _Entries(Mapping[tuple[str, str], Entry]):
    """The entries of a journal, read when asked for."""

    def __init__(self, path: Path, starts: dict[str, dict[str, int]]) -> None:
        self._starts = starts
        self._file = path.open("rb")

    def __getitem__(self, key: tuple[str, str]) -> Entry:
        split, image = key
        self._file.seek(self._starts.get(split, {})[image])
        return decode_line(self._file.readline())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and key[1] in self._starts.get(key[0], {})

    def __iter__(self) -> Iterator[tuple[str, str]]:
        places = (
            (start, (split, image))
            for split, images in self._starts.items()
            for image, start in images.items()
        )
        return (key for _, key in sorted(places))

    def __len__(self) -> int:
        return sum(map(len, self._starts.values()))

    def __del__(self) -> None:
        self._file.close()
