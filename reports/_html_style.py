"""One look for each method, in every chart and table of a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from irbench.engine.results import Row

N_COLOURS = 7
"""Colours of Okabe and Ito that are told apart on white and on black; yellow is not."""

N_VARIANTS = 4
"""Kinds of line, and shapes of point, by which methods of one colour are told apart."""


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
        """Its classes in the style sheet."""
        return f"k{self.colour} v{self.variant}"


def method_styles(rows: Iterable[Row]) -> dict[str, MethodStyle]:
    """A style for each method, by its place.

    Parameters
    ----------
    rows : iterable of dict
        One of each method, in the order of the table.

    Returns
    -------
    dict of str to MethodStyle
        The first 7 x 4 differ from each other.
    """
    return {
        row["method"]: MethodStyle(
            row["method"],
            row["title"],
            row["group"],
            place % N_COLOURS,
            place // N_COLOURS % N_VARIANTS,
        )
        for place, row in enumerate(rows)
    }
