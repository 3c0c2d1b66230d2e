"""Footnotes on the parameters of the methods: their defaults, and what departs from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from irbench.detector import GROUPS
from irbench.engine.storage.results import Row
from irbench.errors import UnknownNameError
from irbench.parameters import parameter_specs
from irbench.plugins.registry import method_class

from ._side_by_side import DataGroup, methods_in_order

CLASSICAL = GROUPS[:-1]
"""The headings of Table I whose methods learn nothing."""


def departures(row: Row) -> dict[str, tuple[Any, Any]] | None:
    """The parameters of a row that are not at their defaults.

    Parameters
    ----------
    row : dict
        With ``method`` and ``method_params``.

    Returns
    -------
    dict of str to (object, object), or None
        Parameter to value and default. None where the defaults are not known, as of
        somebody else's predictions or of a plug-in that is not loaded.
    """
    given = row.get("method_params") or {}
    try:
        specs = parameter_specs(method_class(row["method"]))
    except UnknownNameError:
        return None
    if not given.keys() <= specs.keys():
        return None
    return {
        name: (value, specs[name].default)
        for name, value in given.items()
        if _plain(value) != _plain(specs[name].default)
    }


def parameter_footnotes(groups: Sequence[DataGroup]) -> list[str]:
    """What to say of parameters under a table."""
    classical: list[str] = []
    others: list[str] = []
    unknown: list[str] = []
    any_classical = False
    for method in methods_in_order(groups):
        rows = {g.title: g.rows[method["method"]] for g in groups if method["method"] in g.rows}
        is_classical = method["group"] in CLASSICAL
        any_classical = any_classical or is_classical
        found = {title: departures(row) for title, row in rows.items()}
        changes = {
            title: _said(changed, rows[title]) for title, changed in found.items() if changed
        }
        text = _listed(changes, len(rows))
        if text:
            (classical if is_classical else others).append(f"{method['title']}: {text}")
        if any(changed is None for changed in found.values()) and is_classical:
            unknown.append(method["title"])
    notes = []
    if any_classical:
        text = "Classical parameters at their published defaults for every dataset"
        if classical:
            text += f", except {'; '.join(classical)}"
        if unknown:
            text += f"; not known here are the defaults of {', '.join(unknown)}"
        notes.append(f"{text}.")
    if others:
        notes.append(f"Not at their defaults: {'; '.join(others)}.")
    return notes


def _said(changed: dict[str, tuple[Any, Any]], row: Row) -> list[str]:
    """``size = 9 instead of 5``, each change of a row."""
    said = []
    for name, (value, default) in changed.items():
        shown = _shown(value)
        # Weights that were trained elsewhere may have the name of those that ship.
        if name == "weights" and row.get("weights_sha256"):
            shown += f" ({row['weights_sha256'][:8]})"
        said.append(f"{name} = {shown} instead of {_shown(default)}")
    return said


def _listed(changes: dict[str, list[str]], n_datasets: int) -> str:
    """Each change once, with its datasets unless it is all."""
    where: dict[str, list[str]] = {}
    for title, texts in changes.items():
        for text in texts:
            where.setdefault(text, []).append(title)
    return ", ".join(
        text if len(titles) == n_datasets else f"{text} on {' and '.join(titles)}"
        for text, titles in where.items()
    )


def _plain(value: Any) -> Any:
    """Tuples and lists alike, as JSON has no tuples."""
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def _shown(value: Any) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f"({', '.join(map(str, value))})"
    return str(value)
