"""Everything about one image: the input, what each method found, zooms and score maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from irbench.engine.storage.results import RunResults
from irbench.errors import NoFigureError
from irbench.figures.compared_methods import ComparedMethods
from irbench.figures.detection_panels import informative_target
from irbench.figures.marks import (
    TARGET_LOOK,
    add_outcome_legend,
    circle,
    draw_boxes,
    draw_outcome,
    read_image,
    rectangle,
    show_image,
    show_map,
    show_mask,
    zoom_to,
    zoom_window,
)
from irbench.figures.recomputing import compute_map, has_maps, remake_detector
from irbench.pictures.canvas import SMALL_PT, TEXT_PT, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from irbench.dataset import Sample

MOST_ZOOMS = 3
_SIDE_IN = 1.75


def image_figure(
    source: RunResults | ComparedMethods,
    image: str,
    *,
    methods: Sequence[str] | None = None,
    maps: bool = True,
) -> Figure:
    """The panel of one image: a row for the targets, and one for each method.

    Parameters
    ----------
    source : RunResults or ComparedMethods
    image : str
        Its id.
    methods : sequence of str, optional
        By default all that have detections.
    maps : bool
        Compute the score maps again, reporting to the progress.

    Raises
    ------
    NoFigureError
        If the image is not here, or a method asked for has no detections.
    UnknownNameError
        For an image that was not tested, with the nearest ids; for an unknown method.
    """
    comparison = ComparedMethods.of(source)
    position, truth = comparison.truth(image)
    chosen = list(comparison.chosen(methods))
    sample = read_image(comparison.dataset, truth)
    here = {
        name: comparison.outcomes[name][position] for name in chosen if name in comparison.outcomes
    }
    zooms = list(range(len(truth.boxes)))[:MOST_ZOOMS]
    first = informative_target(here) if here else None
    if first is not None and first not in zooms:
        zooms[-1] = first
    with_maps = [name for name in chosen if maps and has_maps(comparison, name)]
    columns = 1 + len(zooms) + bool(with_maps)
    rows = 1 + len(chosen)
    figure = new_figure(columns * _SIDE_IN + 0.3, rows * (_SIDE_IN + 0.2) + 0.5)
    axes = figure.subplots(rows, columns, squeeze=False)
    _targets_row(axes[0], comparison, sample, zooms, bool(with_maps))
    with comparison.progress.track("Score maps again", len(with_maps)) as advance:
        for line, name in zip(axes[1:], chosen, strict=True):
            outcome = here.get(name)
            show_image(line[0], sample)
            text = str(outcome) if outcome is not None else "no operating point"
            if outcome is not None:
                draw_outcome(line[0], outcome, truth)
            _title(line[0], text)
            line[0].set_ylabel(plain(comparison.styles[name].title), fontsize=TEXT_PT)
            for axis, target in zip(line[1:], zooms, strict=False):
                show_image(axis, sample)
                if outcome is not None:
                    draw_boxes(axis, outcome, truth)
                zoom_to(axis, zoom_window(truth, target))
                _title(axis, "")
            if with_maps:
                _map(line[-1], comparison, name, sample, name in with_maps)
            if name in with_maps:
                advance()
    facts = f"{truth.id}, {comparison.title}: {truth.shape[1]} × {truth.shape[0]} px"
    figure.suptitle(plain(facts), fontsize=TEXT_PT + 1)
    add_outcome_legend(figure)
    return figure


def _targets_row(
    line: Any, comparison: ComparedMethods, sample: Sample, zooms: Sequence[int], with_maps: bool
) -> None:
    _, truth = comparison.truth(sample.id)
    show_image(line[0], sample)
    for box in truth.boxes.tolist():
        circle(line[0], tuple(box), TARGET_LOOK)
    n_targets = len(truth.boxes)
    _title(line[0], f"{n_targets} target{'' if n_targets == 1 else 's'}")
    line[0].set_ylabel("Image", fontsize=TEXT_PT)
    for axis, target in zip(line[1:], zooms, strict=False):
        show_image(axis, sample)
        rectangle(axis, tuple(truth.boxes[target].tolist()), TARGET_LOOK)
        if sample.mask is not None:
            show_mask(axis, sample.mask)
        zoom_to(axis, zoom_window(truth, target))
        _title(axis, f"target {target + 1}: mask and box")
    if with_maps:
        line[-1].set_visible(False)


def _map(axis: Axes, comparison: ComparedMethods, name: str, sample: Sample, wanted: bool) -> None:
    if not wanted:
        axis.set_visible(False)
        return
    try:
        values = compute_map(remake_detector(comparison, name), sample)
    except NoFigureError as error:
        axis.axis("off")
        axis.text(0.5, 0.5, plain(str(error)), wrap=True, ha="center", fontsize=SMALL_PT)
        return
    show_map(axis, values)
    _title(axis, f"score map, {values.min():.3g} to {values.max():.3g}")


def _title(axis: Axes, text: str) -> None:
    axis.set_title(plain(text), fontsize=SMALL_PT, pad=2)
