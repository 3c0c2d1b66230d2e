"""One row for the same network in several runs, such as trainings that differ by their seed."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from irbench.engine.storage.results import SCORED_STATES, Row
from irbench.errors import UsageError
from irbench.metrics.definition import METRICS, quality_metrics
from irbench.metrics.metric import MetricDefinition
from irbench.report import ReportOptions

_OF_ONE_RUN = ("extent", "ms_lower", "ms_upper", "ms_stages", "peak_memory", "waited_share")
"""Fields that are no metric and of which a mean says nothing, as of settings."""


@dataclass(frozen=True)
class MergedRow:
    """The row of a method over several runs on the same images.

    Attributes
    ----------
    row : dict
        Its metrics are means over the runs; None where a run has none.
    deviations : mapping of str to float
        Sample standard deviation of each metric that differs between the runs, as stored:
        fractions and SI units.
    n_runs : int
        Runs that the means are over.
    """

    row: Row
    deviations: Mapping[str, float] = field(default_factory=dict)
    n_runs: int = 1


def merged_row(rows: Sequence[Row], places: Sequence[str]) -> MergedRow:
    """Merge the rows that several runs have of one method.

    Rows of one mean differ by their weights, by a plug-in's parameter ``weights``, or by the
    predictions that were submitted. Runs without results of it are left out, which the note
    says. A method that learns nothing has one row, the same in all.

    Parameters
    ----------
    rows : sequence of dict
        At least two.
    places : sequence of str
        The run directory of each, for messages.

    Raises
    ------
    UsageError
        If two are of the same weights or predictions, or of other settings.
    """
    scored = [index for index, row in enumerate(rows) if row["state"] in SCORED_STATES]
    if not scored:
        return MergedRow(rows[0])
    first = rows[scored[0]]
    title = first["title"]
    for index in scored[1:]:
        if _settings(rows[index]) != _settings(first):
            raise UsageError(
                f"{title} has other settings in {places[index]} than in {places[scored[0]]}: rows "
                "of one mean may differ by their weights alone (a parameter named weights, or the "
                "files of `irbench evaluate`); report them one by one."
            )
    trainings = [_training(rows[index]) for index in scored]
    by_file = not (_is_submitted(first) or first.get("weights_sha256"))
    if not any(trainings) or (by_file and len(set(trainings)) == 1):
        return _same_in_all(first, [rows[index] for index in scored], title)
    what = "predictions" if _is_submitted(first) else "weights"
    for index, training in zip(scored, trainings, strict=True):
        before = trainings.index(training)
        if scored[before] != index:
            raise UsageError(
                f"{title} has the same {what} in {places[scored[before]]} and {places[index]}: "
                "seeds are trainings of their own; give one of the two runs."
            )
    return _mean(rows, scored, f"{what} {', '.join(map(_shown, trainings))}")


def _is_submitted(row: Row) -> bool:
    return "predictions" in (row.get("method_params") or {})


def _training(row: Row) -> str:
    """What tells a row's training from another; empty for what learns nothing."""
    params = row.get("method_params") or {}
    of_predictions = params.get("content") if _is_submitted(row) else None
    return str(row.get("weights_sha256") or of_predictions or params.get("weights") or "")


def _shown(training: str) -> str:
    """The beginning of a hash, or the name of a plug-in's file."""
    return training[:8] if re.fullmatch("[0-9a-f]{16,}", training) else PurePath(training).name


def _mean(rows: Sequence[Row], scored: Sequence[int], trainings: str) -> MergedRow:
    first, n = rows[scored[0]], len(scored)
    values = {
        name: [rows[index].get(name) for index in scored]
        for name, metric in METRICS.items()
        if name in first and metric.kind != "setting"
    }
    settings = [name for name, metric in METRICS.items() if metric.kind == "setting"]
    means: Row = {}
    deviations: dict[str, float] = {}
    undefined = dict(first.get("undefined") or {})
    for name, found in values.items():
        numbers = [float(one) for one in found if isinstance(one, int | float)]
        means[name] = statistics.fmean(numbers) if len(numbers) == n else None
        if len(numbers) < n:
            reason = f"no number in {n - len(numbers)} of {n} runs"
            undefined[name] = undefined.get(name, reason)
        elif len(set(numbers)) > 1:
            deviations[name] = statistics.stdev(numbers)
        else:
            # An equal count stays one.
            means[name] = found[0]
    note = f"mean over {n} trainings, {trainings}"
    if n < len(rows):
        note += f", without {len(rows) - n} that have no results"
    params = {
        name: value for name, value in (first.get("method_params") or {}).items()
        if name not in ("weights", "content")
    }  # fmt: skip
    row = {
        **first,
        **means,
        **dict.fromkeys((*_OF_ONE_RUN, *settings)),
        "note": "; ".join((*_notes_of([rows[index] for index in scored]), note)),
        "method_params": params,
        "undefined": undefined,
        **_failures([rows[index] for index in scored]),
    }
    return MergedRow(row, deviations, n)


def _notes_of(rows: Sequence[Row]) -> list[str]:
    """The notes of the rows, each once."""
    return list(dict.fromkeys(row["note"] for row in rows if row.get("note")))


def _failures(rows: Sequence[Row]) -> Row:
    """The state of a mean, and how many images failed in all of its runs."""
    fields: Row = {"state": "done", "reason": "", "n_runs": len(rows)}
    for row in rows:
        if row["state"] != "done":
            fields |= {"state": row["state"], "reason": row.get("reason")}
    for name in ("n_failed", "n_failed_validation"):
        fields[name] = sum(int(row.get(name) or 0) for row in rows)
    fields["n_validation"] = max(int(row.get("n_validation") or 0) for row in rows)
    return fields


def _same_in_all(first: Row, rows: Sequence[Row], title: str) -> MergedRow:
    """A method that learns nothing, which has to be the same in all but for its times."""
    for row in rows:
        for name in quality_metrics():
            if row.get(name) != first.get(name):
                raise UsageError(
                    f"{title} learns nothing and has another {METRICS[name].title} in two of the "
                    "runs: they are not of one state of the code; make one of them again."
                )
    return MergedRow(first)


def _settings(row: Row) -> tuple[object, ...]:
    params = dict(row.get("method_params") or {})
    params.pop("weights", None)
    if _is_submitted(row):
        params.pop("content")
    return params, row.get("input_size")


def deviation_texts(
    merged: Mapping[str, MergedRow], metrics: Sequence[MetricDefinition]
) -> dict[tuple[str, str], str]:
    """The standard deviations as printed, by method and metric."""
    return {
        (method, metric.name): f"±{metric.format(one.deviations[metric.name])}"
        for method, one in merged.items()
        for metric in metrics
        if metric.name in one.deviations
    }


def deviation_legend(merged: Sequence[MergedRow]) -> str:
    """What ± means in a table, with the number of runs; empty where no row is a mean."""
    counts = sorted({one.n_runs for one in merged})
    if not counts:
        return ""
    listed = " or ".join(map(str, counts))
    return f"±: standard deviation over {listed} trainings, of which the value is the mean."


def refuse_seeds(options: ReportOptions, name: str) -> None:
    """Refuse the mean over runs for a format that draws single runs.

    Raises
    ------
    UsageError
    """
    if options.seeds:
        raise UsageError(
            f"--seeds is for tables (markdown, latex, csv), got --format {name}, which shows what "
            "one run has found."
        )
