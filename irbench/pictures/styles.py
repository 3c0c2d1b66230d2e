"""One look for each method, and one for each outcome, in every figure, chart and table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from irbench.plugins.registry import catalogue

# After Okabe and Ito, moved until the colour-blind tell any two apart and none is too pale for a
# line; the tests hold both against a model of colour vision.
LIGHT = ("#0a58b4", "#b8400f", "#00a573", "#8f4580", "#d98a00", "#3d9ee0", "#3a3a3a")
"""Colours on white."""

DARK = ("#4aa3e0", "#f0803c", "#2cc99b", "#d987b8", "#e6b422", "#8ed3fb", "#e8eaed")
"""The same colours, for a dark ground."""

N_COLOURS = len(LIGHT)

LINES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D")
HATCHES = ("", "////", "....", "xxxx")
"""By which methods of one colour are told apart: in figures; charts of pages have the same."""

N_VARIANTS = len(LINES)

HIT, FALSE_ALARM, MISS = "#00d68f", "#ff9d2e", "#d98cff"
"""What became of a target or a detection, on a grey image. Never by colour alone: a hit is drawn
solid, a false alarm dashed, and a miss dotted or with another shape."""


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn.

    Attributes
    ----------
    method, title, group : str
    colour : int
        In [0, 7).
    variant : int
        In [0, 4): the kind of line, and the shape of the point.
    """

    method: str
    title: str
    group: str
    colour: int
    variant: int

    @property
    def css(self) -> str:
        """Its classes in the style sheet of a page."""
        return f"k{self.colour} v{self.variant}"

    @property
    def line(self) -> dict[str, Any]:
        """Arguments of :meth:`matplotlib.axes.Axes.plot`."""
        return {"color": LIGHT[self.colour], "linestyle": LINES[self.variant]}

    @property
    def mark(self) -> dict[str, Any]:
        """Arguments of :meth:`matplotlib.axes.Axes.plot`, for a single point."""
        return {
            "color": LIGHT[self.colour],
            "marker": MARKERS[self.variant],
            "linestyle": "none",
            "markeredgecolor": "white",
            "markeredgewidth": 0.5,
        }

    @property
    def bar(self) -> dict[str, Any]:
        """Arguments of :meth:`matplotlib.axes.Axes.bar`."""
        return {
            "color": LIGHT[self.colour],
            "hatch": HATCHES[self.variant],
            "edgecolor": "white",
            "linewidth": 0.4,
        }


def method_styles(rows: Iterable[Mapping[str, Any]]) -> dict[str, MethodStyle]:
    """A style for each method.

    A built-in method has the same one in every run, as far as the others leave it free; those
    that a plug-in brings, or somebody's files, take the first free ones.

    Parameters
    ----------
    rows : iterable of mapping
        One of each method with ``method``, ``title`` and ``group``, in the order of the table.

    Returns
    -------
    dict of str to MethodStyle
        In the order of ``rows``. The first 7 x 4 differ from each other.
    """
    listed = list(rows)
    n_styles = N_COLOURS * N_VARIANTS
    preferred = _places_of_built_in_methods()
    places: dict[str, int] = {}
    known = [row["method"] for row in listed if row["method"] in preferred]
    others = [row["method"] for row in listed if row["method"] not in preferred]
    for method in (*known, *others):
        taken = set(places.values()) if len(places) < n_styles else set()
        first = preferred.get(method, 0) % n_styles
        candidates = ((first + step) % n_styles for step in range(n_styles))
        places[method] = next(place for place in candidates if place not in taken)
    return {
        row["method"]: MethodStyle(
            row["method"],
            row["title"],
            row["group"],
            places[row["method"]] % N_COLOURS,
            places[row["method"]] // N_COLOURS,
        )
        for row in listed
    }


@cache
def _places_of_built_in_methods() -> dict[str, int]:
    """Networks first, in solid lines, then the others in the order of Table I.

    Ablations and variants come last, so that they move nobody.
    """
    infos = [
        cls.info
        for cls in catalogue("methods").classes.values()
        if cls.__module__.startswith("irbench.methods.")
    ]
    infos.sort(key=lambda info: (not info.default, not info.trainable, info.order))
    return {info.name: place for place, info in enumerate(infos)}
