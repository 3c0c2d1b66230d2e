"""The published parameters and FLOPs against those of the networks here.

Imports no torch: networks are found through the registry, and count themselves.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from irbench.errors import MissingLibraryError
from irbench.messages.progress import Progress
from irbench.metrics.definition import METRICS
from irbench.published.tables import PublishedRow, published_tables

if TYPE_CHECKING:
    from irbench.networks.cost import Cost

INPUT_SIZE = 640
"""Side in pixels of the square input that the paper's FLOPs are compared at."""

Count = Literal["parameters", "flops", "flops_printed"]
"""A field of :class:`irbench.networks.cost.Cost`; FLOPs come by two conventions."""

Agreement = Literal["rounded", "truncated", "no"]


@dataclass(frozen=True)
class CountedRow:
    """A published row and a network that is counted for it.

    Attributes
    ----------
    table : int
    row : PublishedRow
    method : str
        The network.
    cost : Cost
    """

    table: int
    row: PublishedRow
    method: str
    cost: Cost

    def counted(self, count: Count) -> float | None:
        """What is counted here, in SI units; None where the network does not say."""
        value: float | None = getattr(self.cost, count)
        return value

    def published(self, count: Count) -> float | None:
        """What is printed, in SI units."""
        return self.row.value(_metric(count))

    def difference(self, count: Count) -> float | None:
        """Counted minus published, in percent of the published."""
        counted, published = self.counted(count), self.published(count)
        if counted is None or not published:
            return None
        return 100 * (counted - published) / published

    def agreement(self, count: Count) -> Agreement | None:
        """How the printed digits come from what is counted: rounded, cut off, or not at all."""
        counted, published = self.counted(count), self.published(count)
        if counted is None or published is None:
            return None
        metric = METRICS[_metric(count)]
        digits = 10**metric.decimals
        scaled, printed = counted * metric.scale * digits, round(published * metric.scale * digits)
        if round(scaled) == printed:
            return "rounded"
        return "truncated" if math.floor(scaled) == printed else "no"


@dataclass(frozen=True)
class NetworkCounts:
    """What could be counted, and why the rest was not.

    Attributes
    ----------
    input_size : int
        Side in pixels of the square input.
    rows : tuple of CountedRow
        In the order of the tables; several of one published row where several networks
        belong to it.
    absent : tuple of str
        Published rows with a cost to which no method here belongs.
    reason : str
        Why nothing was counted; empty if something was.
    """

    input_size: int
    rows: tuple[CountedRow, ...]
    absent: tuple[str, ...]
    reason: str = ""


def count_published(
    tables: Iterable[int] = range(1, 7),
    input_size: int = INPUT_SIZE,
    progress: Progress | None = None,
) -> NetworkCounts:
    """Count the networks of published rows.

    Parameters
    ----------
    tables : iterable of int
        Numbers of the tables.
    input_size : int
        Side in pixels of the square input that FLOPs are for.
    progress : Progress, optional

    Returns
    -------
    NetworkCounts
        Without rows, and with the reason, where a library that networks need is missing.

    Raises
    ------
    ParameterError
        For an input size that a network does not take.
    """
    from irbench.plugins.registry import catalogue

    known = catalogue("methods").classes
    wanted: list[tuple[int, PublishedRow, tuple[str, ...]]] = []
    for number in tables:
        for row in published_tables()[number].rows.values():
            if row.value("params") is not None:
                here = tuple(name for name in row.methods if hasattr(known.get(name), "cost"))
                wanted.append((number, row, here))
    absent = tuple(dict.fromkeys(row.name for _, row, here in wanted if not here))
    names = dict.fromkeys(name for _, _, here in wanted for name in here)
    try:
        costs = measure_costs(names, input_size, progress or Progress())
    except MissingLibraryError as error:
        return NetworkCounts(input_size, (), absent, str(error))
    rows = tuple(
        CountedRow(number, row, name, costs[name]) for number, row, here in wanted for name in here
    )
    return NetworkCounts(input_size, rows, absent)


def measure_costs(
    names: Collection[str], input_size: int, progress: Progress
) -> Mapping[str, Cost]:
    """The cost of each of some networks, untrained.

    Parameters
    ----------
    names : collection of str
        Of methods that have a cost.
    input_size : int
        Side in pixels of the square input.
    progress : Progress

    Raises
    ------
    MissingLibraryError
        If they need a library that is not installed.
    ParameterError
        For an input size that one of them does not take.
    """
    from irbench.parameters import parameter_specs
    from irbench.plugins.registry import load_method, method_class

    costs: dict[str, Cost] = {}
    with progress.track("Counting", len(names)) as advance:
        for name in names:
            # Networks of segmentation take an image as it is.
            sized = "image_size" in parameter_specs(method_class(name))
            detector: Any = load_method(name, **({"image_size": input_size} if sized else {}))
            costs[name] = detector.cost(input_size)
            advance()
    return costs


def _metric(count: Count) -> Literal["params", "flops"]:
    return "params" if count == "parameters" else "flops"
