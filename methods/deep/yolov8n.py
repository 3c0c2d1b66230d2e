"""YOLOv8-n with one class: the network that LE-IRSTD is made from."""

from __future__ import annotations

from irbench.detector import MethodInfo

from ._yolo_detector import GROUP, YOLOV8_REFERENCE, YoloDetector


class YOLOv8n(YoloDetector):
    """YOLOv8 [1]_ at width 0.25 and depth 0.33, one class.

    3,011,043 parameters. Written from the layer table, not from its authors' code, which
    is under the AGPL.

    Parameters
    ----------
    weights, image_size, confidence, nms_iou, max_detections, tile, overlap, fused
        See :class:`irbench.networks.detector.NetworkDetector`.

    References
    ----------
    .. [1] G. Jocher, A. Chaurasia, J. Qiu, "Ultralytics YOLOv8", 2023.
    """

    info = MethodInfo(
        name="yolov8n",
        title="YOLOv8-n",
        group=GROUP,
        year=2023,
        reference=YOLOV8_REFERENCE,
        trainable=True,
        n_parameters=3_011_043,
    )
