"""What a check finds: one change for each method and metric."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from irbench.statistics.bootstrap import Interval

Verdict = Literal["regressed", "missing", "uncertain", "improved", "new", "same"]

ROW = "row"
"""Stands for the metric where a change is of a whole row."""


@dataclass(frozen=True)
class Change:
    """What became of a metric of a method.

    Attributes
    ----------
    method, metric : str
        The metric may be ``"time"``, or ``"row"`` for the row as a whole.
    verdict : {"regressed", "missing", "uncertain", "improved", "new", "same"}
        ``uncertain``: a method that is not deterministic moved by more than the
        tolerance, and the interval does not exclude 0.
    before, now : float or None
    interval : Interval or None
        Of now minus before, by the paired bootstrap over images.
    reason : str
        What the numbers do not say.
    fails : bool
        Whether it makes the check fail.
    """

    method: str
    metric: str
    verdict: Verdict
    before: float | None = None
    now: float | None = None
    interval: Interval | None = None
    reason: str = ""
    fails: bool = False


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    Attributes
    ----------
    dataset : dict
        Name, title, split and counts of the dataset.
    changes : tuple of Change
        One for each method and metric, those that did not move included.
    notes : tuple of str
        What else differs between the runs, and on which images counts moved.
    reference : str or None
        The method that times are measured by; None where they were not gated.
    """

    dataset: dict[str, Any]
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
    reference: str | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing fails."""
        return not self.failures

    @cached_property
    def failures(self) -> tuple[Change, ...]:
        """The changes that make the check fail."""
        return tuple(change for change in self.changes if change.fails)

    @cached_property
    def counts(self) -> Counter[str]:
        """Number of changes by verdict."""
        return Counter(change.verdict for change in self.changes)
