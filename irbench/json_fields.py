"""Rules for the fields of JSON that comes from outside, and how errors show what came."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Rule = tuple[str, Callable[[Any], bool]]
"""What is expected, in words, and whether a value is that."""


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
    text = repr(value)
    return text if len(text) <= length else f"{text[: length - 3]}…"
