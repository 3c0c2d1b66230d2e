"""A metric: direction, bounds, unit, how it is printed, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.metrics.value import MetricValue
from irbench.metrics.weighted import Draws, Form, Values

MetricKind = Literal["boxes", "points", "pixels", "maps", "cost", "setting"]

Part = Literal[
    "boxes",
    "points",
    "hungarian",
    "pixels",
    "regions",
    "table",
    "table30",
    "ranked_points",
    "roc",
    "roc_3d",
    "gains",
]
"""What a metric is computed from: an attribute of :class:`irbench.metrics.counts.Counts`."""

Clause = Literal["", "overlap", "ranking", "distance"]
"""What of the protocol a footnote must name: the IoU of a hit, the estimator of average precision
and the limit of detections, or the distance of centroids."""

TOOLKIT = "PyIRSTDMetrics 1.0.2, to 1e-9"
"""The public implementation that several metrics equal."""

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


@dataclass(frozen=True, kw_only=True)
class Metric(MetricDefinition):
    """A metric of quality: its definition, and the one form that it is computed by.

    Called with the counts that it needs, it is the value: ``f1(counts)``, and with
    ``(n_images,)`` weights that of images which count so often.

    Parameters
    ----------
    needs : str
        The attribute of :class:`irbench.metrics.counts.Counts` that it is computed from; where
        an evaluation lacks it, the metric is undefined for the reason given there.
    form : callable
        From that attribute to a function of :class:`~irbench.metrics.weighted.Draws`, which
        returns ``(n_draws,)`` float64, NaN where undefined. A
        :class:`~irbench.metrics.weighted.Ratio` is one.
    reason : str or callable
        Why it is undefined where it is, as a clause for a footnote; or a function of the counts
        and the ``(n_images,)`` weights that returns it.
    clause : {"", "overlap", "ranking", "distance"}
        What of the protocol the footnote of a table must name.

    Examples
    --------
    >>> import numpy as np
    >>> from irbench.metrics.counting import BoxCounts, precision
    >>> counts = BoxCounts(np.array([1, 0]), np.array([0, 1]), np.array([1, 1]))
    >>> precision(counts).value, precision(counts, np.array([1, 0])).value
    (0.5, 1.0)
    """

    needs: Part
    form: Callable[[Any], Form]
    reason: str | Callable[[Any, NDArray[np.float64]], str]
    clause: Clause = ""

    def __post_init__(self) -> None:
        for field, known in (("needs", Part), ("clause", Clause), ("kind", MetricKind)):
            if getattr(self, field) not in get_args(known):
                raise UsageError(
                    f"{field} of the metric {self.name!r} must be one of "
                    f"{', '.join(map(repr, get_args(known)))}, got {getattr(self, field)!r}."
                )

    def __call__(self, counts: Any, weights: NDArray[Any] | None = None) -> MetricValue:
        """The value, of images that count once, or as often as ``weights`` say."""
        draws = Draws.single(counts.n_images, weights)
        (value,) = self.checked(counts)(draws)
        if not np.isnan(value):
            return MetricValue(float(value))
        if isinstance(self.reason, str):
            return MetricValue(None, self.reason)
        return MetricValue(None, self.reason(counts, draws.weights[:, 0]))

    def checked(self, counts: Any) -> Form:
        """The form of these counts, whose values are held against what they must be."""
        form = self.form(counts)

        def values(draws: Draws) -> Values:
            found = np.asarray(form(draws))
            if found.shape != (draws.n_draws,) or not np.issubdtype(found.dtype, np.floating):
                raise UsageError(
                    f"the form of the metric {self.name!r} must return ({draws.n_draws},) floats, "
                    f"one for each draw, got {found.dtype} {found.shape}."
                )
            return found

        return values


def fraction(
    name: str,
    title: str,
    kind: MetricKind,
    reference: str,
    description: str,
    **more: Any,
) -> Metric:
    """A metric in [0, 1], more of which is better, printed in percent.

    Parameters
    ----------
    name, title, kind, reference, description
        See :class:`MetricDefinition`.
    **more
        Its ``formula``, ``dialect`` and ``equals``, and what :class:`Metric` adds.
    """
    return Metric(
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
