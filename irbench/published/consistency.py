"""Whether the published tables agree with themselves: no experiment is needed for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from irbench.published.tables import COST, QUALITY, published_tables

TOLERANCE = 0.1
"""In percentage points; below it lie the slips that change no conclusion."""

_HALF_DIGIT = 0.005
"""What rounding to two decimals can hide."""


@dataclass(frozen=True)
class F1Inconsistency:
    """A printed F1 that is not the harmonic mean of its printed P and R.

    Attributes
    ----------
    table : int
    row, dataset : str
    precision, recall, printed : float
        As printed, in percent.
    """

    table: int
    row: str
    dataset: str
    precision: float
    recall: float
    printed: float

    @property
    def recomputed(self) -> float:
        """2PR/(P+R), in percent."""
        return harmonic_mean(self.precision, self.recall)

    @property
    def difference(self) -> float:
        """Printed minus recomputed, in percentage points."""
        return self.printed - self.recomputed

    @property
    def is_impossible(self) -> bool:
        """Whether it lies outside of P and R, where no mean of the two can be."""
        low, high = sorted((self.precision, self.recall))
        return not low <= self.printed <= high

    @property
    def is_rounding(self) -> bool:
        """Whether some P, R and F1 that round to the printed ones agree."""
        low, high = (
            # The mean grows with both.
            harmonic_mean(self.precision + step, self.recall + step) + step
            for step in (-_HALF_DIGIT, _HALF_DIGIT)
        )
        return low <= self.printed <= high


@dataclass(frozen=True)
class Disagreement:
    """A value that two tables print differently for the same network.

    Attributes
    ----------
    method : str
        The network.
    metric, dataset : str
        The dataset is empty for params and flops.
    printed : tuple of (str, tuple of (int, str))
        Each value as printed, with the tables and rows that have it.
    """

    method: str
    metric: str
    dataset: str
    printed: tuple[tuple[str, tuple[tuple[int, str], ...]], ...]


def harmonic_mean(precision: float, recall: float) -> float:
    """F1 of precision and recall, in their unit; 0 where both are.

    Examples
    --------
    >>> harmonic_mean(30.0, 60.0)
    40.0
    """
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def f1_inconsistencies(tolerance: float = TOLERANCE) -> list[F1Inconsistency]:
    """The printed F1 that differ from 2PR/(P+R) by more than rounding explains.

    Parameters
    ----------
    tolerance : float
        In percentage points; only greater differences are listed. With 0, all that
        rounding does not explain.

    Returns
    -------
    list of F1Inconsistency
        In the order of the tables.
    """
    found = []
    for table in published_tables().values():
        for row in table.rows.values():
            for dataset in table.datasets:
                values = [float(row.text(metric, dataset)) for metric in QUALITY[:3]]
                one = F1Inconsistency(table.number, row.name, dataset, *values)
                if abs(one.difference) > tolerance and not one.is_rounding:
                    found.append(one)
    return found


def different_entries(
    found: Iterable[F1Inconsistency],
) -> list[tuple[F1Inconsistency, ...]]:
    """Put together what is one entry, repeated from table to table.

    Returns
    -------
    list of tuple of F1Inconsistency
        Those of a tuple have the same dataset, P, R and F1; in order of the first.
    """
    entries: dict[tuple[str, float, float, float], list[F1Inconsistency]] = {}
    for one in found:
        key = (one.dataset, one.precision, one.recall, one.printed)
        entries.setdefault(key, []).append(one)
    return [tuple(repeated) for repeated in entries.values()]


def disagreements() -> list[Disagreement]:
    """The values that the tables print differently for the same network.

    Returns
    -------
    list of Disagreement
        Ablations stand on one dataset, which Table I has too.
    """
    printed: dict[tuple[str, str, str], dict[str, list[tuple[int, str]]]] = {}
    for table in published_tables().values():
        for row in table.rows.values():
            keys = [(metric, "") for metric in COST]
            keys += [(metric, dataset) for dataset in table.datasets for metric in QUALITY]
            for metric, dataset in keys:
                values = printed.setdefault((row.methods[0], metric, dataset), {})
                text = row.text(metric, dataset)
                values.setdefault(text, []).append((table.number, row.name))
    return [
        Disagreement(*key, tuple((text, tuple(where)) for text, where in values.items()))
        for key, values in printed.items()
        if len(values) > 1
    ]
