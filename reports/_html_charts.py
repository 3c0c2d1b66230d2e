"""The charts of a page: curves over all thresholds, and accuracy against cost."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from irbench.engine.storage.results import Row
from irbench.metrics.curve import precision_recall_curve
from irbench.metrics.definition import METRICS
from irbench.pictures.styles import MethodStyle
from irbench.protocol import Protocol
from irbench.statistics.scored_group import ScoredGroup

from ._html_axes import Axis, log_axis, share_axis
from ._html_chart import Chart, line, scatter

COSTS = ("ms_median", "params", "flops")
_SPOKEN = {"ms_median": "time", "params": "parameters", "flops": "FLOPs"}
MERITS = ("map50", "f1")
"""The first that any method has is the accuracy drawn against cost."""

_LOWEST_ROC_FA = 1e-6
_MARK = "The mark on a curve is the operating point."


def curve_charts(
    scored: ScoredGroup, protocol: Protocol, styles: Mapping[str, MethodStyle]
) -> list[Chart]:
    """Precision against recall, Pd against Fa, and the ROC curve where there are score maps.

    Returns
    -------
    list of Chart
        Without those that no method has a curve in.
    """
    charts = [
        _precision_recall(scored, protocol, styles),
        _pd_fa(scored, protocol, styles),
        _roc(scored, styles),
    ]
    return [chart for chart in charts if any(one.path for one in chart.lines)]


def _precision_recall(
    scored: ScoredGroup, protocol: Protocol, styles: Mapping[str, MethodStyle]
) -> Chart:
    x, y = share_axis("Recall in %"), share_axis("Precision in %")
    lines = []
    for method, one in scored.methods.items():
        curve = precision_recall_curve(one.output.table, one.output.column)
        lines.append(
            line(
                styles[method], x, y, (100 * curve.recall, 100 * curve.precision),
                (_percent(one.row.get("recall")), _percent(one.row.get("precision"))),
            )
        )  # fmt: skip
    note = f"Of boxes, a hit from IoU {protocol.iou_threshold:g}. {_MARK}"
    return Chart("Precision and recall", note, x, y, tuple(lines))


def _pd_fa(scored: ScoredGroup, protocol: Protocol, styles: Mapping[str, MethodStyle]) -> Chart:
    curves = {
        method: one.point_curve(scored.truths, protocol.distance_px)
        for method, one in scored.methods.items()
    }
    values = [float(fa) for curve in curves.values() for fa in curve.fa]
    x, y = log_axis("Fa, false pixels of all pixels", values), share_axis("Pd in %")
    lines = [
        line(
            styles[method], x, y, (curve.fa, 100 * curve.pd),
            (scored.methods[method].row.get("fa"), _percent(scored.methods[method].row.get("pd"))),
        )
        for method, curve in curves.items()
    ]  # fmt: skip
    note = (
        f"Over all score thresholds; a hit at a centroid distance under {protocol.distance_px:g} "
        f"px. {_MARK} Of a method that returns boxes, whole boxes count."
    )
    return Chart("Pd against Fa", note, x, y, tuple(lines))


def _roc(scored: ScoredGroup, styles: Mapping[str, MethodStyle]) -> Chart:
    x = Axis("Background pixels at or above the threshold", _LOWEST_ROC_FA, 1.0, logarithmic=True)
    y = share_axis("Target pixels, in %")
    lines = []
    for method, one in scored.methods.items():
        roc = one.output.roc
        if roc is not None:
            # What lies left of the axis would be a line along it.
            shown = roc.fa >= _LOWEST_ROC_FA
            values = (roc.fa[shown], 100 * roc.pd[shown])
            lines.append(line(styles[method], x, y, values))
    note = "Of single pixels of the score maps; methods that return boxes have none."
    return Chart("ROC of pixels", note, x, y, tuple(lines))


def cost_charts(rows: Mapping[str, Row], styles: Mapping[str, MethodStyle]) -> list[Chart]:
    """Accuracy against time, parameters and FLOPs, of the methods that have them.

    Parameters
    ----------
    rows : mapping of str to dict
        By method.
    styles : mapping of str to MethodStyle

    Returns
    -------
    list of Chart
        Without those of costs that no method has.
    """
    charts = []
    for cost in COSTS:
        for merit in MERITS:
            chart = _cost_chart(rows, styles, cost, merit)
            if chart is not None:
                charts.append(chart)
                break
    return charts


def _cost_chart(
    rows: Mapping[str, Row], styles: Mapping[str, MethodStyle], cost: str, merit: str
) -> Chart | None:
    abscissa, ordinate = METRICS[cost], METRICS[merit]
    values, tooltips = {}, {}
    for method, row in rows.items():
        if isinstance(row.get(cost), int | float) and isinstance(row.get(merit), int | float):
            style = styles[method]
            values[style] = (row[cost] * abscissa.scale, row[merit] * ordinate.scale)
            tooltips[style] = (
                f"{style.title}: {ordinate.format(row[merit])} {ordinate.unit} at "
                f"{abscissa.format(row[cost])} {abscissa.unit}"
            )
    if not values:
        return None
    # A cost of nothing has no place on a logarithmic axis: it stands at its left end.
    x = log_axis(f"{abscissa.title} in {abscissa.unit}", [one for one, _ in values.values()])
    y = share_axis(
        f"{ordinate.title} in {ordinate.unit}", max(one for _, one in values.values()) / 100
    )
    points, front = scatter(x, y, values, tooltips)
    left_out = len(rows) - len(values)
    note = "Dashed: the Pareto front, than which no method is both better and cheaper."
    if left_out:
        note += f" {left_out} without these values left out."
    return Chart(
        f"{ordinate.title} against {_SPOKEN[cost]}", note, x, y, points=points, front=front
    )


def _percent(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else 100 * value
