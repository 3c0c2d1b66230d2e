"""The definitions of all metrics, built in and of plug-ins.

Tables, bold face and the regression gate read direction, bounds and format from
:data:`METRICS`; none of them names a metric itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from irbench.errors import UnknownNameError
from irbench.metrics.built_in import BUILT_IN
from irbench.metrics.image_counting import Counting
from irbench.metrics.metric import Metric, MetricDefinition
from irbench.metrics.plugins import plugin_metrics

__all__ = [
    "METRICS",
    "MetricDefinition",
    "get_metric",
    "own_countings",
    "quality_metrics",
    "unknown_metric",
]


class _AllMetrics(Mapping[str, MetricDefinition]):
    """The built-in metrics, then those of plug-ins: of entry points, and of files loaded so far."""

    def __getitem__(self, name: str) -> MetricDefinition:
        # Most names are built in; for them nobody's package need be imported.
        return BUILT_IN[name] if name in BUILT_IN else plugin_metrics().metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*BUILT_IN, *plugin_metrics().metrics))

    def __len__(self) -> int:
        return len(BUILT_IN) + len(plugin_metrics().metrics)


METRICS: Mapping[str, MetricDefinition] = _AllMetrics()
"""Every metric by name, in the order of a results table.

It grows when a plug-in is loaded: what is made of it is made where it is used, not at import.
"""


def quality_metrics() -> dict[str, Metric]:
    """The metrics that are computed from detections and score maps, by name; all have intervals."""
    return {name: metric for name, metric in METRICS.items() if isinstance(metric, Metric)}


def own_countings() -> list[Counting]:
    """What the metrics of plug-ins count themselves, each once."""
    needs = [metric.needs for metric in quality_metrics().values()]
    return list({one.key: one for one in needs if isinstance(one, Counting)}.values())


def get_metric(name: str) -> MetricDefinition:
    """The definition of the metric called ``name``.

    Raises
    ------
    UnknownNameError
    """
    if name not in METRICS:
        raise unknown_metric("metric", name, METRICS)
    return METRICS[name]


def unknown_metric(what: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """The error of a metric that is not known, with what became of plug-ins.

    Parameters
    ----------
    what : str
        What was looked for, such as ``"column"``.
    name : str
    known : iterable of str
        The names that would have done.
    """
    failures = "; ".join(f"{one.source}: {one.reason}" for one in plugin_metrics().failures)
    hint = f"Not loaded: {failures}." if failures else "One of your own needs --plugin FILE."
    return UnknownNameError(what, name, known, hint)
