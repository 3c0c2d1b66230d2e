"""Curves over all thresholds: precision and recall, Pd and Fa, the ROC of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from irbench.engine.storage.results import RunResults
from irbench.errors import NoFigureError
from irbench.figures.compared_methods import ComparedMethods
from irbench.metrics.curve import precision_recall_curve
from irbench.pictures.canvas import (
    ONE_COLUMN_IN,
    TEXT_PT,
    add_legend,
    new_figure,
    plain,
    set_small_type,
)
from irbench.protocol import Protocol

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOWEST_FA = 1e-7
_OPERATING = "mark: operating point"


def precision_recall_figure(
    source: RunResults | ComparedMethods, *, methods: Sequence[str] | None = None
) -> Figure:
    """Precision against recall of boxes; the mark is the operating point.

    Parameters
    ----------
    source : RunResults or ComparedMethods
    methods : sequence of str, optional
        By default all with detections.

    Raises
    ------
    NoFigureError
        Without targets, or without any method with detections.
    UnknownNameError
        For an unknown method.
    """
    comparison = ComparedMethods.of(source)
    protocol = Protocol(**comparison.runs[0].protocol)
    figure, axis = _axes(comparison)
    drawn = []
    for method, one in comparison.chosen(methods).items():
        curve = precision_recall_curve(one.output.table, one.output.column)
        if not len(curve) or curve.n_targets == 0:
            continue
        style = comparison.styles[method]
        axis.plot(100 * curve.recall, 100 * curve.precision, linewidth=1.2, **style.line)
        _mark(axis, style.mark, one.row.get("recall"), one.row.get("precision"), 100, 100)
        drawn.append(style)
    if not drawn:
        raise NoFigureError("no method has a curve: there are no targets, or no detections")
    axis.set(xlabel="Recall, %", ylabel="Precision, %", xlim=(0, 101), ylim=(0, 101))
    axis.set_title(_title(comparison, f"IoU ≥ {protocol.iou_threshold:g}"), fontsize=TEXT_PT)
    add_legend(figure, drawn, "line", _OPERATING)
    return figure


def pd_fa_figure(
    source: RunResults | ComparedMethods, *, methods: Sequence[str] | None = None
) -> Figure:
    """Pd against Fa over all score thresholds; see :func:`precision_recall_figure`."""
    comparison = ComparedMethods.of(source)
    protocol = Protocol(**comparison.runs[0].protocol)
    figure, axis = _axes(comparison)
    drawn = []
    for method, one in comparison.chosen(methods).items():
        curve = one.point_curve(comparison.scored.truths, protocol.distance_px)
        if not len(curve.pd) or np.isnan(curve.pd).all() or not (curve.fa > 0).any():
            continue
        style = comparison.styles[method]
        # A logarithmic axis has no place for no false alarm: it stands at the left end.
        fa = np.maximum(curve.fa, _LOWEST_FA)
        axis.plot(fa, 100 * curve.pd, linewidth=1.2, **style.line)
        _mark(axis, style.mark, one.row.get("fa"), one.row.get("pd"), 1, 100)
        drawn.append(style)
    if not drawn:
        raise NoFigureError("no method has a curve: there are no targets, or no false alarms")
    axis.set(xscale="log", xlabel="Fa, false pixels of all pixels", ylabel="Pd, %", ylim=(0, 101))
    title = _title(comparison, f"centroids nearer than {protocol.distance_px:g} px")
    axis.set_title(title, fontsize=TEXT_PT)
    add_legend(figure, drawn, "line", _OPERATING)
    return figure


def pixel_roc_figure(
    source: RunResults | ComparedMethods, *, methods: Sequence[str] | None = None
) -> Figure:
    """ROC of single pixels of the score maps; see :func:`precision_recall_figure`.

    Methods that return boxes have none. The maps' histograms lie in the run.
    """
    comparison = ComparedMethods.of(source)
    figure, axis = _axes(comparison)
    drawn = []
    for method, one in comparison.chosen(methods).items():
        roc = one.output.roc
        if roc is not None:
            style = comparison.styles[method]
            fa = np.maximum(roc.fa, _LOWEST_FA)
            axis.plot(fa, 100 * roc.pd, linewidth=1.2, **style.line)
            drawn.append(style)
    if not drawn:
        raise NoFigureError(
            "no method has a curve: none has score maps, or there are no target pixels"
        )
    axis.set(xscale="log", xlim=(_LOWEST_FA, 1), ylim=(0, 101))
    axis.set(xlabel="Background pixels kept, fraction", ylabel="Target pixels kept, %")
    axis.set_title(_title(comparison, "pixels of score maps"), fontsize=TEXT_PT)
    add_legend(figure, drawn, "line")
    return figure


def _axes(comparison: ComparedMethods) -> tuple[Figure, Axes]:
    # Room for the legend below, however many methods there are.
    figure = new_figure(ONE_COLUMN_IN, 2.6 + 0.045 * len(comparison.rows))
    axis = figure.subplots()
    set_small_type(axis)
    return figure, axis


def _title(comparison: ComparedMethods, what: str) -> str:
    return plain(f"{comparison.title} ({what})")


def _mark(
    axis: Axes, look: dict[str, object], x: object, y: object, x_scale: float, y_scale: float
) -> None:
    if isinstance(x, int | float) and isinstance(y, int | float) and np.isfinite([x, y]).all():
        at = [max(x * x_scale, _LOWEST_FA)], [y * y_scale]
        axis.plot(*at, markersize=5, zorder=4, **look)  # type: ignore[arg-type]
