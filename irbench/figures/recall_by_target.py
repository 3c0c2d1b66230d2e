"""Which targets are found: recall by what they are like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from irbench.engine.storage.results import RunResults
from irbench.errors import NoFigureError, UnknownNameError
from irbench.figures.compared_methods import ComparedMethods
from irbench.pictures.canvas import (
    SMALL_PT,
    TEXT_PT,
    TWO_COLUMNS_IN,
    add_legend,
    new_figure,
    plain,
    set_small_type,
)
from irbench.statistics.recall_by_bin import recall_by_bins

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BREAKDOWNS = {
    "area": "Area of the target, px",
    "scr": "Local signal-to-clutter ratio of the target",
}


def breakdown_figure(
    source: RunResults | ComparedMethods,
    *,
    by: str = "area",
    methods: Sequence[str] | None = None,
) -> Figure:
    """Recall at the operating point by area or by signal-to-clutter ratio, as bars.

    Parameters
    ----------
    source : RunResults or ComparedMethods
    by : {"area", "scr"}
        ``"scr"`` reads the images.
    methods : sequence of str, optional
        By default all with an operating point.

    Raises
    ------
    NoFigureError
        Without targets or operating points, and by ``"scr"`` where the images are not here.
    UnknownNameError
    """
    if by not in BREAKDOWNS:
        raise UnknownNameError("breakdown", by, BREAKDOWNS)
    comparison = ComparedMethods.of(source)
    chosen = comparison.chosen(methods)
    scr, reason = comparison.scr if by == "scr" else (None, "")
    if reason:
        raise NoFigureError(reason)
    found = {one.by: one for one in recall_by_bins(comparison.scored, scr)}
    if by not in found:
        raise NoFigureError("there are no targets, or no method has an operating point")
    table = found[by]
    drawn = [method for method in chosen if method in table.methods]
    if not drawn:
        raise NoFigureError("no method has an operating point")
    figure = new_figure(TWO_COLUMNS_IN, 2.7)
    axis = figure.subplots()
    set_small_type(axis)
    axis.grid(visible=False, axis="x")
    filled = [position for position, (_, count) in enumerate(table.bins) if count]
    width = 0.86 / len(drawn)
    for position, method in enumerate(drawn):
        values = table.methods[method]
        heights = [100 * (values[one] or 0.0) for one in filled]
        x = np.arange(len(filled)) + (position - (len(drawn) - 1) / 2) * width
        axis.bar(x, heights, width, **comparison.styles[method].bar)
    names = [f"{table.bins[one][0]}\n({table.bins[one][1]} targets)" for one in filled]
    axis.set_xticks(range(len(filled)), names)
    axis.tick_params(axis="x", labelsize=SMALL_PT, length=0)
    axis.set(xlabel=BREAKDOWNS[by], ylabel="Recall, %", ylim=(0, 100))
    axis.set_title(plain(comparison.title), fontsize=TEXT_PT)
    add_legend(figure, [comparison.styles[method] for method in drawn], "bar")
    return figure
