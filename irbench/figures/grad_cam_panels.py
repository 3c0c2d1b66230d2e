"""Fig. 11 of the paper: what the stages of a network look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from irbench.engine.storage.results import RunResults
from irbench.errors import NoFigureError, UnknownNameError
from irbench.figures.compared_methods import ComparedMethods
from irbench.figures.marks import LOOKS, bare, circle, read_image, show_image
from irbench.figures.recomputing import remake_detector
from irbench.pictures.canvas import SMALL_PT, TEXT_PT, TWO_COLUMNS_IN, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor, nn

    from irbench.dataset import Sample
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.segmentation import SegmentationNetworkDetector

_COLUMNS = 8
_LEAST_SCORE = 0.05
"""Scores below this are of the background, which has thousands of cells."""

_LEAST_PROBABILITY = 0.5
"""Of a pixel of a target."""


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


def score_grad_cams(
    detector: NetworkDetector | SegmentationNetworkDetector,
    sample: Sample,
    stages: Sequence[str] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Grad-CAM of each stage of a network, on the image.

    Parameters
    ----------
    detector : NetworkDetector or SegmentationNetworkDetector
        What is explained is the sum of its scores of at least 0.05, before suppression, or of
        its probabilities of at least 0.5; the greatest one where none is.
    sample : Sample
    stages : sequence of str, optional
        By default all that return a map.

    Returns
    -------
    dict of str to (h, w) ndarray of float32
        In the network's order; of the size that the image has on the network's input.

    Raises
    ------
    UnknownNameError
        For an unknown stage.
    """
    import torch
    from torch.nn import functional

    from irbench.networks.grad_cam import stage_maps
    from irbench.networks.segmentation import SegmentationNetworkDetector

    if isinstance(detector, SegmentationNetworkDetector):
        view = _view_of_maps(detector, sample)
    else:
        view = _view_of_boxes(detector, sample)
    network = detector.network
    was_training = network.training
    for name in stages or ():
        if name not in view.stages:
            raise UnknownNameError(f"stage of {detector.info.name}", name, view.stages)
    chosen = view.stages if stages is None else {name: view.stages[name] for name in stages}

    def explained(outputs: Any) -> torch.Tensor:
        scores = view.scores_of(outputs)
        kept = scores[scores >= min(view.least_score, float(scores.detach().max()))]
        return kept.sum()

    network.eval()
    try:
        maps = stage_maps(network, chosen, view.images, explained)
    finally:
        network.train(was_training)
    found = {}
    for name, values in maps.items():
        whole = functional.interpolate(
            values[None, None].float(),
            size=(view.images.shape[2], view.images.shape[3]),
            mode="bilinear",
            align_corners=False,
        )
        found[name] = whole[0, 0, view.rows, view.columns].cpu().numpy()
    return found


class _View(NamedTuple):
    """A network's input, where the image lies on it, and what is explained."""

    stages: dict[str, nn.Module]
    images: Tensor
    rows: slice
    columns: slice
    scores_of: Callable[[Any], Tensor]
    least_score: float


def _view_of_boxes(detector: NetworkDetector, sample: Sample) -> _View:
    from irbench.images import to_unit_range
    from irbench.networks.grad_cam import network_stages
    from irbench.networks.letterbox import Letterbox, letterbox

    grey = to_unit_range(sample.image, sample.value_range)
    canvas = letterbox([grey], detector.input_size, device=detector.device)[0]
    where = Letterbox.fit(sample.shape, detector.input_size)
    return _View(
        network_stages(detector.network),
        canvas.expand(-1, 3, -1, -1),
        slice(where.top, where.top + where.resized[0]),
        slice(where.left, where.left + where.resized[1]),
        lambda outputs: detector.decode(detector.network, outputs)[1],
        _LEAST_SCORE,
    )


def _view_of_maps(detector: SegmentationNetworkDetector, sample: Sample) -> _View:
    padded = detector.preprocess(sample.image, sample.value_range)
    return _View(
        # Its named parts: lists in it are of layers, not of stages.
        dict(detector.network.named_children()),
        padded.canvas,
        slice(0, padded.shape[0]),
        slice(0, padded.shape[1]),
        lambda outputs: detector.decode(detector.network, outputs),
        _LEAST_PROBABILITY,
    )
