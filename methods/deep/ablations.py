"""The networks of the paper's Tables II to VI that stand in no other table.

They run by name only. What each is made of is written in :mod:`._variants`.
"""

from __future__ import annotations

from ._yolo_detector import YoloDetector, ablation


class YOLOv8nMBConv(YoloDetector):
    """Row (b) of Table II: MBConv in place of the C2f at strides 4 and 8."""

    info = ablation("yolov8n-mbconv", "YOLOv8-n + MBConv", 3_208_231)


class YOLOv8nFaststem(YoloDetector):
    """Row (c) of Table II: MBConv and BSblock, the whole backbone of LE-IRSTD."""

    info = ablation("yolov8n-faststem", "YOLOv8-n + Faststem", 2_925_607)


class YOLOv8nFaststemAVCStem(YoloDetector):
    """Row (d) of Table II: the backbone of LE-IRSTD and its AVCStem."""

    info = ablation("yolov8n-faststem-avcstem", "YOLOv8-n + Faststem + AVCStem", 2_667_935)


class YOLOv8nAVSFPN(YoloDetector):
    """The neck of LE-IRSTD on the backbone of YOLOv8-n."""

    info = ablation("yolov8n-avsfpn", "YOLOv8-n + AVSFPN", 2_663_611)


class Width1(YoloDetector):
    """Row 1 of Table III: MBConv that does not expand."""

    info = ablation("le-irstd-width1", "LE-IRSTD (width 1)", 2_341_055)


class Width1Deep(YoloDetector):
    """Row 2 of Table III."""

    info = ablation("le-irstd-width1-deep", "LE-IRSTD (width 1, depth 3,6)", 2_354_465)


class Width1Kernel5(YoloDetector):
    """Row 3 of Table III."""

    info = ablation("le-irstd-width1-kernel5", "LE-IRSTD (width 1, 5×5)", 2_342_591)


class Width1Kernel5Deep(YoloDetector):
    """Row 4 of Table III."""

    info = ablation("le-irstd-width1-kernel5-deep", "LE-IRSTD (width 1, 5×5, depth 3,6)", 2_357_025)


class Deep(YoloDetector):
    """Row 6 of Table III: one more MBConv at stride 8, which "3,6" is after the depth gain."""

    info = ablation("le-irstd-deep", "LE-IRSTD (depth 3,6)", 2_780_385)


class Kernel5(YoloDetector):
    """Row 7 of Table III: MBConv with 5×5 depthwise convolutions."""

    info = ablation("le-irstd-kernel5", "LE-IRSTD (5×5)", 2_587_391)


class Kernel5Deep(YoloDetector):
    """Row 8 of Table III."""

    info = ablation("le-irstd-kernel5-deep", "LE-IRSTD (5×5, depth 3,6)", 2_795_745)


class BSblockSC(YoloDetector):
    """Table IV, "BSblock(SC)": a convolution of all channels in place of a quarter of them."""

    info = ablation("le-irstd-bsblock-sc", "LE-IRSTD (BSblock with SC)", 3_269_375)


class AVCStemSC(YoloDetector):
    """Table V, "SC": a standard convolution where VKConv is."""

    info = ablation("le-irstd-avcstem-sc", "LE-IRSTD (AVCStem with SC)", 2_716_199)


class AVCStemSCFinal(YoloDetector):
    """Table V, "SC" by the text: a standard convolution as the last layer, no VKConv."""

    info = ablation("le-irstd-avcstem-sc-final", "LE-IRSTD (AVCStem ending in SC)", 3_304_423)


class GSConvUnshuffled(YoloDetector):
    """Table VI, "SC+DWConv": GSConv without the shuffle."""

    info = ablation("le-irstd-gsconv-unshuffled", "LE-IRSTD (GSConv without shuffle)", 2_578_175)


class GSConvDense(YoloDetector):
    """Table VI, "SC+shuffle": standard convolutions in place of the depthwise ones."""

    info = ablation("le-irstd-gsconv-dense", "LE-IRSTD (dense GSConv)", 2_788_735)
