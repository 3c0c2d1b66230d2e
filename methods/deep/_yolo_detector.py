"""The networks of the layer tables as detectors; what they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from irbench.detector import MethodInfo
from irbench.networks.detector import LossSums, NetworkDetector

if TYPE_CHECKING:
    from torch import Tensor, nn

    from irbench.training.settings import TrainingSettings

    from ._network import Network

GROUP = "Deep Learning Methods"

LE_IRSTD_REFERENCE = (
    'Y. Jing, Y. Zheng, J. Zhao, G. Cui, T. Zhang, "Make both ends meet: a synergistic '
    'optimization infrared small target detection with streamlined computational overhead", 2025'
)
YOLOV8_REFERENCE = 'G. Jocher, A. Chaurasia, J. Qiu, "Ultralytics YOLOv8", 2023'


class YoloDetector(NetworkDetector):
    """A network of :data:`._variants.RECIPES`: the one that bears the method's name.

    Parameters
    ----------
    weights, image_size, confidence, nms_iou, max_detections, tile, overlap, fused
        See :class:`irbench.networks.detector.NetworkDetector`.
    """

    has_whole_sequences = True

    def build(self) -> Network:
        """Make the network with fresh weights."""
        from ._variants import build_network

        return build_network(self.info.name)

    def decode(self, network: nn.Module, outputs: Any) -> tuple[Tensor, Tensor]:
        """Turn raw maps into boxes and scores."""
        return cast("Network", network).decode(outputs)

    def printed_flops(self, network: nn.Module, input_size: int) -> float | None:
        """FLOPs as YOLO repositories print them."""
        from ._counts import count_printed_flops

        return count_printed_flops(cast("Network", network), input_size)

    def begin(self, network: nn.Module, settings: TrainingSettings) -> None:
        """Begin with small boxes, where the recipe says so."""
        if settings.box_prior_cells is not None:
            cast("Network", network).head.expect_distances(settings.box_prior_cells)

    def loss(
        self, network: nn.Module, settings: TrainingSettings
    ) -> Callable[[Any, Tensor], LossSums]:
        """Classification, box and distance terms; see :class:`._loss.DetectionLoss`."""
        from ._assignment import TaskAlignedAssigner
        from ._loss import DetectionLoss

        yolo = cast("Network", network)
        return DetectionLoss(
            strides=yolo.strides,
            n_classes=yolo.n_classes,
            reg_max=yolo.reg_max,
            assigner=TaskAlignedAssigner(min_box_px=settings.min_box_px),
            box_loss=settings.box_loss,
        ).sums


def ablation(name: str, title: str, n_parameters: int, note: str = "") -> MethodInfo:
    """What is known of a network that stands in the paper's Tables II to VI only."""
    return MethodInfo(
        name=name,
        title=title,
        group=GROUP,
        year=2025,
        reference=LE_IRSTD_REFERENCE,
        default=False,
        trainable=True,
        n_parameters=n_parameters,
        note=note,
    )
