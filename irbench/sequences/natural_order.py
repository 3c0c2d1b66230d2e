"""The order in which a person counts: ``frame_9`` before ``frame_10``."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Sorts names with their runs of digits as numbers, whatever the case of letters.

    Returns
    -------
    tuple
        To be compared with those of other names. Names that are the same but for leading
        zeros or case follow their characters.

    Examples
    --------
    >>> sorted(["f10.png", "f9.png", "F1.png"], key=natural_key)
    ['F1.png', 'f9.png', 'f10.png']
    """
    parts = (
        (0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part.casefold())
        for part in _DIGITS.split(name)
        if part
    )
    return tuple(parts), name
