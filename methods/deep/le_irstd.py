"""LE-IRSTD: YOLOv8-n made light for infrared small targets."""

from __future__ import annotations

from irbench.detector import MethodInfo

from ._yolo_detector import GROUP, LE_IRSTD_REFERENCE, YoloDetector, ablation


class LEIRSTD(YoloDetector):
    """LE-IRSTD [1]_ with its variable-kernel convolution at work.

    MBConv and BSblock in the backbone of YOLOv8-n, AVCStem and GSConv in its neck.
    2,578,175 parameters, as published. The authors' code was never published; this is
    rebuilt from the paper and from the totals that they printed. In the network that
    those totals were counted on, VKConv was built but never called (that network is
    ``le-irstd-published``); here it is applied behind the GSConv pair of each AVCStem,
    which is the mechanism that the paper describes, at the published size.

    Parameters
    ----------
    weights, image_size, confidence, nms_iou, max_detections, tile, overlap, fused
        See :class:`irbench.networks.detector.NetworkDetector`.

    References
    ----------
    .. [1] Y. Jing, Y. Zheng, J. Zhao, G. Cui, T. Zhang, "Make both ends meet: a
       synergistic optimization infrared small target detection with streamlined
       computational overhead", 2025, section III.
    """

    info = MethodInfo(
        name="le-irstd",
        title="LE-IRSTD",
        group=GROUP,
        year=2025,
        reference=LE_IRSTD_REFERENCE,
        trainable=True,
        n_parameters=2_578_175,
        note="rebuilt from the published counts; VKConv in series",
    )


class LEIRSTDPublished(YoloDetector):
    """LE-IRSTD as its authors counted it: VKConv is built and never called.

    Equals the published parameters, layers and FLOPs; 2,485,223 of its 2,578,175
    parameters are executed. See :class:`LEIRSTD`.
    """

    info = ablation(
        "le-irstd-published",
        "LE-IRSTD (as counted)",
        2_578_175,
        "VKConv built but never called, as counted",
    )


class LEIRSTDVKConvFinal(YoloDetector):
    """LE-IRSTD by the letter of the paper: VKConv with 5 points as the AVCStem's last layer.

    2,946,703 parameters, which is not the published number. See :class:`LEIRSTD`.
    """

    info = ablation(
        "le-irstd-vkconv-final",
        "LE-IRSTD (VKConv last)",
        2_946_703,
        "VKConv as the paper's text has it",
    )


class LEIRSTDP2(YoloDetector):
    """LE-IRSTD with a fourth, finer level of stride 4; not a network of the paper.

    A target of 3 by 3 pixels fills a seventh of a cell of stride 8. Here the neck goes up once
    more, joins the backbone's stage at stride 4 in an AVCStem of 32 channels, and comes back
    by a GSConv; the head reads four levels. See :class:`LEIRSTD`.
    """

    info = ablation(
        "le-irstd-p2",
        "LE-IRSTD + P2",
        2_479_532,
        "with a head at stride 4, which the paper does not have",
    )
