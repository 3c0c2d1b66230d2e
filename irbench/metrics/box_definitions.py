"""The definitions of the metrics on boxes."""

from __future__ import annotations

from irbench.metrics.metric import fraction

_PAPER = "LE-IRSTD, Eq."
_COCO = "COCO detection evaluation (T.-Y. Lin et al., ECCV 2014; pycocotools), maxDets 300"
_COCO_TOOLS = "pycocotools 2.0.11 and faster-coco-eval 1.8.0 with distinct scores, to 1e-9"
_COCO_FORMULA = "mean over r = 0, 0.01, …, 1 of max{P(t) : R(t) ≥ r}, 0 where R never reaches r"
_YOLO = "YOLOv5 (G. Jocher, 2020), validation"

BOX_DEFINITIONS = (
    fraction(
        "precision",
        "P",
        "boxes",
        f"{_PAPER} (19)",
        "Kept detections that are hits, of all kept detections.",
        formula="TP / (TP + FP)",
    ),
    fraction(
        "recall",
        "R",
        "boxes",
        f"{_PAPER} (20)",
        "Targets that a kept detection hits, of all targets.",
        formula="TP / (TP + FN)",
    ),
    fraction(
        "f1",
        "F1",
        "boxes",
        f"{_PAPER} (23)",
        "Harmonic mean of precision and recall.",
        formula="2 TP / (2 TP + FP + FN)",
    ),
    fraction(
        "map50",
        "mAP@50",
        "boxes",
        _COCO,
        "Average precision at IoU 0.5, 101 recall points; equal scores form one point.",
        formula=_COCO_FORMULA,
        dialect="coco-101",
        equals=_COCO_TOOLS,
    ),
    fraction(
        "map50_95",
        "mAP@50:95",
        "boxes",
        _COCO,
        "Mean of the average precision at IoU 0.50, 0.55, …, 0.95.",
        formula="mean of AP over the ten IoU thresholds",
        dialect="coco-101",
        equals=_COCO_TOOLS,
    ),
    fraction(
        "map30",
        "mAP@30",
        "boxes",
        _COCO,
        "As mAP@50 at IoU 0.3, which a target of 3x3 px found a pixel aside both ways just misses.",
        formula=_COCO_FORMULA,
        dialect="coco-101",
        equals="pycocotools 2.0.11 with distinct scores, to 1e-9",
    ),
    fraction(
        "map75",
        "mAP@75",
        "boxes",
        _COCO,
        "As mAP@50 at IoU 0.75.",
        formula=_COCO_FORMULA,
        dialect="coco-101",
        equals=_COCO_TOOLS,
    ),
    fraction(
        "ap_all_point",
        "AP (all points)",
        "boxes",
        f"{_PAPER} (21); PASCAL VOC 2010",
        "Area under the envelope of the precision-recall curve at IoU 0.5, at all its points.",
        formula="Σ (R(i) − R(i−1)) max{P(j) : j ≥ i}",
        dialect="all-point",
    ),
    fraction(
        "ap_yolo",
        "AP (YOLO tools)",
        "boxes",
        _YOLO,
        "Area under the envelope joined by lines, also to precision 0 at recall 1; 101 trapezoids.",
        formula="trapezoids over r = 0, 0.01, …, 1 of the envelope of (0, 1), (R, P), (1, 0)",
        dialect="yolo",
    ),
    fraction(
        "precision_yolo",
        "P (best F1 of the tested images)",
        "boxes",
        _YOLO,
        "Precision at the confidence of greatest F1, chosen on the tested split: an upper bound.",
        formula="TP / (TP + FP) at argmax F1",
        dialect="yolo: threshold chosen on the tested split",
    ),
    fraction(
        "recall_yolo",
        "R (best F1 of the tested images)",
        "boxes",
        _YOLO,
        "Recall at the confidence of greatest F1, chosen on the tested split: an upper bound.",
        formula="TP / (TP + FN) at argmax F1",
        dialect="yolo: threshold chosen on the tested split",
    ),
)
"""In the order of a results table."""
