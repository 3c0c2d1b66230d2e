"""Places in label files: what errors name, and numbers that are checked where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from irbench.errors import AnnotationError
from irbench.json_fields import is_number, shown

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.I | re.A)


@dataclass(frozen=True)
class Place:
    """A place in a label file, for errors.

    Parameters
    ----------
    path : path-like
    where : str
        Such as ``"line 3, cx"`` or ``"annotations[7].bbox"``; empty for the whole file.
    """

    path: Path | str
    where: str = ""

    def at(self, where: str) -> Place:
        """A place within this one."""
        return Place(self.path, f"{self.where}{', ' if self.where else ''}{where}")

    def invalid(self, expected: str, got: Any) -> AnnotationError:
        """The error that says what was expected here and what came."""
        where = f"{self.path}{', ' if self.where else ''}{self.where}"
        return AnnotationError(f"{where}: expected {expected}, got {shown(got, 80)}.")


def read_text(path: Path | str) -> str:
    """The text of a label file; a byte order mark is dropped."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise AnnotationError(f"cannot read the labels {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        place = Place(path, f"byte {error.start}")
        raise place.invalid("UTF-8 text", error.object[error.start : error.start + 1]) from error


def parse_number(text: str, place: Place) -> float:
    """A finite number from text; ``1_000``, which Python takes for one, is none."""
    if not _NUMBER.fullmatch(text):
        raise place.invalid("a number", text)
    return check_number(float(text), place)


def check_number(value: Any, place: Place) -> float:
    """A finite number; ``True`` is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise place.invalid("a number", value)
    if not is_number(value):
        raise place.invalid("a finite number", value)
    return float(value)


def check_score(value: float, place: Place) -> float:
    """A finite number that single precision can hold."""
    score = check_number(value, place)
    if abs(score) > float(np.finfo(np.float32).max):
        raise place.invalid("a number within single precision", score)
    return score
