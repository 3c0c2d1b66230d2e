"""A run on disk as a baseline."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.file_checks import file_reader
from irbench.engine.storage.parquet_files import read_timings
from irbench.engine.storage.results import Row, RunResults
from irbench.errors import UnknownNameError, UsageError
from irbench.gate.baseline import Baseline, BaselineRow
from irbench.gate.image_counts import TruthCounts, count_arrays
from irbench.ground_truth import GroundTruth
from irbench.messages.progress import Progress
from irbench.metrics.definition import quality_metrics
from irbench.scoring.scored_output import Result
from irbench.scoring.scored_output import score_row as scored_output


def gated_metrics() -> tuple[str, ...]:
    """The metrics of quality that have a direction; times are gated as ratios, where asked."""
    return tuple(
        name for name, metric in quality_metrics().items() if metric.higher_is_better is not None
    )


_TIME_DIGITS = 4
_SAME = 1e-9
"""Relative; sums of the same numbers in another order differ by less."""


def record_baseline(
    results: RunResults, random: Collection[str] = (), progress: Progress | None = None
) -> Baseline:
    """Make a baseline of a run.

    Parameters
    ----------
    results : RunResults
    random : collection of str
        Methods to be judged by the bootstrap too, beside those with learned weights and
        submitted predictions.
    progress : Progress, optional

    Returns
    -------
    Baseline
        Of the rows with results.

    Raises
    ------
    UsageError
        If there is no such row, or what is on disk contradicts itself.
    """
    rows = {row["method"]: row for row in results.scored_rows}
    if not rows:
        raise UsageError(f"{results.path} has no row with results to write a baseline of.")
    for name in random:
        if name not in rows:
            raise UnknownNameError("row of the run", name, rows)
    truths = sorted_truths(results)
    recorded = {}
    with (progress or Progress()).track("Scoring", len(rows)) as advance:
        for name, row in rows.items():
            deterministic = name not in random and not is_trained(row)
            recorded[name] = _record_row(results, row, truths, deterministic)
            advance()
    return Baseline(
        key=results.run["key"],
        dataset=results.dataset,
        versions=results.run.get("versions", {}),
        processor=str(results.run.get("machine", {}).get("processor", "")),
        truth=TruthCounts.of(truths),
        rows=recorded,
    )


def sorted_truths(results: RunResults) -> list[GroundTruth]:
    """The tested images in the order in which a baseline keeps their counts."""
    return sorted(results.ground_truth[results.dataset["split"]], key=lambda truth: truth.id)


def is_trained(row: Row) -> bool:
    """Whether a row comes of learned weights, or of predictions that may."""
    if "weights_sha256" in row or "predictions" in row.get("method_params", {}):
        return True
    from irbench.plugins.registry import catalogue

    cls = catalogue("methods").classes.get(row["method"])
    return cls is not None and bool(cls.info.trainable)


def score_row(results: RunResults, row: Row, truths: Sequence[GroundTruth]) -> Result:
    """Score a row's detections again, for the counts of each image.

    Raises
    ------
    UsageError
        If the values differ from those of the row: the run was scored by another
        version of irbench, or changed by hand.
    """
    method = row["method"]
    result = scored_output(results, row, truths).result
    for name in gated_metrics():
        if name in row and not _agree(row[name], result.values[name]):
            raise UsageError(
                f"{results.path}: {name} of {method} is {row[name]} in results.json and "
                f"{result.values[name]} by its detections; repeat the command that made the "
                "run, which scores it again."
            )
    return result


def image_times(results: RunResults, method: str) -> dict[str, float]:
    """Milliseconds of each image in the timing pass, end to end; empty where there was none."""
    file = RunDirectory(results.path).timings_file(method)
    if not file.exists():
        return {}
    _, timing = file_reader(read_timings)(file, results.dataset["split"])
    if timing is None:
        return {}
    return {
        image: one.pre_ms + one.compute_ms + one.post_ms
        for image, one in sorted(timing.times.items())
    }


def _record_row(
    results: RunResults, row: Row, truths: Sequence[GroundTruth], deterministic: bool
) -> BaselineRow:
    method = row["method"]
    result = score_row(results, row, truths)
    times = image_times(results, method)
    return BaselineRow(
        method=method,
        title=row["title"],
        deterministic=deterministic,
        facts=results.run["methods"][method].get("facts", {}),
        settings={name: row.get(name) for name in ("extent", "threshold", "calibration")},
        values={name: row[name] for name in gated_metrics() if name in row},
        n_failed=int(row.get("n_failed", 0)),
        counts=count_arrays(result, with_ranking=not deterministic),
        times_ms={image: float(f"{ms:.{_TIME_DIGITS}g}") for image, ms in times.items()},
    )


def _agree(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=_SAME)
