"""The figures of an analysis. Each function makes one, and draws from the records alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from irbench.analysis.study import EXACT, Analysis
from irbench.analysis.taxonomy import TARGET_KINDS
from irbench.pictures.styles import LIGHT, method_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREY = "#999999"

BREAKDOWNS = {
    "scr": "local signal-to-clutter ratio",
    "area": "target area, px",
    "targets": "targets in the image",
}


class Styles:
    """The look of each method, the same in every figure.

    Parameters
    ----------
    titles : mapping of str to str
        Title of every method of the run, also of those that are not analysed: so a method
        keeps its colour whichever others are drawn.
    """

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._styles = method_styles(
            {"method": name, "title": title, "group": ""} for name, title in titles.items()
        )

    def title(self, method: str) -> str:
        """The method's title."""
        style = self._styles.get(method)
        return "Exact boxes" if style is None else style.title

    def colour(self, method: str) -> str:
        """The method's colour; those that share one have different lines."""
        style = self._styles.get(method)
        return GREY if style is None else LIGHT[style.colour]

    def line(self, method: str) -> dict[str, Any]:
        """Arguments of :meth:`matplotlib.axes.Axes.plot`."""
        style = self._styles.get(method)
        look = {"color": GREY} if style is None else style.line
        return {**look, "linewidth": 1.4, "label": self.title(method)}

    def bar(self, method: str) -> dict[str, Any]:
        """Arguments of :meth:`matplotlib.axes.Axes.bar`."""
        style = self._styles.get(method)
        look = {"color": GREY} if style is None else style.bar
        return {**look, "label": self.title(method)}


def plot_ap_by_iou(analysis: Analysis, styles: Styles) -> Figure:
    """AP against the IoU from which a box is a hit."""
    figure, axis = _figure()
    for method in _methods(analysis, "ap_by_iou"):
        _plot(axis, analysis.of("ap_by_iou", method=method), "iou", "ap", styles.line(method))
    axis.set(xlabel="IoU threshold", ylabel="AP, %", ylim=(0, 100), title="AP against IoU")
    axis.axvline(0.5, color=GREY, linewidth=0.8)
    _legend(figure, axis)
    return figure


def plot_pd_by_distance(analysis: Analysis, styles: Styles) -> Figure:
    """Pd against the centroid distance under which a detection is a hit."""
    figure, axis = _figure()
    for method in _methods(analysis, "pd_by_distance"):
        records = analysis.of("pd_by_distance", method=method)
        _plot(axis, records, "distance_px", "pd", styles.line(method))
    axis.set(
        xlabel="centroid distance, px", ylabel="Pd, %", ylim=(0, 100), title="Pd against distance"
    )
    axis.axvline(3, color=GREY, linewidth=0.8)
    _legend(figure, axis)
    return figure


def plot_threshold_curves(analysis: Analysis, styles: Styles) -> Figure:
    """Precision, recall and F1 against the score threshold, one panel a method.

    The vertical line is the operating point.
    """
    methods = _methods(analysis, "threshold_curve")
    figure, axes = _panels(len(methods))
    for axis, method in zip(axes, methods, strict=True):
        records = analysis.of("threshold_curve", method=method)
        looks = (("f1", "-", "F1"), ("precision", "--", "P"), ("recall", ":", "R"))
        for score, line, label in looks:
            style = {"color": styles.colour(method), "linestyle": line, "label": label}
            _plot(axis, records, "threshold", score, style)
        (operating,) = analysis.of("operating", method=method)
        if operating["threshold"] is not None and np.isfinite(operating["threshold"]):
            axis.axvline(operating["threshold"], color=GREY, linewidth=1)
        positive = min(record["threshold"] for record in records) > 0
        axis.set(xscale="log" if positive else "linear", ylim=(0, 100))
        axis.set_title(styles.title(method), fontsize=9, loc="left")
    if methods:
        axes[0].legend(fontsize=8, frameon=False)
        figure.supxlabel("score threshold (grey: operating point)", fontsize=9)
        figure.supylabel("%", fontsize=9)
    return figure


def plot_breakdown(analysis: Analysis, styles: Styles, by: str) -> Figure:
    """Recall, Pd and AP of each level of a breakdown, as bars.

    Parameters
    ----------
    analysis : Analysis
    styles : Styles
    by : {"scr", "area", "targets"}
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots(3, 1, sharex=True)
    methods = _methods(analysis, "breakdown")
    levels: list[dict[str, Any]] = []
    for position, method in enumerate(methods):
        records = [
            one for one in analysis.of("breakdown", method=method, by=by) if one["n_targets"]
        ]
        levels = levels or records
        width = 0.85 / len(methods)
        x = np.arange(len(records)) + (position - (len(methods) - 1) / 2) * width
        for axis, score in zip(axes, ("recall", "pd", "map50"), strict=True):
            heights = [100 * (record[score] or 0.0) for record in records]
            axis.bar(x, heights, width, **styles.bar(method))
    for axis, label in zip(axes, ("recall, %", "Pd, %", "AP, %"), strict=True):
        axis.set(ylabel=label, ylim=(0, 100))
    names = [f"{record['level']}\nn = {record['n_targets']}" for record in levels]
    axes[-1].set_xticks(range(len(names)), names)
    axes[-1].set_xlabel(f"{BREAKDOWNS[by]} (n targets)")
    _legend(figure, axes[0])
    return figure


def plot_errors(analysis: Analysis, styles: Styles) -> Figure:
    """What became of the targets of each method, as stacked bars."""
    figure, axis = _figure()
    methods = _methods(analysis, "errors")
    # The kinds have colours of their own here: a method is a bar.
    colours = dict(zip(TARGET_KINDS, (*LIGHT[:4], "#DDDDDD"), strict=True))
    left = np.zeros(len(methods))
    for kind in TARGET_KINDS:
        shares = [
            100 * (analysis.of("errors", method=method, of="targets", kind=kind)[0]["share"] or 0)
            for method in methods
        ]
        axis.barh(range(len(methods)), shares, left=left, color=colours[kind], label=kind)
        left += shares
    axis.set_yticks(range(len(methods)), [styles.title(method) for method in methods])
    axis.invert_yaxis()
    axis.set(xlabel="targets, %", xlim=(0, 100), title="What became of the targets")
    _legend(figure, axis)
    return figure


def plot_sensitivity(analysis: Analysis, styles: Styles) -> Figure:
    """Scores against the amplitude of the jitter of the ground truth: mean and deviation."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True, sharey=True)
    methods = _methods(analysis, "sensitivity")
    methods = [method for method in methods if method != EXACT] + [EXACT] * (EXACT in methods)
    for row, jitter in enumerate(("shift", "sides")):
        for axis, (score, label) in zip(
            axes[row], (("map50", "AP@50"), ("f1", "F1"), ("pd", "Pd")), strict=True
        ):
            for method in methods:
                wanted = {"jitter": jitter, "score": score, "area": "all", "method": method}
                records = analysis.of("sensitivity", **wanted)
                x = [record["amplitude_px"] for record in records]
                y = [100 * record["mean"] for record in records]
                deviation = [100 * record["std"] for record in records]
                axis.errorbar(x, y, deviation, capsize=2, **styles.line(method))
            moved = "whole boxes" if jitter == "shift" else "each side"
            axis.set_title(f"{label}, % ({moved})", fontsize=9, loc="left")
            axis.set_ylim(0, 102)
    figure.supxlabel("jitter of the ground truth, ± px", fontsize=9)
    _legend(figure, axes[0, 0])
    return figure


def draw_figures(analysis: Analysis, styles: Styles) -> dict[str, Callable[[], Figure]]:
    """How to make each figure that the analysis has records for, by file stem."""
    drawings: dict[str, Callable[[], Figure]] = {}
    for name, table, draw in (
        ("ap-by-iou", "ap_by_iou", plot_ap_by_iou),
        ("pd-by-distance", "pd_by_distance", plot_pd_by_distance),
        ("threshold-curves", "threshold_curve", plot_threshold_curves),
        ("errors", "errors", plot_errors),
        ("sensitivity", "sensitivity", plot_sensitivity),
    ):
        if analysis.tables[table]:
            drawings[name] = lambda draw=draw: draw(analysis, styles)  # type: ignore[misc]
    for by in BREAKDOWNS:
        if any(record["n_targets"] for record in analysis.of("breakdown", by=by)):
            drawings[f"breakdown-{by}"] = lambda by=by: plot_breakdown(  # type: ignore[misc]
                analysis, styles, by
            )
    return drawings


def _methods(analysis: Analysis, table: str) -> list[str]:
    return list(dict.fromkeys(record["method"] for record in analysis.tables[table]))


def _figure() -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.5), layout="constrained")
    return figure, figure.subplots()


def _panels(n: int) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    columns = min(max(n, 1), 4)
    rows = max(-(-n // columns), 1)
    figure = Figure(figsize=(2.8 * columns, 2.3 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axis in axes[n:]:
        axis.set_visible(False)
    return figure, axes[:n]


def _plot(axis: Axes, records: list[Any], x: str, y: str, style: dict[str, Any]) -> None:
    points = [(record[x], 100 * record[y]) for record in records if record[y] is not None]
    if points:
        axis.plot(*zip(*points, strict=True), **{"linewidth": 1.4, **style})


def _legend(figure: Figure, axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside right upper", fontsize=8, frameon=False)
