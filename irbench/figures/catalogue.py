"""The figures of a run by name: how each is made, and what it needs besides the run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
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


_COST_NAMES = {"ms_median": "time", "params": "parameters", "flops": "flops"}


def named_figures(
    comparison: ComparedMethods, images: Sequence[str] = ()
) -> dict[str, Callable[..., Figure]]:
    """The figures of a comparison, by name, whether or not they can be drawn of it.

    Parameters
    ----------
    comparison : ComparedMethods
    images : sequence of str
        Ids of the images to draw: all of them in one figure of detections, and each in a figure
        of score maps and of Grad-CAM, whose names end in it. By default the figures choose.

    Returns
    -------
    dict of str to callable
        From a comparison to a matplotlib figure, by the name of its file without a suffix: those
        that need the run alone first, then those that read the images, then those that run
        detectors again.
    """
    found: dict[str, Callable[..., Figure]] = {
        "precision-recall": precision_recall_figure,
        "pd-fa": pd_fa_figure,
        "pixel-roc": pixel_roc_figure,
    }
    for cost in COSTS:
        found[f"accuracy-{_COST_NAMES[cost]}"] = partial(pareto_figure, cost=cost)
    for by in BREAKDOWNS:
        found[f"recall-{by}"] = partial(breakdown_figure, by=by)
    found["detections"] = partial(detections_figure, images=images or None)
    for suffix, image in _each_image(images):
        found[f"surfaces{suffix}"] = partial(surfaces_figure, image=image)
    for method in comparison.methods_with_detections:
        if is_network(method):
            for suffix, image in _each_image(images):
                name = f"grad-cam-{file_stem(method)}{suffix}"
                found[name] = partial(grad_cam_figure, method=method, image=image)
    return found


def _each_image(images: Sequence[str]) -> list[tuple[str, str | None]]:
    """How the names of figures of one image end, and the image; None for their own choice."""
    if not images:
        return [("", None)]
    stems = [file_stem(image) for image in images]
    return [
        (f"-{stem}" if stems.count(stem) == 1 else f"-{stem}-{position}", image)
        for position, (stem, image) in enumerate(zip(stems, images, strict=True), start=1)
    ]


def file_stem(text: str) -> str:
    """A name that every file system takes.

    Examples
    --------
    >>> file_stem("my night scenes: 50%_a&b/7")
    'my-night-scenes-50-_a-b-7'
    """
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "unnamed"
