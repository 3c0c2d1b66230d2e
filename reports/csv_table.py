"""CSV for further analysis: one row per method and dataset, fractions and SI units."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from irbench.atomic import write_bytes
from irbench.engine.storage.results import Row, RunResults
from irbench.markup.csv_text import csv_text
from irbench.report import DEFAULT_OPTIONS, Report, ReportInfo, ReportOptions

from ._columns import chosen_columns
from ._intervals import interval_bounds
from ._published import comparisons
from ._side_by_side import DataGroup, methods_in_order
from ._significance import significance
from ._table import table_groups
from ._table_lines import AS_PUBLISHED, TABLE_1, headings, table_lines

_IDENTITY = ("method", "title", "group", "year", "kind")
_DATA = ("dataset", "dataset_title", "scheme", "split")
_MEANING = ("operating_point", "extent", "calibration", "conversion")
_STATE = ("state", "reason", "n_images", "n_targets", "n_failed")
_TIMES = ("ms_lower", "ms_upper", "peak_memory", "waited_share")
_NESTED = ("method_params", "undefined")

COMPARED = (
    "row", "method", "title", "dataset", "dataset_title", "metric",
    "published", "measured", "difference",
)  # fmt: skip


class Csv(Report):
    """Everything that the rows hold, tidy: one row per method and dataset."""

    info: ClassVar[ReportInfo] = ReportInfo(
        name="csv",
        title="one row per method and dataset, fractions and SI units",
        keeps_skipped=True,
    )

    def write(
        self, runs: Sequence[RunResults], out: Path, options: ReportOptions = DEFAULT_OPTIONS
    ) -> list[Path]:
        """See :meth:`irbench.report.Report.write`.

        All metrics by default; ``options.columns`` chooses some. What is undefined is an
        empty field, with its reason in ``undefined``. A table of ablations has its ``row``
        and what it varies beside each network; with ``options.intervals`` each metric that
        can be resampled has ``METRIC_lower`` and ``METRIC_upper``; with ``options.reference``
        those of Table I, or of ``options.columns``, have ``METRIC_vs_REFERENCE`` (better, worse
        or same) and ``METRIC_p_holm``. With ``options.seeds`` there are ``n_runs`` and, of a mean,
        ``METRIC_sd``. Skipped rows are among them.
        """
        groups = table_groups(runs, replace(options, show_empty=True))
        metrics = [metric.name for metric in chosen_columns(options.columns or ("all",))]
        settings = () if options.table == TABLE_1 else ("row", *headings(options.table)[1:])
        rows = line_rows(groups, options)
        bounds: tuple[str, ...] = ()
        if options.intervals:
            bounds = _add_bounds(rows, groups, metrics)
        if options.seeds:
            bounds = _add_deviations(rows, groups, metrics)
        tests = _add_tests(rows, groups, options) if options.reference else ()
        names = (
            *settings, *_IDENTITY, *_DATA, "limit", "protocol", *_MEANING, *_STATE, *metrics,
            *bounds, *tests, *_TIMES, "note", *_NESTED, "run",
        )  # fmt: skip
        paths = [out / f"table{options.table}.csv"]
        _write(paths[0], names, rows)
        if options.paper:
            paths.append(out / f"table{options.table}-paper.csv")
            compared = [
                {name: getattr(one, name) for name in COMPARED}
                for one in comparisons(groups, options.table)
            ]
            _write(paths[1], COMPARED, compared)
        return paths


def line_rows(groups: Sequence[DataGroup], options: ReportOptions) -> list[Row]:
    """The rows of a table, dataset by dataset, in the order of its lines.

    Rows that only the paper has come with the state ``as published``.
    """
    rows: list[Row] = []
    for group in groups:
        here = {row["method"]: row for row in tidy_rows(group)}
        for line in table_lines(groups, options):
            names = headings(options.table)[1:]
            more = {"row": line.published.name if line.published else ""}
            more |= dict(zip(names, line.settings, strict=True))
            if line.method in here:
                rows.append({**here[line.method], **more})
            elif not line.method and (values := line.values(group, options.table)) is not None:
                facts = group.facts
                rows.append(
                    {
                        **values,
                        **more,
                        "title": line.title,
                        "group": line.group,
                        "dataset": facts["name"],
                        "dataset_title": facts["title"],
                        "state": AS_PUBLISHED,
                        "note": line.note,
                    }
                )
    return rows


def _rows_of(rows: Sequence[Row], group: DataGroup, method: str) -> list[Row]:
    runs = {str(run.path) for run in group.runs}
    return [row for row in rows if row.get("method") == method and row.get("run") in runs]


def _add_bounds(
    rows: Sequence[Row], groups: Sequence[DataGroup], metrics: Sequence[str]
) -> tuple[str, ...]:
    """Put the intervals into rows, and say which fields were added."""
    added: dict[str, None] = {}
    for group in groups:
        bounds, _ = interval_bounds(group, metrics)
        for (method, metric), ends in bounds.items():
            fields = dict(zip((f"{metric}_lower", f"{metric}_upper"), ends, strict=True))
            added |= dict.fromkeys(fields)
            for row in _rows_of(rows, group, method):
                row.update(fields)
    return tuple(added)


def _add_deviations(
    rows: Sequence[Row], groups: Sequence[DataGroup], metrics: Sequence[str]
) -> tuple[str, ...]:
    """Put the standard deviations of means into rows, and say which fields were added."""
    for row in rows:
        row["n_runs"] = 1
    for group in groups:
        for method, one in group.merged.items():
            deviations = {f"{name}_sd": value for name, value in one.deviations.items()}
            for row in _rows_of(rows, group, method):
                row.update(n_runs=one.n_runs, **deviations)
    return ("n_runs", *(f"{name}_sd" for name in metrics))


def _add_tests(
    rows: Sequence[Row], groups: Sequence[DataGroup], options: ReportOptions
) -> tuple[str, ...]:
    """Put the tests against the reference into rows, and say which fields were added."""
    tests = significance(groups, chosen_columns(options.columns), options.reference)
    added: dict[str, None] = {}
    for group, outcomes, p_holm in zip(groups, tests.outcomes, tests.p_holm, strict=True):
        for (method, metric), outcome in outcomes.items():
            fields = {
                f"{metric}_vs_{options.reference}": outcome,
                f"{metric}_p_holm": p_holm[method, metric],
            }
            added |= dict.fromkeys(fields)
            for row in _rows_of(rows, group, method):
                row.update(fields)
    return tuple(added)


def tidy_rows(group: DataGroup) -> list[Row]:
    """The rows of a dataset, each with its limit, protocol and run directory.

    Returns
    -------
    list of dict
        In the order of Table I. Nested fields are JSON texts.
    """
    home = {row["method"]: run for run in group.runs for row in run.rows}
    return [
        {
            **row,
            **{name: json.dumps(row[name], sort_keys=True) for name in _NESTED if row.get(name)},
            "limit": group.limit,
            "protocol": group.protocol["name"],
            "run": str(home[row["method"]].path),
        }
        for row in methods_in_order([group])
    ]


def _write(path: Path, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    write_bytes(path, csv_text(names, rows).encode())
