"""Fig. 10 of the paper: what each method finds on a few images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from irbench.engine.storage.results import RunResults
from irbench.errors import NoFigureError
from irbench.figures.compared_methods import ComparedMethods
from irbench.figures.marks import (
    TARGET_LOOK,
    add_outcome_legend,
    add_zoom,
    bare_panels,
    circle,
    draw_outcome,
    read_image,
    show_image,
)
from irbench.figures.outcomes import ImageOutcome
from irbench.pictures.canvas import PAGE_IN, SMALL_PT, TWO_COLUMNS_IN, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_IMAGES = 4
_MOST_COLUMNS = 7
_CAPTION_IN, _LABEL_IN, _LEGEND_IN = 0.13, 0.18, 0.25


def detections_figure(
    source: RunResults | ComparedMethods,
    *,
    images: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
) -> Figure:
    """Methods by images: hits green, false alarms orange, misses purple, and a zoom.

    No detector runs, but the images are read.

    Parameters
    ----------
    source : RunResults or ComparedMethods
    images : sequence of str, optional
        Ids; by default the four with targets that the methods disagree about most.
    methods : sequence of str, optional
        By default all with an operating point.

    Raises
    ------
    NoFigureError
        If the images are not here, or no method has an operating point.
    UnknownNameError
        With the nearest names.
    """
    comparison = ComparedMethods.of(source)
    chosen = [name for name in comparison.chosen(methods) if name in comparison.outcomes]
    if not chosen:
        raise NoFigureError("no method has an operating point")
    positions = _positions(comparison, images)
    dataset = comparison.dataset
    n_panels = len(chosen) + 1
    # As few rows an image as the width allows, evenly filled.
    n_rows = -(-n_panels // _MOST_COLUMNS)
    columns = -(-n_panels // n_rows)
    wide = (TWO_COLUMNS_IN - _LABEL_IN) / columns
    high = (PAGE_IN - _LEGEND_IN) / (len(positions) * n_rows) - _CAPTION_IN
    side = min(wide, max(high, 0.5), 2.2)
    figure = new_figure(
        columns * side + _LABEL_IN,
        len(positions) * n_rows * (side + _CAPTION_IN) + _LEGEND_IN,
    )
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.03, wspace=0.01, hspace=0.01)  # type: ignore[union-attr,call-arg]
    axes = bare_panels(figure, len(positions) * n_rows, columns)
    for block, position in enumerate(positions):
        truth = comparison.scored.truths[position]
        sample = read_image(dataset, truth)
        here = {name: comparison.outcomes[name][position] for name in chosen}
        target = informative_target(here)
        panels = axes[block * n_rows : (block + 1) * n_rows].ravel()
        show_image(panels[0], sample)
        for box in truth.boxes.tolist():
            circle(panels[0], tuple(box), TARGET_LOOK)
        if target is not None:
            add_zoom(panels[0], sample, None, truth, target)
        label = f"({chr(ord('a') + block % 26)}) {truth.id}"
        panels[0].set_ylabel(plain(label), fontsize=SMALL_PT, labelpad=2)
        panels[0].set_title("Targets", fontsize=SMALL_PT - 0.5, pad=1.5)
        for axis, name in zip(panels[1:], chosen, strict=False):
            show_image(axis, sample)
            draw_outcome(axis, here[name], truth)
            if target is not None:
                add_zoom(axis, sample, here[name], truth, target)
            title = plain(comparison.styles[name].title)
            axis.set_title(title, fontsize=SMALL_PT - 0.5, pad=1.5)
        for axis in panels[n_panels:]:
            axis.set_visible(False)
    add_outcome_legend(figure)
    return figure


def informative_target(outcomes: Mapping[str, ImageOutcome]) -> int | None:
    """The target of an image that the methods disagree about most; None without targets.

    Examples
    --------
    >>> found = {"a": ImageOutcome({1: (0, 0, 2, 2)}, (), 2), "b": ImageOutcome({}, (), 2)}
    >>> informative_target(found)
    1
    """
    n_targets = next(iter(outcomes.values())).n_targets
    if n_targets == 0:
        return None
    shares = np.array(
        [np.mean([target in one.hits for one in outcomes.values()]) for target in range(n_targets)]
    )
    return int(np.argmax(shares * (1 - shares)))


def _positions(comparison: ComparedMethods, images: Sequence[str] | None) -> list[int]:
    if images is not None:
        return [comparison.truth(image)[0] for image in images]
    truths = comparison.scored.truths
    with_targets = [index for index in comparison.by_disagreement if len(truths[index].boxes)]
    positions = (with_targets or comparison.by_disagreement)[:N_IMAGES]
    if not positions:
        raise NoFigureError("the run has no images")
    return positions
