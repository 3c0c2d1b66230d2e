"""Box labels of the outside world: YOLO and COCO in both ways, VOC, labelme and CVAT read.

Inside irbench a box is ``(x0, y0, x1, y1)``, float32 pixels, half-open. Every
reader returns :class:`BoxLabels` in that convention and refuses what does not
make sense, naming the file, the line or field, what was expected and what came.
"""

from __future__ import annotations

from irbench.data.annotations.coco import CocoDataset, CocoImage, numbers_of, read_coco
from irbench.data.annotations.coco_writing import write_coco
from irbench.data.annotations.cvat import is_cvat, read_cvat
from irbench.data.annotations.labelme import is_labelme, read_labelme
from irbench.data.annotations.labels import BoxLabels
from irbench.data.annotations.voc import read_voc
from irbench.data.annotations.yolo import read_yolo, write_yolo

__all__ = [
    "BoxLabels",
    "CocoDataset",
    "CocoImage",
    "is_cvat",
    "is_labelme",
    "numbers_of",
    "read_coco",
    "read_cvat",
    "read_labelme",
    "read_voc",
    "read_yolo",
    "write_coco",
    "write_yolo",
]
