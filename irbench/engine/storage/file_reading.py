"""Reading the files of a run: what cannot be read is named, with what to do next."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import pyarrow as pa

from irbench.errors import RunKeyError

Arguments = ParamSpec("Arguments")
Content = TypeVar("Content")

_UNREADABLE = (
    *(pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowIndexError, pa.ArrowTypeError),
    *(pa.ArrowNotImplementedError, pa.ArrowSerializationError),
    *(OSError, LookupError, OverflowError, ValueError),
)
"""What reading a damaged file ends in; the readers check types, so that a TypeError or an
AttributeError is a fault of the program, and want of memory says nothing about the file."""


def file_reader(
    read: Callable[Concatenate[Path, Arguments], Content],
) -> Callable[Concatenate[Path, Arguments], Content]:
    """Make a function that reads a file of a run raise RunKeyError for one that is damaged.

    Other errors, MemoryError among them, are not touched: none of them is a reason to remove
    a file.

    Parameters
    ----------
    read : callable
        Its first argument is the file.
    """

    @wraps(read)
    def checked(path: Path, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Content:
        try:
            return read(path, *args, **kwargs)
        except RunKeyError:
            raise
        except _UNREADABLE as error:
            if isinstance(error, OSError) and error.errno is not None:
                # Of the system, such as a permission; Arrow's own OSErrors have no number.
                raise RunKeyError(
                    f"{path} cannot be read: {error.strerror or error}. Nothing in it needs to be "
                    "damaged: see to that, then repeat the command."
                ) from error
            reason = (str(error).strip().splitlines() or [""])[0]
            raise RunKeyError(
                f"{path} cannot be read ({type(error).__name__}: {reason[:200]}); it is damaged, "
                f"or of another version. Remove every {Path(path).name} in the run, and repeat "
                "the command that made it."
            ) from error

    return checked


def check_columns(table: pa.Table, schema: pa.Schema, filled: Collection[str]) -> None:
    """Check the columns of a table that was read.

    Parameters
    ----------
    table : pyarrow.Table
    schema : pyarrow.Schema
        The type of each column; those that ``table`` was read without are not checked.
    filled : collection of str
        Columns of ``table`` that must be there and have no null.

    Raises
    ------
    ValueError
    """
    for name in sorted(set(filled) - set(table.schema.names)):
        raise ValueError(f"the column {name} is missing")
    for field in table.schema:
        if field.name in schema.names and field.type != (kind := schema.field(field.name).type):
            raise ValueError(f"the column {field.name} must be {kind}, got {field.type}")
    for name in filled:
        if table[name].null_count:
            raise ValueError(f"the column {name} must not have nulls")


def check_numbers(table: pa.Table, names: Collection[str]) -> None:
    """Check that columns of lists, or of lists of lists, have a number in every place.

    Raises
    ------
    ValueError
    """
    for name in names:
        column = table[name].combine_chunks()
        while pa.types.is_list(column.type):
            column = column.flatten()
            if column.null_count:
                raise ValueError(f"the lists of the column {name} must not have nulls")
