"""The published values: the paper's Tables I to VI, as they are printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from irbench.metrics.definition import METRICS

QUALITY = ("precision", "recall", "f1", "map50")
COST = ("params", "flops")


@dataclass(frozen=True)
class PublishedRow:
    """A row of a published table.

    Attributes
    ----------
    name : str
        Without the number of its reference.
    group : str
        Its heading; empty in the ablation tables.
    methods : tuple of str
        The methods of irbench that it is compared with.
    settings : mapping of str to str
        What an ablation varies, as printed.
    printed : mapping of str to mapping of str to str
        By dataset, then by metric, as printed; params and flops, which hold for all
        datasets, under ``""``.
    """

    name: str
    group: str
    methods: tuple[str, ...]
    settings: Mapping[str, str]
    printed: Mapping[str, Mapping[str, str]]

    def value(self, metric: str, dataset: str = "") -> float | None:
        """A value as irbench stores it: a fraction, or in SI units; None where there is none."""
        key = "" if metric in COST else dataset
        return stored_value(metric, self.printed.get(key, {}).get(metric, "-"))


@dataclass(frozen=True)
class PublishedTable:
    """A published table.

    Attributes
    ----------
    number : int
    title : str
    datasets : mapping of str to str
        Name of each dataset to its printed heading.
    rows : mapping of str to PublishedRow
        By name, in printed order.
    """

    number: int
    title: str
    datasets: Mapping[str, str]
    rows: Mapping[str, PublishedRow]


@dataclass(frozen=True)
class Inconsistency:
    """A printed F1 that is not the harmonic mean of its printed P and R.

    Attributes
    ----------
    table : int
    row, dataset : str
    printed, recomputed : float
        In percent.
    """

    table: int
    row: str
    dataset: str
    printed: float
    recomputed: float


@cache
def published_tables() -> Mapping[int, PublishedTable]:
    """The paper's Tables I to VI by number."""
    content = json.loads(resources.files(__package__).joinpath("paper.json").read_text("utf-8"))
    return {
        int(number): PublishedTable(
            number=int(number),
            title=table["title"],
            datasets=table["datasets"],
            rows={
                name: PublishedRow(
                    name=name,
                    group=row.get("group", ""),
                    methods=tuple(row["methods"]),
                    settings=row.get("settings", {}),
                    printed={"": {metric: row[metric] for metric in COST}, **row["values"]},
                )
                for name, row in table["rows"].items()
            },
        )
        for number, table in content["tables"].items()
    }


def stored_value(metric: str, printed: str) -> float | None:
    """A printed number as irbench stores it.

    Parameters
    ----------
    metric : str
    printed : str
        Such as ``"69.65"`` (percent), ``"2.57M"``, or ``"-"`` for none.

    Returns
    -------
    float or None

    Examples
    --------
    >>> stored_value("params", "2.57M")
    2570000.0
    """
    definition = METRICS[metric]
    if printed == "-":
        return None
    # Rounded: 0.6965 is meant, not the 0.6965000000000001 of a division.
    return round(float(printed.removesuffix(definition.unit)) / definition.scale, 6)


def f1_inconsistencies(tolerance: float = 0.1) -> list[Inconsistency]:
    """The printed F1 that differ from 2PR/(P+R) by more than rounding explains.

    Parameters
    ----------
    tolerance : float
        In percentage points.

    Returns
    -------
    list of Inconsistency
        In the order of the tables.
    """
    found = []
    for table in published_tables().values():
        for row in table.rows.values():
            for dataset in table.datasets:
                precision, recall, f1 = (float(row.printed[dataset][m]) for m in QUALITY[:3])
                recomputed = 2 * precision * recall / (precision + recall)
                if abs(recomputed - f1) > tolerance:
                    found.append(Inconsistency(table.number, row.name, dataset, f1, recomputed))
    return found
