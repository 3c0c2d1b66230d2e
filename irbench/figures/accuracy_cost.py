"""Accuracy against what it costs, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from irbench.engine.storage.results import RunResults
from irbench.errors import NoFigureError, UnknownNameError
from irbench.figures.compared_methods import ComparedMethods
from irbench.figures.pareto import pareto_front
from irbench.metrics.definition import METRICS
from irbench.pictures.canvas import (
    GREY,
    ONE_COLUMN_IN,
    SMALL_PT,
    TEXT_PT,
    add_legend,
    new_figure,
    plain,
    set_log_ticks,
    set_small_type,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COSTS = ("ms_median", "params", "flops")


def pareto_figure(
    source: RunResults | ComparedMethods,
    *,
    cost: str = "ms_median",
    merit: str = "map50",
    methods: Sequence[str] | None = None,
) -> Figure:
    """Accuracy against cost; no method is both better and cheaper than the dashed front.

    Parameters
    ----------
    source : RunResults or ComparedMethods
    cost : {"ms_median", "params", "flops"}
    merit : str
        Name of a metric of which more is better.
    methods : sequence of str, optional
        By default all that have both values.

    Raises
    ------
    NoFigureError
        If no method has both values.
    UnknownNameError
        For an unknown cost, metric or method.
    """
    comparison = ComparedMethods.of(source)
    if cost not in COSTS:
        raise UnknownNameError("cost", cost, COSTS)
    better = [name for name, metric in METRICS.items() if metric.higher_is_better]
    if merit not in better:
        raise UnknownNameError("metric of which more is better", merit, better)
    rows = {row["method"]: row for row in comparison.rows}
    for name in methods or ():
        comparison.method(name)
    values = {
        method: (float(row[cost]), float(row[merit]))
        for method, row in rows.items()
        if (methods is None or method in methods)
        and isinstance(row.get(cost), int | float)
        and isinstance(row.get(merit), int | float)
        and row[cost] > 0
    }
    x, y = METRICS[cost], METRICS[merit]
    if not values:
        raise NoFigureError(f"no method has both {x.title} and {y.title}")
    front = pareto_front(list(values.values()))
    figure = new_figure(ONE_COLUMN_IN, 2.6 + 0.045 * len(values))
    axis = figure.subplots()
    set_small_type(axis)
    for method, (at, reached) in values.items():
        look: dict[str, Any] = comparison.styles[method].mark
        axis.plot([at * x.scale], [reached * y.scale], markersize=6, zorder=3, **look)
    best = sorted(value for value, is_best in zip(values.values(), front, strict=True) if is_best)
    costs = [one[0] * x.scale for one in values.values()]
    high = max(costs) * 1.6
    axis.set_xlim(min(costs) / 1.6, high)
    set_log_ticks(axis)
    xs = [best[0][0] * x.scale, *(one[0] * x.scale for one in best), high]
    ys = [0.0, *(one[1] * y.scale for one in best), best[-1][1] * y.scale]
    axis.step(xs, ys, where="post", color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    highest = max(one[1] for one in values.values()) * y.scale
    axis.set_ylim(0, min(max(highest * 1.12, 5.0), 102))
    axis.set(xlabel=f"{x.title}, {x.unit}", ylabel=f"{y.title}, {y.unit}")
    axis.set_title(plain(f"{comparison.title} (dashed: Pareto front)"), fontsize=TEXT_PT)
    left_out = len(rows) - len(values) if methods is None else 0
    if left_out:
        axis.annotate(
            f"{left_out} without these values", (1, 0), (-2, 3), xycoords="axes fraction",
            textcoords="offset points", ha="right", fontsize=SMALL_PT - 1, color="#666666",
        )  # fmt: skip
    add_legend(figure, [comparison.styles[method] for method in values], "mark")
    return figure
