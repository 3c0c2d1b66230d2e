"""RetinaNet with ResNet-50 and a feature pyramid, one class."""

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

    from ._retina_network import RetinaNetwork


class RetinaNet(NetworkDetector):
    """RetinaNet R50-FPN [1]_: 36,329,837 parameters, 81.383 GMAC at 640×640.

    Normalisations are alive, since no weights of ImageNet are begun with. The published
    anchors begin at four times the stride, 32 pixels, which no target under 16 pixels
    overlaps by half; here they begin at the stride, 8 pixels, unless ``anchor_scale`` is 4.
    Their number, and so the network, is the same.

    Parameters
    ----------
    anchor_scale
        Side of a level's smallest anchor over its stride.
    weights, image_size, confidence, nms_iou, max_detections, tile, overlap, fused
        See :class:`irbench.networks.detector.NetworkDetector`.

    References
    ----------
    .. [1] T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object
       detection", ICCV 2017.
    """

    info = MethodInfo(
        name="retinanet",
        title="RetinaNet",
        group=GROUP,
        year=2017,
        reference=(
            'T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object '
            'detection", ICCV 2017'
        ),
        default=False,
        with_weights=True,
        trainable=True,
        n_parameters=36_329_837,
        note="anchors from 8 px on, where the published ones begin at 32 px",
    )

    anchor_scale: float = parameter(
        default=1.0, low=0.25, high=8, help="side of a level's smallest anchor over its stride"
    )

    nms_iou: float = parameter(default=0.5, low=0, high=1, help="IoU above which a box is doubled")

    def build(self) -> RetinaNetwork:
        """Make the network with fresh weights."""
        from ._retina_network import RetinaNetwork

        return RetinaNetwork(self.anchor_scale)

    def decode(self, network: nn.Module, outputs: Any) -> tuple[Tensor, Tensor]:
        """Turn what the network says of its anchors into boxes and scores."""
        return cast("RetinaNetwork", network).decode(outputs)

    def loss(
        self, network: nn.Module, settings: TrainingSettings
    ) -> Callable[[Any, Tensor], LossSums]:
        """Focal loss and smooth L1; see :class:`._retina_loss.RetinaLoss`."""
        from ._retina_loss import RetinaLoss

        return RetinaLoss(cast("RetinaNetwork", network)).sums
