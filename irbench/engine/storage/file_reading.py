"""Files of a run that were damaged: every reader names them, and says what to do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import pyarrow as pa

from irbench.errors import RunKeyError

Arguments = ParamSpec("Arguments")
Content = TypeVar("Content")

_DAMAGE = (
    *(pa.ArrowException, OSError, ArithmeticError, AssertionError, AttributeError),
    *(LookupError, MemoryError, RuntimeError, TypeError, ValueError),
)
"""What reading a damaged file may end in; those of irbench are ValueErrors."""


def file_reader(
    read: Callable[Concatenate[Path, Arguments], Content],
) -> Callable[Concatenate[Path, Arguments], Content]:
    """Make a function that reads a file of a run raise RunKeyError for one that is damaged.

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
        except _DAMAGE as error:
            reason = (str(error).strip().splitlines() or [""])[0]
            raise RunKeyError(
                f"{path} cannot be read ({type(error).__name__}: {reason[:200]}); it is damaged, "
                f"or of another version. Remove every {Path(path).name} in the run, and repeat "
                "the command that made it."
            ) from error

    return checked
