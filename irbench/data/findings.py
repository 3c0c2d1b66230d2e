"""Findings: one sentence each about a copy of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """Something that a check found.

    Attributes
    ----------
    severity : {"problem", "note"}
        A problem fails the verification.
    check : str
        The check that found it, such as ``"pairs"``.
    message : str
        A clause without a full stop.
    ids : tuple of str
        The samples concerned.
    detail : str
        More about them, as a clause.
    """

    severity: Literal["problem", "note"]
    check: str
    message: str
    ids: tuple[str, ...] = ()
    detail: str = ""

    def format(self, max_ids: int = 10) -> str:
        """The finding in a line, with at most ``max_ids`` of its samples by name."""
        named = ", ".join(self.ids[:max_ids])
        more = len(self.ids) - max_ids
        if named and more > 0:
            named += f" and {more} more"
        return ": ".join(part for part in (self.severity, self.message, named, self.detail) if part)


def problem(check: str, message: str, ids: Sequence[str] = (), detail: str = "") -> Finding:
    """A finding that fails the verification."""
    return Finding("problem", check, message, tuple(ids), detail)


def note(check: str, message: str, ids: Sequence[str] = (), detail: str = "") -> Finding:
    """A finding that is worth knowing."""
    return Finding("note", check, message, tuple(ids), detail)


def plural(n: int, noun: str, nouns: str = "") -> str:
    """A number with its noun: ``"1 image"``, ``"2 images"``."""
    return f"{n} {noun if n == 1 else nouns or noun + 's'}"
