"""A row of a run against the same method's row of the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from irbench.engine.storage.results import Row
from irbench.gate.baseline import BaselineRow
from irbench.gate.changes import Change, Verdict
from irbench.gate.image_counts import Arrays, is_counted
from irbench.gate.recording import gated_metrics
from irbench.gate.tolerance import Tolerances
from irbench.metrics.definition import METRICS, quality_metrics
from irbench.scoring.scored_output import Result
from irbench.statistics.bootstrap import resample
from irbench.statistics.image_statistics import ImageStatistics
from irbench.statistics.paired import PairedDifference, paired_difference
from irbench.statistics.resamples import Resamples


@dataclass(frozen=True)
class RowCheck:
    """A row of a run against the same method's row of the baseline.

    Parameters
    ----------
    before : BaselineRow
    row : dict
    tolerances : Tolerances
    allow_missing : bool
        Whether metrics of the baseline may be absent.
    """

    before: BaselineRow
    row: Row
    tolerances: Tolerances
    allow_missing: bool = False

    @property
    def metrics(self) -> list[str]:
        """The metrics that either has."""
        before = self.before.values
        gated = gated_metrics()
        names = [name for name in gated if name in before or name in self.row]
        return names + [name for name in before if name not in gated]

    @property
    def moved(self) -> list[str]:
        """The metrics that moved, up or down, by more than their tolerance."""
        return [name for name in self.metrics if self._has_moved(name)]

    def judge(
        self, metric: str, difference: PairedDifference | None = None, p_holm: float | None = None
    ) -> Change:
        """What became of a metric.

        Parameters
        ----------
        metric : str
        difference : PairedDifference, optional
            Now minus before, where it is known.
        p_holm : float, optional
            Its p-value, adjusted over the methods that are judged by theirs.
        """
        interval = None if difference is None else difference.interval
        method, known = self.before.method, self.before.values
        old, new = known.get(metric), self.row.get(metric)
        if metric not in known:
            return Change(method, metric, "new", old, new, reason="not in the baseline")
        if metric not in self.row:
            fails = not self.allow_missing
            return Change(method, metric, "missing", old, reason="no longer measured", fails=fails)
        if metric not in METRICS:
            # Which way it is better is not known.
            reason = "a metric that is not loaded; give the file that defines it by --plugin"
            fails = not self.allow_missing
            return Change(method, metric, "missing", old, new, reason=reason, fails=fails)
        if not self._has_moved(metric):
            return Change(method, metric, "same", old, new)
        if new is None:
            reason = self.row.get("undefined", {}).get(metric, "undefined")
            return Change(method, metric, "regressed", old, new, reason=reason, fails=True)
        verdict: Verdict = "improved" if METRICS[metric].is_better(new, old) else "regressed"
        reason = ""
        if not self.before.deterministic and old is not None:
            definition = quality_metrics().get(metric)
            if definition is None or not is_counted(self.before.counts, definition):
                verdict = "uncertain"
                reason = "the baseline has no counts of it, so no interval: shown, not gated"
            elif interval is None or interval.lower is None or interval.upper is None:
                reason = "no interval: judged by the tolerance alone"
            elif interval.lower <= 0 <= interval.upper:
                verdict = "uncertain"
            elif p_holm is not None and p_holm > 1 - interval.level:
                verdict = "uncertain"
                reason = f"p = {p_holm:.2g} by Holm's correction over the methods"
        return Change(method, metric, verdict, old, new, interval, reason, verdict == "regressed")

    def _has_moved(self, metric: str) -> bool:
        old, new = self.before.values.get(metric), self.row.get(metric)
        if old is None or new is None:
            return old is not new
        return bool(abs(new - old) > self.tolerances.allowed(self.before.method, metric, old))


def paired_differences(
    old: Result,
    new: Result,
    image_ids: Sequence[str],
    metrics: Sequence[str],
    counts: Arrays,
    draws: int,
    seed: int,
) -> dict[str, PairedDifference]:
    """New minus old, by the paired bootstrap over images.

    Parameters
    ----------
    old, new : Result
        With counts of the same images.
    image_ids : sequence of str
    metrics : sequence of str
        Those that either leaves undefined, or has no counts of, are left out; of a single
        image all.
    counts : dict of str to ndarray
        Of the baseline, that ``old`` was made of.
    draws, seed : int
    """
    known = quality_metrics()
    counted = {name for name, one in known.items() if is_counted(counts, one)}
    common = [
        name
        for name in metrics
        if name in counted
        and all(
            one.values.get(name) is not None and one.counts.has(known[name]) for one in (old, new)
        )
    ]
    if len(image_ids) < 2 or not common:
        return {}
    statistics = {
        "old": ImageStatistics.of(old, common),
        "new": ImageStatistics.of(new, common),
    }
    spread = resample(statistics, Resamples(image_ids, draws, seed))
    return {
        name: paired_difference(
            new.values[name], old.values[name], spread["new"][name], spread["old"][name]
        )
        for name in common
    }
