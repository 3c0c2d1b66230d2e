"""Published values beside measured ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from irbench.engine.storage.results import RunResults
from irbench.metrics.definition import METRICS
from irbench.metrics.metric import UNDEFINED_TEXT
from irbench.published.tables import QUALITY, PublishedTable, published_tables

Part = Literal["published", "measured", "difference"]
PARTS: tuple[Part, ...] = ("published", "measured", "difference")


@dataclass(frozen=True)
class MeasuredValue:
    """A published value and the measured one.

    Attributes
    ----------
    row : str
        Name of the published row.
    method, title : str
        Of the method that was measured; empty, and the published name, where none was.
    dataset, dataset_title : str
        Empty for what holds for all datasets.
    metric : str
    published, measured : float or None
        Fractions and SI units.
    """

    row: str
    method: str
    title: str
    dataset: str
    dataset_title: str
    metric: str
    published: float | None
    measured: float | None

    @property
    def difference(self) -> float | None:
        """Measured minus published."""
        if self.published is None or self.measured is None:
            return None
        return self.measured - self.published

    def text(self, part: Part) -> str:
        """One of the three numbers as printed."""
        metric, value = METRICS[self.metric], getattr(self, part)
        if value is None:
            return UNDEFINED_TEXT
        if part != "difference":
            return metric.format(value)
        # Of the numbers as they are printed, so that a reader can check it.
        numbers = [float(metric.format(one)) for one in (self.measured, self.published)]
        text = f"{numbers[0] - numbers[1]:+.{metric.decimals}f}"
        return "0" if float(text) == 0 else text.replace("-", "−")


@dataclass(frozen=True)
class MeasuredRow:
    """A published row on a dataset, with what a run measured for it.

    Attributes
    ----------
    table : int
    run : RunResults
    dataset : str
        As :class:`~irbench.published.PublishedTable` names it.
    state : {"done", "partial"}
        Of the run's row.
    values : tuple of MeasuredValue
        One for each of :data:`~irbench.published.QUALITY`.
    """

    table: int
    run: RunResults
    dataset: str
    state: str
    values: tuple[MeasuredValue, ...]


def published_dataset(table: PublishedTable, facts: Mapping[str, Any]) -> str | None:
    """Which dataset of a table a run's is.

    Parameters
    ----------
    table : PublishedTable
    facts : mapping
        ``name`` and ``title`` of the run's dataset.

    Returns
    -------
    str or None
        Its name in the table: by name, or else by title; ``"IRSTD-1k"`` is the paper's
        ``"IRSTD-1K(Tr=60%)"``. None where the table does not have it.
    """
    name = str(facts["name"])
    if name in table.datasets:
        return name
    titles = {_plain(heading): known for known, heading in table.datasets.items()}
    return titles.get(_plain(str(facts["title"])))


def compare_runs(runs: Sequence[RunResults], tables: Iterable[int]) -> list[MeasuredRow]:
    """Every published row for which a run has results.

    Parameters
    ----------
    runs : sequence of RunResults
    tables : iterable of int
        Numbers of the published tables.

    Returns
    -------
    list of MeasuredRow
        By table, dataset and row, as published, then by run.
    """
    found = []
    for number in tables:
        table = published_tables()[number]
        for dataset in table.datasets:
            here = [run for run in runs if published_dataset(table, run.dataset) == dataset]
            for published, run in product(table.rows.values(), here):
                rows = {row["method"]: row for row in run.scored_rows}
                for row in (rows[name] for name in published.methods if name in rows):
                    values = tuple(
                        MeasuredValue(
                            row=published.name,
                            method=row["method"],
                            title=row["title"],
                            dataset=dataset,
                            dataset_title=run.dataset["title"],
                            metric=metric,
                            published=published.value(metric, dataset),
                            measured=row.get(metric),
                        )
                        for metric in QUALITY
                    )
                    found.append(MeasuredRow(number, run, dataset, row["state"], values))
    return found


def _plain(title: str) -> str:
    """Letters and digits of a title, without what stands in brackets."""
    return "".join(c for c in title.partition("(")[0].casefold() if c.isalnum())
