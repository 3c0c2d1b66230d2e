"""A table of the paper beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from irbench.metrics.definition import METRICS
from irbench.metrics.metric import MetricDefinition
from irbench.published import COST, QUALITY, PublishedRow, published_tables
from irbench.published.consistency import f1_inconsistencies
from irbench.published.measured_values import MeasuredValue, published_dataset

from ._side_by_side import DataGroup, methods_in_order
from ._table_lines import TABLE_1

PAPER_ONLY = "As published"


@dataclass(frozen=True)
class ComparisonRow:
    """A method on a dataset, or (without one) a method."""

    title: str
    dataset_title: str
    values: tuple[MeasuredValue, ...]


@dataclass(frozen=True)
class ComparisonTable:
    """Published beside measured.

    Attributes
    ----------
    caption : str
    metrics : tuple of MetricDefinition
        Three columns each: published, measured, difference.
    sections : tuple of (str, tuple of ComparisonRow)
        Headings of Table I with what was measured, then what only the paper has.
    has_datasets : bool
    footnotes : tuple of str
    """

    caption: str
    metrics: tuple[MetricDefinition, ...]
    sections: tuple[tuple[str, tuple[ComparisonRow, ...]], ...]
    has_datasets: bool
    footnotes: tuple[str, ...]


def comparisons(groups: Sequence[DataGroup], number: int = TABLE_1) -> list[MeasuredValue]:
    """Every value of a table on the datasets at hand, with what was measured.

    Parameters
    ----------
    groups : sequence of DataGroup
    number : int
        Of the table, 1 to 6.

    Returns
    -------
    list of MeasuredValue
        In the order of the table. A published row that several methods belong to comes
        once for each of them that has a row; one that none belongs to, once.
    """
    table = published_tables()[number]
    known = [group for group in groups if published_dataset(table, group.facts) is not None]
    titles = {row["method"]: row["title"] for row in methods_in_order(known)}
    found: list[MeasuredValue] = []
    for row in table.rows.values() if known else ():
        for method in [name for name in row.methods if name in titles] or [""]:
            title = titles.get(method, row.name)
            if number != TABLE_1 and method:
                title = f"{row.name}: {title}"
            for group in known:
                dataset = published_dataset(table, group.facts) or ""
                found += [
                    _quality(row, method, title, group, dataset, metric) for metric in QUALITY
                ]
            found += [_cost(row, method, title, known, metric) for metric in COST]
    return found


def comparison_tables(groups: Sequence[DataGroup], number: int = TABLE_1) -> list[ComparisonTable]:
    """Published beside measured, as tables: quality by dataset, then cost.

    Parameters
    ----------
    groups : sequence of DataGroup
    number : int
        Of the paper's table, 1 to 6.

    Returns
    -------
    list of ComparisonTable
        Empty where the paper has none of the datasets.
    """
    found = comparisons(groups, number)
    tables = []
    for what, metrics in (("quality", QUALITY), ("cost", COST)):
        part = [one for one in found if one.metric in metrics]
        sections = _sections(part, len(metrics), number)
        if sections:
            tables.append(
                ComparisonTable(
                    caption=_caption(what, number),
                    metrics=tuple(METRICS[name] for name in metrics),
                    sections=sections,
                    has_datasets=what == "quality",
                    footnotes=tuple(_quality_footnotes(groups, number))
                    if what == "quality"
                    else (),
                )
            )
    return tables


def _quality(
    row: PublishedRow, method: str, title: str, group: DataGroup, name: str, metric: str
) -> MeasuredValue:
    measured = group.rows.get(method, {}).get(metric)
    published = row.value(metric, name)
    return MeasuredValue(row.name, method, title, name, group.title, metric, published, measured)


def _cost(
    row: PublishedRow, method: str, title: str, groups: Sequence[DataGroup], metric: str
) -> MeasuredValue:
    values = [group.rows.get(method, {}).get(metric) for group in groups]
    measured = next((value for value in values if value is not None), None)
    return MeasuredValue(row.name, method, title, "", "", metric, row.value(metric), measured)


def _sections(
    found: Sequence[MeasuredValue], n_metrics: int, number: int
) -> tuple[tuple[str, tuple[ComparisonRow, ...]], ...]:
    rows = published_tables()[number].rows
    sections: dict[str, list[ComparisonRow]] = {}
    paper_only: list[ComparisonRow] = []
    for start in range(0, len(found), n_metrics):
        values = tuple(found[start : start + n_metrics])
        if all(one.published is None for one in values):
            continue
        first = values[0]
        line = ComparisonRow(first.title, first.dataset_title, values)
        if first.method:
            # Ablations have no headings.
            heading = rows[first.row].group or "Measured"
            sections.setdefault(heading, []).append(line)
        else:
            paper_only.append(line)
    if paper_only:
        sections[PAPER_ONLY] = paper_only
    return tuple((title, tuple(lines)) for title, lines in sections.items())


def _caption(what: str, number: int) -> str:
    table = f"Table {published_tables()[number].numeral} of the LE-IRSTD paper"
    if what == "cost":
        return (
            f"Cost as published in {table}, as measured here, and the difference. Params in M; "
            "FLOPs in G."
        )
    return (
        f"{table} as published, what was measured here, and the difference in percentage points "
        "(measured minus published), all in %."
    )


def _quality_footnotes(groups: Sequence[DataGroup], number: int) -> list[str]:
    table = published_tables()[number]
    shown = {published_dataset(table, group.facts): group.title for group in groups}
    says = "headings that say Tr=60%" if number == TABLE_1 else "the paper's own split"
    notes = [f"Published values as printed, under {says}."]
    impossible = [
        f"{one.row} on {shown[one.dataset]}: {one.printed:.2f} printed, {one.recomputed:.2f} "
        "from P and R"
        for one in f1_inconsistencies()
        if one.table == number and one.dataset in shown
    ]
    if impossible:
        notes.append(
            f"Published F1 that do not follow from their P and R: {'; '.join(impossible)}."
        )
    unbuilt = [f"{row.name} ({row.not_built})" for row in table.rows.values() if row.not_built]
    if unbuilt:
        notes.append(
            f"As published only, since they cannot be built faithfully: {', '.join(unbuilt)}."
        )
    in_table = {name for row in table.rows.values() for name in row.methods}
    others = [row["title"] for row in methods_in_order(groups) if row["method"] not in in_table]
    if others:
        notes.append(f"Not in the paper's Table {table.numeral}: {', '.join(others)}.")
    foreign = [group.title for group in groups if published_dataset(table, group.facts) is None]
    if foreign:
        notes.append(f"Datasets that the paper does not have: {', '.join(foreign)}.")
    return notes
