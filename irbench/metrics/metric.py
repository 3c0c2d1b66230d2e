"""A metric: direction, bounds, unit, how it is printed, and how it is computed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from irbench.errors import MetricError, UsageError
from irbench.metrics.image_counting import Counting
from irbench.metrics.plugin_failure import plugin_failure
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

MAP_PARTS: tuple[Part, ...] = ("roc", "roc_3d", "gains")
"""What is counted in score maps."""

_QUALITY_KINDS = ("boxes", "points", "pixels", "maps")

_SLACK = 1e-9
"""How far rounding may carry a value out of its bounds."""

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
    decimals : int
        Digits after the point when printed.
    description : str
        One sentence.
    unit : str
        Of the printed number; empty for a plain one.
    scale : float
        Printed number = stored value times this.
    reference : str
        Where the definition comes from; may be empty.
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
    decimals: int
    description: str
    unit: str = ""
    scale: float = 1.0
    reference: str = ""
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
    needs : str or Counting
        What it is computed from: an attribute of :class:`irbench.metrics.counts.Counts`, or a
        counting of its own. Where an evaluation lacks it, the metric is undefined for the
        reason given there.
    form : callable
        From these counts to a function of :class:`~irbench.metrics.weighted.Draws`, which
        returns ``(n_draws,)`` float64, NaN where undefined. A
        :class:`~irbench.metrics.weighted.Ratio` is one.
    reason : str or callable
        Why it is undefined where it is, as a clause for a footnote; or a function of the counts
        and the ``(n_images,)`` weights that returns it.
    clause : {"", "overlap", "ranking", "distance"}
        What of the protocol the footnote of a table must name.
    adds_miss : bool
        Whether its form counts the missed targets that draws add
        (:attr:`irbench.metrics.weighted.Draws.missed`), as those of average precision do.

    Examples
    --------
    >>> import numpy as np
    >>> from irbench.metrics.counting import BoxCounts, precision
    >>> counts = BoxCounts(np.array([1, 0]), np.array([0, 1]), np.array([1, 1]))
    >>> precision(counts).value, precision(counts, np.array([1, 0])).value
    (0.5, 1.0)
    """

    needs: Part | Counting
    form: Callable[[Any], Form]
    reason: str | Callable[[Any, NDArray[np.float64]], str]
    clause: Clause = ""
    adds_miss: bool = False

    def __post_init__(self) -> None:
        low, high = self.bounds if _is_pair(self.bounds) else (math.nan, math.nan)
        demands = {
            "name": (
                bool(re.fullmatch("[a-z][a-z0-9_]*", str(self.name))),
                "lower-case letters, digits and underscores, a letter first",
            ),
            **{
                name: (isinstance(text, str) and bool(text.strip()), "a text that is not empty")
                for name, text in (("title", self.title), ("description", self.description))
            },
            "needs": (
                isinstance(self.needs, Counting) or self.needs in get_args(Part),
                f"one of {', '.join(map(repr, get_args(Part)))}, or a Counting",
            ),
            **{
                name: (getattr(self, name) in known, f"one of {', '.join(map(repr, known))}")
                for name, known in (
                    ("kind", _QUALITY_KINDS),
                    ("clause", get_args(Clause)),
                    ("higher_is_better", (True, False, None)),
                )
            },
            "bounds": (low < high, "two numbers, the lower one first"),
            "scale": (_is_number(self.scale) and 0 < self.scale < math.inf, "a positive number"),
            "decimals": (self.decimals in range(16), "a whole number from 0 to 15"),
            "form": (callable(self.form), "a function of the counts"),
            "reason": (
                callable(self.reason) or (isinstance(self.reason, str) and bool(self.reason)),
                "a text that is not empty, or a function",
            ),
        }
        for field, (holds, expected) in demands.items():
            if not holds:
                raise UsageError(
                    f"{field} of the metric {self.name!r} must be {expected}, "
                    f"got {getattr(self, field)!r}."
                )

    def __call__(self, counts: Any, weights: NDArray[Any] | None = None) -> MetricValue:
        """The value, of images that count once, or as often as ``weights`` say.

        Raises
        ------
        MetricError
            See :meth:`checked`.
        """
        draws = Draws.single(counts.n_images, weights)
        (value,) = self.checked(counts)(draws)
        if not np.isnan(value):
            return MetricValue(float(value))
        if isinstance(self.reason, str):
            return MetricValue(None, self.reason)
        try:
            return MetricValue(None, self.reason(counts, draws.weights[:, 0]))
        except Exception as error:
            raise self._failure(error) from error

    def checked(self, counts: Any) -> CheckedForm:
        """The form of these counts, whose values are held against what they must be.

        Raises
        ------
        MetricError
            If the form raises, now or when it is called; if it does not return one float for
            each draw, or one outside :attr:`bounds`.
        """
        try:
            return CheckedForm(self, self.form(counts))
        except Exception as error:
            raise self._failure(error) from error

    @property
    def part(self) -> str:
        """The name of what it is computed from."""
        return self.needs.key if isinstance(self.needs, Counting) else self.needs

    @property
    def needs_maps(self) -> bool:
        """Whether it is computed from score maps."""
        if isinstance(self.needs, Counting):
            return self.needs.of == "score map"
        return self.needs in MAP_PARTS

    def _failure(self, error: Exception) -> Exception:
        return plugin_failure(f"the form of the metric {self.name!r}", error)


@dataclass(frozen=True, eq=False)
class CheckedForm:
    """A form whose values are held against what they must be; see :meth:`Metric.checked`.

    Attributes
    ----------
    metric : Metric
    form : callable
    """

    metric: Metric
    form: Form

    def __call__(self, draws: Draws) -> Values:
        """The values of the draws."""
        try:
            found = np.asarray(self.form(draws))
        except Exception as error:
            raise self.metric._failure(error) from error
        if found.shape != (draws.n_draws,) or found.dtype.kind != "f":
            raise MetricError(
                f"the form of the metric {self.metric.name!r} must return ({draws.n_draws},) "
                f"floats, one for each draw, got {found.dtype} {found.shape}."
            )
        self.check_bounds(found)
        return found

    def check_bounds(self, values: Values) -> None:
        """Refuse values outside of the bounds.

        Raises
        ------
        MetricError
        """
        low, high = self.metric.bounds
        outside = (values < low - _SLACK) | (values > high + _SLACK)
        if outside.any():
            raise MetricError(
                f"the metric {self.metric.name!r} must be from {low:g} to {high:g}, its form "
                f"returned {values[outside][0]:g}."
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_pair(bounds: Any) -> bool:
    return isinstance(bounds, tuple) and len(bounds) == 2 and all(map(_is_number, bounds))


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
