"""Grad-CAM of the stages of a network, by the gradient of its detection scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from irbench.dataset import Sample
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.segmentation import SegmentationNetworkDetector

_LEAST_SCORE = 0.05
"""Scores below this are of the background, which has thousands of cells."""

_LEAST_PROBABILITY = 0.5
"""Of a pixel of a target."""


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

    def explained(outputs: Any) -> Tensor:
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
