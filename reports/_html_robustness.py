"""Quality against the level of a degradation, of the runs that ``irbench robustness`` stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irbench.degradation.curves import SHOWN, Point, stored_points
from irbench.degradation.models import MODELS
from irbench.engine.storage.results import RunResults
from irbench.metrics.definition import METRICS
from irbench.pictures.styles import MethodStyle

from ._html_axes import Axis, log_axis, named_axis, share_axis
from ._html_chart import Chart, line

CLEAN = "clean"


@dataclass(frozen=True)
class RobustnessPart:
    """One degradation.

    Attributes
    ----------
    title : str
        Its name and what it is.
    charts : list of Chart
        One of each metric that any method has.
    levels : list of str
        As on the axis of the charts, the clean images first.
    shown : str
        What the numbers of a cell are.
    rows : list of (str, list of str)
        Of each method its cells.
    """

    title: str
    charts: list[Chart]
    levels: list[str]
    shown: str
    rows: list[tuple[str, list[str]]]


def robustness(
    runs: Sequence[RunResults], styles: Mapping[str, MethodStyle]
) -> tuple[list[RobustnessPart], list[str]]:
    """What is stored beside some runs.

    Parameters
    ----------
    runs : sequence of RunResults
        On the same data; of a method in several the first counts.
    styles : mapping of str to MethodStyle

    Returns
    -------
    parts : list of RobustnessPart
        In the order of :data:`irbench.degradation.models.MODELS`.
    problems : list of str
    """
    values: dict[tuple[str, str], dict[float, Point]] = {}
    clean: dict[str, Point] = {}
    problems = []
    for run in runs:
        points, lost = stored_points(run)
        problems += [f"robustness: {one}" for one in lost]
        new = {one.method for one in points} & styles.keys() - clean.keys()
        for one in points:
            if one.method in new and not one.degradation:
                clean[one.method] = one
            elif one.method in new:
                values.setdefault((one.degradation, one.method), {})[one.level] = one
    parts = []
    for name in MODELS:
        of_methods = {method: values[name, method] for method in clean if (name, method) in values}
        if of_methods:
            parts.append(_part(name, of_methods, clean, styles))
    return parts, problems


def _part(
    name: str,
    of_methods: Mapping[str, Mapping[float, Point]],
    clean: Mapping[str, Point],
    styles: Mapping[str, MethodStyle],
) -> RobustnessPart:
    model = MODELS[name]
    rising = model.levels[0] < model.levels[-1]
    levels = sorted({level for one in of_methods.values() for level in one}, reverse=not rising)
    names = [CLEAN, *(f"{level:g}" for level in levels)]
    # None where a method was not run at a level.
    drawn = {
        method: [clean[method], *(one.get(level) for level in levels)]
        for method, one in of_methods.items()
    }
    charts = [
        chart
        for position, metric in enumerate(SHOWN)
        if (chart := _chart(f"{name}, {model.unit}", names, position, metric, drawn, styles)).lines
    ]
    rows = [(method, [_cell(point) for point in points]) for method, points in drawn.items()]
    shown = " / ".join(METRICS[metric].title for metric in SHOWN)
    return RobustnessPart(f"{name}: {model.description}", charts, names, shown, rows)


def _chart(
    label: str,
    names: Sequence[str],
    position: int,
    metric: str,
    drawn: Mapping[str, Sequence[Point | None]],
    styles: Mapping[str, MethodStyle],
) -> Chart:
    scale = METRICS[metric].scale
    heights = {
        method: [
            (x, scale * value)
            for x, point in enumerate(points)
            if point is not None and (value := point.values[position]) is not None
        ]
        for method, points in drawn.items()
    }
    title = f"{METRICS[metric].title} {METRICS[metric].unit}".strip()
    note = ""
    if METRICS[metric].unit == "%":
        y: Axis = share_axis(title)
    else:
        y = log_axis(title, [value for one in heights.values() for _, value in one])
        note = "None at all lies at the lower end."
    x = named_axis(label, names)
    lines = tuple(
        line(styles[method], x, y, ([a for a, _ in one], [b for _, b in one]), one[-1])
        for method, one in heights.items()
        if one
    )
    return Chart(METRICS[metric].title, note, x, y, lines)


def _cell(point: Point | None) -> str:
    if point is None:
        return ""
    return " / ".join(
        METRICS[metric].format(value) for metric, value in zip(SHOWN, point.values, strict=True)
    )
