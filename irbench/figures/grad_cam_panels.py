"""Fig. 11 of the paper: what the stages of a network look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from irbench.engine.storage.results import RunResults
from irbench.errors import NoFigureError
from irbench.figures.compared_methods import ComparedMethods
from irbench.figures.grad_cam_maps import score_grad_cams
from irbench.figures.marks import LOOKS, bare, circle, read_image, show_image
from irbench.figures.recomputing import remake_detector
from irbench.pictures.canvas import SMALL_PT, TEXT_PT, TWO_COLUMNS_IN, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 8


def grad_cam_figure(
    source: RunResults | ComparedMethods,
    method: str,
    *,
    image: str | None = None,
    stages: Sequence[str] | None = None,
) -> Figure:
    """Grad-CAM of a network's stages: gradient of the sum of its detection scores.

    The network runs again on one image. A stage is as bright as it separates the detections
    from the rest; each is scaled by its own greatest value.

    Parameters
    ----------
    source : RunResults or ComparedMethods
    method : str
        A network of the run.
    image : str, optional
        By default the image with targets that the methods disagree about most.
    stages : sequence of str, optional
        By default all.

    Raises
    ------
    NoFigureError
        If the method is no network, or image or weights are not here.
    UnknownNameError
    """
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.segmentation import SegmentationNetworkDetector

    comparison = ComparedMethods.of(source)
    detector = remake_detector(comparison, method)
    if not isinstance(detector, NetworkDetector | SegmentationNetworkDetector):
        raise NoFigureError(f"{method} is no network, and has no stages")
    position = comparison.informative_image if image is None else comparison.truth(image)[0]
    truth = comparison.scored.truths[position]
    sample = read_image(comparison.dataset, truth)
    with comparison.progress.track(f"Grad-CAM of {method}", 1) as advance:
        maps = score_grad_cams(detector, sample, stages)
        advance()
    if not maps:
        raise NoFigureError(f"no stage of {method} returns a map")
    columns = min(_COLUMNS, len(maps) + 1)
    rows = -(-(len(maps) + 1) // columns)
    side = TWO_COLUMNS_IN / columns
    figure = new_figure(TWO_COLUMNS_IN, rows * (side + 0.14) + 0.25)
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.03, wspace=0.01, hspace=0.01)  # type: ignore[union-attr,call-arg]
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    show_image(axes[0], sample)
    axes[0].set_title(plain(truth.id), fontsize=SMALL_PT - 0.5, pad=1.5)
    height, width = truth.shape
    for axis, (name, values) in zip(axes[1:], maps.items(), strict=False):
        show_image(axis, sample)
        shares = values / max(float(values.max()), 1e-12)
        # Where a stage sees nothing the image stays to be seen.
        axis.imshow(
            shares, cmap="inferno", alpha=0.85 * np.sqrt(shares), vmin=0, vmax=1,
            interpolation="bilinear", extent=(0, width, height, 0),
        )  # fmt: skip
        bare(axis)
        axis.set(xlim=(0, width), ylim=(height, 0))
        silent = "" if values.any() else " (silent)"
        axis.set_title(plain(f"{name}{silent}"), fontsize=SMALL_PT - 0.5, pad=1.5)
    for axis in axes[: len(maps) + 1]:
        for box in truth.boxes.tolist():
            circle(axis, tuple(box), LOOKS["hit"], 0.7)
    for axis in axes[len(maps) + 1 :]:
        axis.set_visible(False)
    title = f"{comparison.styles[method].title}: Grad-CAM by stage (circles: targets)"
    figure.suptitle(plain(title), fontsize=TEXT_PT)
    return figure
