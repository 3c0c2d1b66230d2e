"""CSV for further analysis: one row per method and dataset, fractions and SI units."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from irbench.engine.atomic import write_bytes
from irbench.engine.results import Row, RunResults
from irbench.report import DEFAULT_OPTIONS, Report, ReportInfo, ReportOptions

from ._columns import chosen_columns
from ._published import comparisons
from ._side_by_side import DataGroup, methods_in_order
from ._table import table_groups

_IDENTITY = ("method", "title", "group", "year", "kind")
_DATA = ("dataset", "dataset_title", "scheme", "split")
_MEANING = ("operating_point", "extent", "calibration", "conversion")
_STATE = ("state", "reason", "n_images", "n_targets", "n_failed")
_TIMES = ("ms_lower", "ms_upper", "peak_memory")
_NESTED = ("method_params", "undefined")

COMPARED = (
    "row", "method", "title", "dataset", "dataset_title", "metric",
    "published", "measured", "difference",
)  # fmt: skip


class Csv(Report):
    """Everything that the rows hold, tidy: one row per method and dataset."""

    info: ClassVar[ReportInfo] = ReportInfo(
        name="csv", title="one row per method and dataset, fractions and SI units"
    )

    def write(
        self, runs: Sequence[RunResults], out: Path, options: ReportOptions = DEFAULT_OPTIONS
    ) -> list[Path]:
        """See :meth:`irbench.report.Report.write`.

        All metrics by default; ``options.columns`` chooses some. What is undefined is an
        empty field, with its reason in ``undefined``.
        """
        groups = table_groups(runs, options)
        metrics = [metric.name for metric in chosen_columns(options.columns or ("all",))]
        names = (
            *_IDENTITY, *_DATA, "limit", "protocol", *_MEANING, *_STATE, *metrics, *_TIMES,
            "note", *_NESTED, "run",
        )  # fmt: skip
        paths = [out / f"table{options.table}.csv"]
        _write(paths[0], names, tidy_rows(groups))
        if options.paper:
            paths.append(out / f"table{options.table}-paper.csv")
            compared = [
                {name: getattr(one, name) for name in COMPARED} for one in comparisons(groups)
            ]
            _write(paths[1], COMPARED, compared)
        return paths


def tidy_rows(groups: Sequence[DataGroup]) -> list[Row]:
    """The rows of all groups, each with its limit, protocol and run directory.

    Parameters
    ----------
    groups : sequence of DataGroup

    Returns
    -------
    list of dict
        Dataset by dataset, in the order of Table I. Nested fields are JSON texts.
    """
    rows = []
    for group in groups:
        home = {row["method"]: run for run in group.runs for row in run.rows}
        for method in methods_in_order([group]):
            run = home[method["method"]]
            nested = {
                name: json.dumps(method[name], sort_keys=True)
                for name in _NESTED
                if method.get(name)
            }
            rows.append(
                {
                    **method,
                    **nested,
                    "limit": group.limit,
                    "protocol": run.protocol["name"],
                    "run": str(run.path),
                }
            )
    return rows


def _write(path: Path, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())
