"""A run against its baseline: what fell, what rose, what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from irbench.engine.storage.results import SCORED_STATES, Row, RunResults
from irbench.errors import UnknownNameError, UsageError
from irbench.gate.baseline import Baseline
from irbench.gate.changes import ROW, Change, CheckReport, Verdict
from irbench.gate.comparability import check_comparable, image_notes, library_notes, row_notes
from irbench.gate.multiplicity import Differences, adjusted_p
from irbench.gate.recording import image_times, score_row, sorted_truths
from irbench.gate.row_check import RowCheck, paired_differences
from irbench.gate.timing import choose_reference, time_change
from irbench.gate.tolerance import TIMING, Tolerances
from irbench.ground_truth import GroundTruth
from irbench.messages.progress import Progress
from irbench.statistics.resamples import N_RESAMPLES


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The rules of a check.

    Parameters
    ----------
    tolerances : Tolerances
    allow_missing : bool
        Whether rows of the baseline may be absent.
    timing : bool
        Whether times are gated.
    n_resamples, seed : int
        Of the bootstrap.
    progress : Progress
    """

    tolerances: Tolerances = field(default_factory=Tolerances)
    allow_missing: bool = False
    timing: bool = False
    n_resamples: int = N_RESAMPLES
    seed: int = 0
    progress: Progress = field(default_factory=Progress)

    def check(self, baseline: Baseline, results: RunResults) -> CheckReport:
        """Hold a run against a baseline.

        Raises
        ------
        UsageError
            If the two are not comparable, saying what differs.
        """
        check_comparable(baseline, results)
        rows = {row["method"]: row for row in results.rows}
        for method in self.tolerances.methods - baseline.rows.keys():
            raise UnknownNameError("row of the baseline", method, baseline.rows)
        truths = sorted_truths(results)
        checks: dict[str, RowCheck] = {}
        differences: dict[str, Differences] = {}
        notes = library_notes(baseline, results)
        with self.progress.track("Checking", len(baseline.rows)) as advance:
            for method, before in baseline.rows.items():
                row = rows.get(method)
                if row is not None and row["state"] in SCORED_STATES:
                    check = RowCheck(before, row, self.tolerances, self.allow_missing)
                    found, said = self._measure(baseline, check, results, truths)
                    checks[method], differences[method] = check, found
                    notes += said
                advance()
        # A verdict needs the p-values of all methods.
        adjusted = adjusted_p(checks, differences)
        changes: list[Change] = []
        for method in baseline.rows:
            if method in checks:
                changes += _judge(checks[method], differences[method], adjusted[method])
            else:
                changes.append(self._missing(method, rows.get(method)))
        changes += [
            Change(method, ROW, "new", reason="not in the baseline")
            for method, row in rows.items()
            if method not in baseline.rows and row["state"] in SCORED_STATES
        ]
        reference = None
        if self.timing:
            timed, reference = self._check_times(baseline, results)
            changes += timed
            processor = str(results.run.get("machine", {}).get("processor", ""))
            if processor != baseline.processor:
                notes.append(f"processor: {baseline.processor} -> {processor}")
        return CheckReport(results.dataset, tuple(changes), tuple(notes), reference)

    def _missing(self, method: str, row: Row | None) -> Change:
        reason = "not in the run" if row is None else f"{row['state']}: {row.get('reason', '')}"
        return Change(method, ROW, "missing", reason=reason, fails=not self.allow_missing)

    def _measure(
        self,
        baseline: Baseline,
        check: RowCheck,
        results: RunResults,
        truths: Sequence[GroundTruth],
    ) -> tuple[Differences, list[str]]:
        """The differences of what moved, and what else differs."""
        before, row = check.before, check.row
        notes = row_notes(before, results, row)
        # Scoring takes a second or so; what did not move needs no interval.
        moved = check.moved
        if not moved:
            return {}, notes
        new, old = score_row(results, row, truths), baseline.result(before.method)
        ids = [truth.id for truth in truths]
        found = paired_differences(old, new, ids, moved, before.counts, self.n_resamples, self.seed)
        return found, notes + image_notes(before.method, old, new, truths)

    def _check_times(self, baseline: Baseline, results: RunResults) -> tuple[list[Change], str]:
        before = {method: row.times_ms for method, row in baseline.rows.items()}
        now = {row["method"]: image_times(results, row["method"]) for row in results.scored_rows}
        reference = choose_reference(before, now)
        if reference is None:
            raise UsageError(
                "--timing needs a method that both the baseline and the run have timed; run with "
                "--timing-images 20, and write the baseline of such a run."
            )
        changes = []
        for method in before:
            change = time_change(before, now, method, reference)
            if method == reference or change is None:
                continue
            allowed = self.tolerances.allowed(method, TIMING)
            verdict: Verdict = "same"
            if change.is_slower(allowed):
                verdict = "regressed"
            elif change.is_faster(allowed):
                verdict = "improved"
            changes.append(
                Change(
                    method,
                    TIMING,
                    verdict,
                    change.before,
                    change.now,
                    reason=f"{change.median:.2f} times as long, quartiles {change.lower:.2f} to "
                    f"{change.upper:.2f}",
                    fails=verdict == "regressed",
                )
            )
        return changes, reference


def _judge(
    check: RowCheck, differences: Differences, adjusted: Mapping[str, float]
) -> list[Change]:
    changes: list[Change] = []
    before, n_failed = check.before, int(check.row.get("n_failed", 0))
    if n_failed > before.n_failed:
        reason = f"fails on {n_failed} images, in the baseline on {before.n_failed}"
        changes.append(Change(before.method, ROW, "regressed", reason=reason, fails=True))
    return changes + [
        check.judge(name, differences.get(name), adjusted.get(name)) for name in check.metrics
    ]
