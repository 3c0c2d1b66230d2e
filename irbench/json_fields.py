"""The rule for numbers from outside, and for the other fields of JSON that holds them.

Numbers from outside are those of files that others have written or edited: labels, predictions,
calibrations, cards, baselines, records of runs. JSON is read by :func:`parse_json`, which raises
nothing but ValueError; a number that it gave counts as one where :func:`is_number` or
:func:`is_whole` says so, and :func:`finite_number` makes a float of it. NaN, infinity, what no
double can hold, and ``true``, which is 1 to Python, are no numbers.

The rule for text from outside is :mod:`irbench.messages.external_text`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

Rule = tuple[str, Callable[[Any], bool]]
"""What is expected, in words, and whether a value is that."""


MAX_DEPTH = 200
"""Lists and objects inside each other, at most; Python itself gives up at 1000."""


def parse_json(data: bytes | str, *, allow_nan: bool = False) -> Any:
    """Parse JSON strictly.

    Parameters
    ----------
    data : bytes or str
        UTF-8.
    allow_nan : bool
        Whether NaN and infinity, and whole numbers of any length beside them, are read as
        Python writes them: for a reader that checks each number and can say whose it is.

    Raises
    ------
    ValueError
        ``json.JSONDecodeError``, with the place, for what is no JSON, and for numbers that no
        double can hold; or for more than :data:`MAX_DEPTH` levels.
    """
    import orjson

    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        if not allow_nan or ("NaN" not in text and "Infinity" not in text):
            raise
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        if content is None:
            raise
    if _is_deep(content):
        raise ValueError(f"lists or objects stand in each other more than {MAX_DEPTH} deep")
    return content


def _is_deep(content: Any) -> bool:
    level = [content]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(value for value in one.values() if isinstance(value, dict | list))
            elif isinstance(one, list):
                inner.extend(value for value in one if isinstance(value, dict | list))
        if not inner:
            return False
        level = inner
    return True


def finite_number(name: str, value: Any) -> float:
    """A number as a float.

    Parameters
    ----------
    name : str
        What it is called in the error.
    value : object

    Raises
    ------
    ValueError
        If it is none; see :func:`is_number`.
    """
    if not is_number(value):
        raise ValueError(f"{name} must be a finite number, got {shown(value)}")
    return float(value)


def is_number(value: Any) -> bool:
    """Whether a value is a number that a double can hold; ``true``, NaN and infinity are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    # A whole number of more than 308 digits.
    except OverflowError:
        return False


def is_whole(value: Any, least: int = 0) -> bool:
    """Whether a value is a whole number of at least ``least``; ``true`` and 1.0 are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_text(value: Any) -> bool:
    """Whether a value is a text."""
    return isinstance(value, str)


def optional(rule: Rule) -> Rule:
    """The same rule, or null."""
    return f"{rule[0]} or null", lambda value: value is None or rule[1](value)


TEXT: Rule = ("a text", is_text)
NAME: Rule = ("a text that is not empty", lambda value: is_text(value) and value != "")
NUMBER: Rule = ("a number", is_number)
COUNT: Rule = ("a whole number, at least 0", is_whole)
OBJECT: Rule = ("an object", lambda value: isinstance(value, dict))


def shown(value: Any, length: int = 60) -> str:
    """A value as an error shows it, cut at ``length`` characters."""
    try:
        text = repr(value)
    # Thousands of digits, or hundreds of levels.
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} that is too large to show"
    return text if len(text) <= length else f"{text[: length - 3]}…"
