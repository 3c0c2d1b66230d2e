"""How far a metric may fall before it counts as regressed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from irbench.errors import UsageError
from irbench.gate.recording import gated_metrics
from irbench.metrics.definition import METRICS, unknown_metric

FRACTION = 1e-6
"""Default for values in [0, 1], absolute."""

RELATIVE = 1e-6
"""Default for unbounded values, such as Fa, relative to the baseline's."""

FRACTION_MAPS, RELATIVE_MAPS = 1e-4, 1e-3
"""The same for values of score maps, which are no counts but sums over rounded pixels."""

TIME = 0.5
"""Default for time, relative: half as long again."""

TIMING = "time"
"""The name under which time has a tolerance."""


@dataclass(frozen=True)
class Tolerances:
    """How far each metric may fall.

    The defaults stand for rounding alone. Nearly every metric is made of whole counts, so
    what is larger is an image that was decided differently: one target of a million
    would hide below 1e-6.

    Parameters
    ----------
    given : mapping of str to float
        By metric, ``method.metric``, ``"time"`` or ``method.time``: absolute, in the
        unit of ``results.json``; relative for time.
    """

    given: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Tolerances:
        """Read ``[METHOD.]METRIC=VALUE``.

        Raises
        ------
        UsageError, UnknownNameError

        Examples
        --------
        >>> Tolerances.parse(["f1=0.002", "ipi.f1=0.01"]).allowed("ipi", "f1", before=0.5)
        0.01
        """
        given = {}
        for text in texts:
            name, equals, value = text.partition("=")
            metric = name.rpartition(".")[2].strip()
            if not equals:
                raise UsageError(f"--tolerance must be [METHOD.]METRIC=VALUE, got {text!r}.")
            if metric not in (*gated_metrics(), TIMING):
                raise unknown_metric("metric", metric, (*gated_metrics(), TIMING))
            try:
                number = float(value)
            except ValueError:
                number = math.nan
            if not (math.isfinite(number) and number >= 0):
                raise UsageError(
                    f"--tolerance {name}=… must be a number of at least 0, such as 0.002, "
                    f"got {value!r}."
                )
            given[name.strip()] = number
        return cls(given)

    @property
    def methods(self) -> set[str]:
        """The methods that a tolerance is given for."""
        return {name.rpartition(".")[0] for name in self.given} - {""}

    def allowed(self, method: str, metric: str, before: float | None = None) -> float:
        """How far the metric of a method may fall.

        Parameters
        ----------
        method : str
        metric : str
            Or ``"time"``.
        before : float or None
            The baseline's value.
        """
        for name in (f"{method}.{metric}", metric):
            if name in self.given:
                return self.given[name]
        if metric == TIMING:
            return TIME
        definition = METRICS.get(metric)
        is_of_maps = definition is not None and definition.kind == "maps"
        if definition is not None and math.isfinite(definition.bounds[1]):
            return FRACTION_MAPS if is_of_maps else FRACTION
        return (RELATIVE_MAPS if is_of_maps else RELATIVE) * abs(before or 0.0)
