"""Whether a run and a baseline can be compared, and what else differs between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from irbench.engine.storage.results import Row, RunResults
from irbench.errors import UsageError
from irbench.gate.baseline import Baseline, BaselineRow
from irbench.ground_truth import GroundTruth
from irbench.messages.key_differences import differences
from irbench.scoring.scored_output import Result

_VERSIONS = {"code", "weights_sha256", "device"}
"""Facts of a method that a gate is there to see through; others make rows incomparable."""

_N_NAMED = 4
"""So many images are named of each kind of change."""


def check_comparable(baseline: Baseline, results: RunResults) -> None:
    """Refuse a run of other data, another protocol, or other parameters.

    The version of a method's code, its weights, and the content of submitted predictions may
    differ: they are what is checked.

    Raises
    ------
    UsageError
        Saying what differs.
    """
    differing = differences(baseline.key, results.run["key"])
    for method, before in baseline.rows.items():
        known = results.run["methods"].get(method, {}).get("facts")
        if known is not None:
            differing += differences(_identity(before.facts), _identity(known), method)
    if differing:
        raise UsageError(
            f"the baseline and {results.path} are not comparable (baseline -> run: "
            f"{'; '.join(differing)}). Repeat the run as the baseline's was made, or write "
            "another baseline by `irbench check --write`."
        )


def library_notes(baseline: Baseline, results: RunResults) -> list[str]:
    """The libraries whose versions differ."""
    return differences(baseline.versions, results.run.get("versions", {}))


def row_notes(before: BaselineRow, results: RunResults, row: Row) -> list[str]:
    """What else differs of a row: its code or weights, extent and threshold."""
    facts = results.run["methods"][before.method].get("facts", {})
    settings = {name: row.get(name) for name in before.settings}
    lines = differences(before.facts, facts) + differences(before.settings, settings)
    return [f"{before.method}: {line}" for line in lines]


def image_notes(method: str, old: Result, new: Result, truths: Sequence[GroundTruth]) -> list[str]:
    """On which images hits were lost, and false alarms gained, most of them first.

    Parameters
    ----------
    method : str
    old, new : Result
        With counts of the images ``truths``, in their order.
    truths : sequence of GroundTruth
    """
    before, now = old.counts.boxes, new.counts.boxes
    if before is None or now is None:
        return []
    worse = {
        "hits lost": before.true_positives - now.true_positives,
        "more false alarms": now.false_positives - before.false_positives,
    }
    notes = []
    for title, change in worse.items():
        worst = (-change).argsort(kind="stable")[:_N_NAMED].tolist()
        named = [f"{truths[i].id} ({int(change[i])})" for i in worst if change[i] > 0]
        n_images = int((change > 0).sum())
        if named:
            rest = ", …" if n_images > len(named) else ""
            notes.append(f"{method}: {title} on {n_images} images: {', '.join(named)}{rest}")
    return notes


def _identity(facts: dict[str, Any]) -> dict[str, Any]:
    """What two rows must share: all but the versions of code, weights and predictions."""
    kept = {name: value for name, value in facts.items() if name not in _VERSIONS}
    params = dict(kept.get("params") or {})
    if "weights_sha256" in facts:
        params.pop("weights", None)
    if "predictions" in params:
        params.pop("content", None)
    return {**kept, "params": params}
