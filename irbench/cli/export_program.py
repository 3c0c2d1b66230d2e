"""The program that ``irbench export`` prints: it runs the file that was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.segmentation import SegmentationNetworkDetector

    Exportable = NetworkDetector | SegmentationNetworkDetector

_LETTERBOX = """\
import cv2, numpy as np, onnxruntime
frame = cv2.imread("frame.png", cv2.IMREAD_UNCHANGED)  # keeps 16 bit; one grey channel
low, high = 0, np.iinfo(frame.dtype).max  # black and white: of a 14-bit camera 0 and 16383
grey = ((frame.astype(np.float32) - low) / (high - low)).clip(0, 1)
h, w = grey.shape
nh, nw = (round(side * ({size} / max(h, w))) for side in (h, w))
y, x = ({size} - nh) // 2, ({size} - nw) // 2
canvas = np.full(({batch}, 1, {size}, {size}), 114 / 255, np.float32)
canvas[0, 0, y : y + nh, x : x + nw] = cv2.resize(grey, (nw, nh))
"""

_SUPPRESS = """\
boxes, scores = onnxruntime.InferenceSession({path!r}).run(None, {{"images": canvas}})
boxes, scores = boxes[0], scores[0].max(1)
sized = np.hstack((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]))
keep = list(cv2.dnn.NMSBoxes(sized, scores, {confidence}, {nms_iou}))
"""

_SELECT = """\
boxes, scores, found = onnxruntime.InferenceSession({path!r}).run(None, {{"images": canvas}})
boxes, scores = boxes[0], scores[0].max(1)
keep = found[found[:, 0] == 0, 2]
"""

_PROBABILITIES = """\
import cv2, numpy as np, onnxruntime
grey = cv2.imread("frame.png", cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255  # 0 black, 1 white
h, w = grey.shape  # at most {size}
{divided}canvas = np.zeros(({batch}, {channels}, {size}, {size}), np.float32)
mean, std = np.array({mean})[:, None, None], np.array({std})[:, None, None]
canvas[0, :, :h, :w] = (grey[None] - mean) / std
(found,) = onnxruntime.InferenceSession({path!r}).run(None, {{"images": canvas}})
print(np.argwhere(found[0, 0, :h, :w] > 0.5))  # rows and columns of the targets' pixels"""

_PRINT = """\
print((boxes[keep] - (x, y, x, y)) / (nw / w, nh / h, nw / w, nh / h), scores[keep])"""


def program(path: Path, detector: Exportable, batch: int | None, nms: bool) -> str:
    """A program that runs an exported file without irbench.

    Parameters
    ----------
    path : Path
    detector : NetworkDetector or SegmentationNetworkDetector
        What was exported.
    batch : int or None
        Images at a time; None for any number.
    nms : bool
        Whether the file has suppression.
    """
    from irbench.networks.segmentation import SegmentationNetworkDetector

    if isinstance(detector, SegmentationNetworkDetector):
        scaling = detector.applied_scaling
        return _PROBABILITIES.format(
            size=detector.input_size,
            batch=batch or 1,
            channels=detector.in_channels_used,
            mean=list(scaling.mean),
            std=list(scaling.std),
            divided="grey /= max(grey.max(), 1e-12)\n" if scaling.by_maximum else "",
            path=str(path),
        )
    return (_LETTERBOX + (_SELECT if nms else _SUPPRESS) + _PRINT).format(
        size=detector.input_size,
        batch=batch or 1,
        path=str(path),
        confidence=detector.confidence,
        nms_iou=detector.nms_iou,
    )
