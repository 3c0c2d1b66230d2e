"""Faster R-CNN with ResNet-50 up to its fourth stage, one class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from irbench.detector import MethodInfo
from irbench.networks.detector import LossSums, NetworkDetector
from irbench.parameters import parameter

from ._yolo_detector import GROUP

if TYPE_CHECKING:
    from torch import Tensor, nn

    from irbench.training.settings import TrainingSettings

    from ._faster_network import FasterNetwork


class FasterRCNN(NetworkDetector):
    """Faster R-CNN R50-C4 [1]_: 33,035,409 parameters.

    Of these, 15,375 rank the proposals, so that no box or score depends on them by gradient.

    At 640×640 it takes 41.981 GMAC, and 0.809 for each proposal; its stated cost is that of
    as many proposals as there can be. Normalisations are alive, since no weights of ImageNet
    are begun with. Common code begins its anchors at 32 pixels, which no target of a few
    pixels overlaps by half; here they begin at 4 unless ``smallest_anchor`` is 32. Their
    number, and so the network, is the same.

    Parameters
    ----------
    smallest_anchor
        Side of the smallest of five anchors, each twice as large as the one before.
    n_proposals
        Most proposals of an image that the second stage sees.
    weights, image_size, confidence, nms_iou, max_detections, tile, overlap, fused
        See :class:`irbench.networks.detector.NetworkDetector`.

    References
    ----------
    .. [1] S. Ren, K. He, R. Girshick, J. Sun, "Faster R-CNN: towards real-time object
       detection with region proposal networks", IEEE TPAMI 39(6), 2017.
    """

    info = MethodInfo(
        name="faster-rcnn",
        title="Faster R-CNN",
        group=GROUP,
        year=2017,
        reference=(
            'S. Ren, K. He, R. Girshick, J. Sun, "Faster R-CNN: towards real-time object detection '
            'with region proposal networks", IEEE TPAMI 39(6), 2017, '
            "doi:10.1109/TPAMI.2016.2577031"
        ),
        default=False,
        with_weights=True,
        trainable=True,
        n_parameters=33_035_409,
        note="anchors from 4 px on, where common code begins at 32 px",
    )

    export_obstacle = (
        "its proposals pass non-maximum suppression between the two stages, a loop whose length "
        "depends on values"
    )

    smallest_anchor: float = parameter(
        default=4.0, low=1, high=64, unit="px", help="side of the smallest of five anchors"
    )
    n_proposals: int = parameter(
        default=1000, low=1, high=6000, help="most proposals that the second stage sees"
    )

    nms_iou: float = parameter(default=0.5, low=0, high=1, help="IoU above which a box is doubled")

    def build(self) -> FasterNetwork:
        """Make the network with fresh weights."""
        from ._faster_network import INFERENCE_LIMITS, FasterNetwork

        return FasterNetwork(
            self.smallest_anchor, INFERENCE_LIMITS._replace(after=self.n_proposals)
        )

    def decode(self, network: nn.Module, outputs: Any) -> tuple[Tensor, Tensor]:
        """Turn what the first stage says into boxes and scores, by the second."""
        return cast("FasterNetwork", network).decode(outputs)

    def loss(
        self, network: nn.Module, settings: TrainingSettings
    ) -> Callable[[Any, Tensor], LossSums]:
        """Losses of both stages; see :class:`._faster_loss.FasterLoss`."""
        from ._faster_loss import FasterLoss

        return FasterLoss(cast("FasterNetwork", network)).sums
