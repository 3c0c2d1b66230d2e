"""The metrics that others add: by a package's entry point, or by a file after ``--plugin``.

The built-in ones are not among them: their order is that of a results table, which no scan of
modules can give.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from irbench.errors import UsageError
from irbench.metrics.built_in import BUILT_IN
from irbench.metrics.image_counting import Counting
from irbench.metrics.metric import Metric, MetricDefinition
from irbench.plugins.files import RAISED, Failure, modules_of, reason_of

GROUP = "irbench.metrics"
"""The group of entry points."""

RESERVED = frozenset(
    {
        *("method", "title", "group", "year", "kind", "state", "reason", "note", "method_params"),
        *("weights", "weights_sha256", "input_size", "device", "gpu", "uncounted"),
        *("dataset", "dataset_title", "split", "scheme", "limit", "protocol", "run", "row"),
        *("operating_point", "extent", "calibration", "conversion", "undefined", "failed_metrics"),
        *("n_images", "n_targets", "n_failed", "auc_resolution", "gain_counts", "peak_memory"),
        *("ms_lower", "ms_upper", "ms_stages", "ms_pre", "ms_compute", "ms_post", "time"),
        *("waited_share", "n_validation", "n_failed_validation"),
        *("paper", "wide", "all"),
    }
)
"""Names that a metric cannot have: of fields of results, of sets of columns, of times."""

_RESERVED_ENDINGS = ("_lower", "_upper")
"""Of the columns of intervals."""


@dataclass
class PluginMetrics:
    """The metrics of plug-ins.

    Attributes
    ----------
    metrics : dict of str to Metric
        By name, in the order in which they came.
    sources : dict of str to str
        The file or module that each is from.
    failures : list of Failure
        Entry points that could not be used.
    """

    metrics: dict[str, Metric] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def add(self, metric: object, source: str) -> str:
        """Enter what a plug-in offers as a metric.

        Parameters
        ----------
        metric : object
            The same one again is no clash.
        source : str
            The file or module that it is from.

        Returns
        -------
        str
            Its name.

        Raises
        ------
        UsageError
            If it is no metric, or its name is taken.
        """
        if inspect.isclass(metric):
            raise UsageError(f"{metric.__name__} is a class; a plug-in brings an object of Metric")
        if not isinstance(metric, Metric):
            name = metric.name if isinstance(metric, MetricDefinition) else repr(metric)
            raise UsageError(
                f"{name} must be an object of irbench.metrics.metric.Metric, which has a form, "
                f"got {type(metric).__name__}"
            )
        known = self.metrics.get(metric.name, BUILT_IN.get(metric.name))
        if known is None:
            if metric.name in RESERVED or metric.name.endswith(_RESERVED_ENDINGS):
                raise UsageError(
                    f"the name {metric.name!r} is that of another field of results; name the "
                    "metric otherwise"
                )
            self._check_counting(metric)
            self.metrics[metric.name] = metric
            self.sources[metric.name] = source
        elif known is not metric:
            owner = self.sources.get(metric.name, "irbench itself")
            raise UsageError(f"the name {metric.name!r} is taken by a metric of {owner}")
        return metric.name

    def _check_counting(self, metric: Metric) -> None:
        """Refuse a counting of another's name: files know it by that."""
        if not isinstance(metric.needs, Counting):
            return
        for known in self.metrics.values():
            if known.part == metric.part and known.needs != metric.needs:
                raise UsageError(
                    f"the counting {metric.needs.name!r} of the metric {metric.name!r} is another "
                    f"one than that of {known.name!r} ({self.sources[known.name]}); rename it"
                )

    def add_of_module(self, module: ModuleType, source: str) -> list[str]:
        """Enter all metrics of a module that irbench does not bring itself, by :meth:`add`."""
        return [self.add(metric, source) for metric in _offered(module)]


@cache
def plugin_metrics() -> PluginMetrics:
    """The metrics of entry points, and of the plug-in files that were loaded so far."""
    found = PluginMetrics()
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        _add_entry_point(found, point)
    return found


def _add_entry_point(found: PluginMetrics, point: EntryPoint) -> None:
    try:
        target = point.load()
        if not inspect.ismodule(target):
            found.add(target, point.value)
            return
        for module in modules_of(target, found.failures):
            found.add_of_module(module, module.__name__)
    except UsageError as error:
        found.failures.append(Failure(point.value, str(error)))
    except RAISED as error:
        found.failures.append(Failure(point.value, reason_of(error)))


def _offered(module: ModuleType) -> list[object]:
    """The metrics of a module's own, each once; of a module without, what was meant to be one."""
    public = [member for name, member in vars(module).items() if not name.startswith("_")]
    metrics: dict[int, object] = {
        id(member): member
        for member in public
        if isinstance(member, MetricDefinition) and BUILT_IN.get(member.name) is not member
    }
    classes: list[object] = [
        member
        for member in public
        if inspect.isclass(member)
        and issubclass(member, Metric)
        and member.__module__ == module.__name__
    ]
    return list(metrics.values()) or classes
