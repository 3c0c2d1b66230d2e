"""The networks of the paper's Tables II to VI that stand in no other table.

They run by name only. What each is made of is written in :mod:`._variants`.
"""

from __future__ import annotations

from ._yolo_detector import YoloDetector, ablation


class YOLOv8nMBConv(YoloDetector):
    """Row (b) of Table II: MBConv in place of the C2f at strides 4 and 8."""

    info = ablation("yolov8n-mbconv", "YOLOv8-n + MBConv")


class YOLOv8nFaststem(YoloDetector):
    """Row (c) of Table II: MBConv and BSblock, the whole backbone of LE-IRSTD."""

    info = ablation("yolov8n-faststem", "YOLOv8-n + Faststem")


class YOLOv8nFaststemAVCStem(YoloDetector):
    """Row (d) of Table II: the backbone of LE-IRSTD and its AVCStem."""

    info = ablation("yolov8n-faststem-avcstem", "YOLOv8-n + Faststem + AVCStem")


class YOLOv8nAVSFPN(YoloDetector):
    """The neck of LE-IRSTD on the backbone of YOLOv8-n."""

    info = ablation("yolov8n-avsfpn", "YOLOv8-n + AVSFPN")


class Width1(YoloDetector):
    """Row 1 of Table III: MBConv that does not expand."""

    info = ablation("le-irstd-width1", "LE-IRSTD (width 1)")


class Width1Deep(YoloDetector):
    """Row 2 of Table III."""

    info = ablation("le-irstd-width1-deep", "LE-IRSTD (width 1, depth 3,6)")


class Width1Kernel5(YoloDetector):
    """Row 3 of Table III."""

    info = ablation("le-irstd-width1-kernel5", "LE-IRSTD (width 1, 5×5)")


class Width1Kernel5Deep(YoloDetector):
    """Row 4 of Table III."""

    info = ablation("le-irstd-width1-kernel5-deep", "LE-IRSTD (width 1, 5×5, depth 3,6)")


class Deep(YoloDetector):
    """Row 6 of Table III: one more MBConv at stride 8, which "3,6" is after the depth gain."""

    info = ablation("le-irstd-deep", "LE-IRSTD (depth 3,6)")


class Kernel5(YoloDetector):
    """Row 7 of Table III: MBConv with 5×5 depthwise convolutions."""

    info = ablation("le-irstd-kernel5", "LE-IRSTD (5×5)")


class Kernel5Deep(YoloDetector):
    """Row 8 of Table III."""

    info = ablation("le-irstd-kernel5-deep", "LE-IRSTD (5×5, depth 3,6)")


class BSblockSC(YoloDetector):
    """Table IV, "BSblock(SC)": a convolution of all channels in place of a quarter of them."""

    info = ablation("le-irstd-bsblock-sc", "LE-IRSTD (BSblock with SC)")


class AVCStemSC(YoloDetector):
    """Table V, "SC": a standard convolution where VKConv is."""

    info = ablation("le-irstd-avcstem-sc", "LE-IRSTD (AVCStem with SC)")


class AVCStemSCFinal(YoloDetector):
    """Table V, "SC" by the text: a standard convolution as the last layer, no VKConv."""

    info = ablation("le-irstd-avcstem-sc-final", "LE-IRSTD (AVCStem ending in SC)")


class GSConvUnshuffled(YoloDetector):
    """Table VI, "SC+DWConv": GSConv without the shuffle."""

    info = ablation("le-irstd-gsconv-unshuffled", "LE-IRSTD (GSConv without shuffle)")


class GSConvDense(YoloDetector):
    """Table VI, "SC+shuffle": standard convolutions in place of the depthwise ones."""

    info = ablation("le-irstd-gsconv-dense", "LE-IRSTD (dense GSConv)")
