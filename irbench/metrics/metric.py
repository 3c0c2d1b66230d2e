"""What is known of a metric: direction, bounds, unit, how it is printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MetricKind = Literal["boxes", "points", "pixels", "maps", "cost", "setting"]

UNDEFINED_TEXT = "—"
"""How an undefined value prints."""


@dataclass(frozen=True, kw_only=True)
class MetricDefinition:
    """What is known of a metric.

    Parameters
    ----------
    name : str
        Its column in ``results.json`` and ``results.csv``.
    title : str
        As printed at the head of a table.
    kind : {"boxes", "points", "pixels", "maps", "cost", "setting"}
        What it is measured on. A setting, such as the threshold, is no merit.
    higher_is_better : bool or None
        None where neither direction is.
    bounds : (float, float)
        The values it can take, both included, as stored: fractions and SI units.
    unit : str
        Of the printed number; empty for a plain one.
    scale : float
        Printed number = stored value times this.
    decimals : int
        Digits after the point when printed.
    reference : str
        Where the definition comes from.
    description : str
        One sentence.
    formula : str
        In plain text; empty where the description says it all.
    dialect : str
        Which of several rules in use it follows; empty where there is one.
    equals : str
        The public implementation that it equals, and to what tolerance; empty for none.
    """

    name: str
    title: str
    kind: MetricKind
    higher_is_better: bool | None
    bounds: tuple[float, float]
    unit: str
    scale: float
    decimals: int
    reference: str
    description: str
    formula: str = ""
    dialect: str = ""
    equals: str = ""

    @property
    def arrow(self) -> str:
        """``↑``, ``↓``, or nothing where neither direction is better."""
        return {True: "↑", False: "↓", None: ""}[self.higher_is_better]

    def format(self, value: float | None) -> str:
        """The stored ``value`` as a table prints it, without its unit; None as an em dash."""
        if value is None:
            return UNDEFINED_TEXT
        return f"{value * self.scale:.{self.decimals}f}"

    def is_better(self, value: float | None, other: float | None) -> bool:
        """Whether ``value`` is strictly better than ``other``; an undefined one never is.

        Of two numbers where neither direction is better, none is.
        """
        if value is None or self.higher_is_better is None:
            return False
        if other is None:
            return True
        return value > other if self.higher_is_better else value < other


def fraction(
    name: str,
    title: str,
    kind: MetricKind,
    reference: str,
    description: str,
    **more: str,
) -> MetricDefinition:
    """A metric in [0, 1], more of which is better, printed in percent.

    Parameters
    ----------
    name, title, kind, reference, description
        See :class:`MetricDefinition`.
    **more
        Its ``formula``, ``dialect`` and ``equals``.
    """
    return MetricDefinition(
        name=name,
        title=title,
        kind=kind,
        higher_is_better=True,
        bounds=(0.0, 1.0),
        unit="%",
        scale=100.0,
        decimals=2,
        reference=reference,
        description=description,
        **more,
    )
