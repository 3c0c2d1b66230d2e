"""Writing files so that a killed process leaves the old one or the new one, never half."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from irbench.errors import WriteError
from irbench.messages.external_text import storable

_SUFFIX = ".tmp"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; it takes the place of ``path`` when the block ends well.

    Parameters
    ----------
    path : Path
        Its folder is made where it is missing.

    Yields
    ------
    Path
        In the same folder, so that the final rename is atomic.

    Raises
    ------
    WriteError
        For any OSError, of the block too: naming the file and what to do.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed were about to write.

    Parameters
    ----------
    folder : Path
        With all below it; nobody else may be writing there.
    """
    for file in folder.rglob(f".*.[0-9]*{_SUFFIX}"):
        file.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically: indented, keys in their order, with a final newline."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    write_bytes(path, json_bytes(content, options))


def json_bytes(content: Any, options: int) -> bytes:
    """JSON of any content, ``options`` as :mod:`orjson` has them.

    Text that no UTF-8 file can hold, such as a path with other bytes, is shown by its number;
    see :mod:`irbench.messages.external_text`.
    """
    try:
        return orjson.dumps(content, option=options)
    except TypeError:
        return orjson.dumps(storable(content), option=options)
