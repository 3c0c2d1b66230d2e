"""Notes on single rows: what a method's numbers need said beside those of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from irbench.engine.storage.results import Row
from irbench.metrics.metric import MetricDefinition
from irbench.report import Notes

from ._side_by_side import DataGroup

_SOURCES = {
    "shipped": "{what} as shipped with the method, measured on other data",
    "none": "{what} not calibrated: there was nothing to choose on",
    "given": "{what} given, not chosen on validation data",
    "binary": "binary masks: there is no score to calibrate",
}

_FAILURES = (
    ("n_failed", "n_images", "images"),
    ("n_failed_validation", "n_validation", "validation images"),
)
"""Fields of a row: failed images, of how many, and what they are."""


class NumberedNotes:
    """Notes by number, the same text under the same number.

    Attributes
    ----------
    texts : tuple of str
        Note 1, 2, …
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def texts(self) -> tuple[str, ...]:
        """Note 1, 2, …, in the order they came up."""
        return tuple(self._numbers)

    def numbers(self, notes: Iterable[str]) -> tuple[int, ...]:
        """The numbers of some notes, ascending."""
        found = (self._numbers.setdefault(note, len(self._numbers) + 1) for note in notes)
        return tuple(sorted(set(found)))


def row_notes(
    method: str,
    groups: Sequence[DataGroup],
    own: Sequence[MetricDefinition],
    level: Notes = "full",
) -> list[str]:
    """What has to be said of a method's rows.

    Parameters
    ----------
    method : str
    groups : sequence of DataGroup
    own : sequence of MetricDefinition
        Columns that stand once for all datasets.
    level : {"none", "short", "full"}
        Why a row was skipped, such as a package to install, is said in full notes only.

    Returns
    -------
    list of str
        Its own note; unfinished, partial and failed rows; a calibration from elsewhere
        than the validation split; values of ``own`` that differ between datasets. What
        holds for some datasets only names them.
    """
    if level == "none":
        return []
    rows = {group.title: group.rows[method] for group in groups if method in group.rows}
    notes: dict[str, list[str]] = {}
    for title, row in rows.items():
        for note in _notes_of(row, level):
            notes.setdefault(note, []).append(title)
    texts = [
        note if len(titles) == len(rows) else f"{', '.join(titles)}: {note}"
        for note, titles in notes.items()
    ]
    for metric in own:
        values = {
            t: row[metric.name] for t, row in rows.items() if row.get(metric.name) is not None
        }
        if len({metric.format(value) for value in values.values()}) > 1:
            listed = ", ".join(f"{metric.format(v)} on {t}" for t, v in values.items())
            texts.append(f"{metric.title}: {listed}")
    return texts


def _notes_of(row: Row, level: Notes) -> list[str]:
    notes = [one_line(row.get("note") or "")]
    state, reason = row["state"], one_line(row.get("reason") or "")
    # A mean has the failures of all of its runs.
    n_runs = row.get("n_runs") or 1
    counted = [
        f"{row[failed]} of {row[images] * n_runs} {what}"
        for failed, images, what in _FAILURES
        if row.get(failed) and row.get(images)
    ]
    if counted:
        # Validation images may have failed in another run, whose calibration this row has.
        mark = "partial: " if state == "partial" else ""
        listed = " and ".join(counted)
        notes.append(f"{mark}{listed} failed and count as images without detections")
    elif state == "skipped" and level == "short":
        notes.append("not run")
    elif state != "done":
        # A method that was given up says "failed on …" itself.
        said = reason.startswith(state)
        notes.append(reason if said else f"{state}: {reason}" if reason else str(state))
    notes.append(_calibration_note(row))
    return [note for note in notes if note]


def _calibration_note(row: Row) -> str:
    source = row.get("calibration")
    by_validation = row.get("operating_point") == "val-f1"
    has_extent = row.get("extent") is not None
    if source in (None, "validation") or not (by_validation or has_extent):
        return ""
    what = " and ".join(["extent"] * has_extent + ["score threshold"] * by_validation)
    return _SOURCES.get(str(source), "{what} from {source}").format(what=what, source=source)


def one_line(text: str) -> str:
    """A text on one line, without a full stop at its end."""
    return " ".join(text.split()).removesuffix(".")
