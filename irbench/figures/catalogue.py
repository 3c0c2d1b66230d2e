"""The figures of a run by name: how each is made, and what it needs besides the run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from irbench.figures.accuracy_cost import COSTS, pareto_figure
from irbench.figures.compared_methods import ComparedMethods
from irbench.figures.detection_panels import detections_figure
from irbench.figures.grad_cam_panels import grad_cam_figure
from irbench.figures.recall_by_target import BREAKDOWNS, breakdown_figure
from irbench.figures.recomputing import is_network
from irbench.figures.surfaces import surfaces_figure
from irbench.figures.threshold_curves import pd_fa_figure, pixel_roc_figure, precision_recall_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class NamedFigure:
    """A figure of a run.

    Attributes
    ----------
    name : str
        Its file, without a suffix.
    draw : callable
        From a comparison to a matplotlib figure.
    """

    name: str
    draw: Callable[[ComparedMethods], Figure]


_COST_NAMES = {"ms_median": "time", "params": "parameters", "flops": "flops"}


def named_figures(
    comparison: ComparedMethods, images: Sequence[str] = ()
) -> dict[str, NamedFigure]:
    """The figures of a comparison, by name, whether or not they can be drawn of it.

    Parameters
    ----------
    comparison : ComparedMethods
    images : sequence of str
        Ids of the images to draw: all of them in one figure of detections, and each in a figure
        of score maps and of Grad-CAM, whose names end in it. By default the figures choose.

    Returns
    -------
    dict of str to NamedFigure
        Those that need the run alone first, then those that read the images, then those
        that run detectors again.
    """
    found = [
        NamedFigure("precision-recall", precision_recall_figure),
        NamedFigure("pd-fa", pd_fa_figure),
        NamedFigure("pixel-roc", pixel_roc_figure),
        *(
            NamedFigure(f"accuracy-{_COST_NAMES[cost]}", partial(pareto_figure, cost=cost))
            for cost in COSTS
        ),
        *(NamedFigure(f"recall-{by}", partial(breakdown_figure, by=by)) for by in BREAKDOWNS),
        NamedFigure("detections", partial(detections_figure, images=images or None)),
        *(
            NamedFigure(f"surfaces{suffix}", partial(surfaces_figure, image=image))
            for suffix, image in _each_image(images)
        ),
        *(
            NamedFigure(
                f"grad-cam-{file_stem(name)}{suffix}",
                partial(grad_cam_figure, method=name, image=image),
            )
            for name in comparison.methods_with_detections
            if is_network(name)
            for suffix, image in _each_image(images)
        ),
    ]
    return {one.name: one for one in found}


def _each_image(images: Sequence[str]) -> list[tuple[str, str | None]]:
    """How the names of figures of one image end, and the image; None for their own choice."""
    if not images:
        return [("", None)]
    stems = [file_stem(image) for image in images]
    return [
        (f"-{stem}" if stems.count(stem) == 1 else f"-{stem}-{place}", image)
        for place, (stem, image) in enumerate(zip(stems, images, strict=True), start=1)
    ]


def file_stem(text: str) -> str:
    """A name that every file system takes.

    Examples
    --------
    >>> file_stem("my night scenes: 50%_a&b/7")
    'my-night-scenes-50-_a-b-7'
    """
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "unnamed"
