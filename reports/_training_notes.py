"""Footnote on what the networks of a table have learned from beside its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from irbench.errors import IrbenchError
from irbench.networks.card import Card
from irbench.networks.weights_search import available_weights
from irbench.plugins.registry import method_class

from ._side_by_side import DataGroup, methods_in_order


def training_note(groups: Sequence[DataGroup]) -> str:
    """Which networks began with weights of other datasets than the one that a row is of.

    Rows do not have this; it is read from the cards of the weights that are on this machine, by
    their hash. Of weights that lie elsewhere by now nothing is said.

    Returns
    -------
    str
        A sentence; empty where all have learned from their own dataset alone.
    """
    parts = []
    for method in methods_in_order(groups):
        rows = {g.title: g.rows[method["method"]] for g in groups if method["method"] in g.rows}
        used = {
            title: row["weights_sha256"] for title, row in rows.items() if row.get("weights_sha256")
        }
        cards = _cards(method["method"]) if used else {}
        found = {
            title: cards[digest].began_with
            for title, digest in used.items()
            if digest in cards and cards[digest].began_with
        }
        if len(set(found.values())) == 1 and len(found) == len(rows):
            parts.append(f"{method['title']} with {', '.join(next(iter(found.values())))}")
        else:
            parts += [
                f"{method['title']} on {title} with {', '.join(began)}"
                for title, began in found.items()
            ]
    if not parts:
        return ""
    return f"Networks whose training began with other datasets too: {'; '.join(parts)}."


def _cards(method: str) -> Mapping[str, Card]:
    try:
        return {one.card.sha256: one.card for one in available_weights(method_class(method))}
    except IrbenchError:  # a method of a plug-in that is not there now
        return {}
