#!/usr/bin/env bash
# Packages: torchvision==0.28.0 torch==2.13.0 numpy==2.4.6
# Behaviour: torchvision's transforms keep the type of boxes, and boxes of whole numbers are int64: Resize cuts what it has computed, corners one by one, or width and
#   height by themselves. From 640x512 to 320x256 no box of 3x3 px, given as x, y, width and height as COCO has it, has an IoU of 0.5 with its target, and of
#   5x5 px 59 of 200; as corners 146 of 200 of 3x3 px have it. The same boxes as float32 are exact. Image and mask are right in every case.
# Why a good guess misses it: The tensor of a list of whole numbers is int64 without anybody's asking, and boxes in JSON files and of masks are such lists. One call scales
#   image and boxes together, and at 100 px the IoU is 0.98. Flips and turns by 90 degrees, on which one tries it, are exact in whole numbers. A detector
#   learns boxes of 1x1 px at the corner of targets of 1.5x1.5 px, and its AP@50 against the original labels is 0.
# Seen: 640x512 to 320x256, of 200 boxes with IoU >= 0.5, float32 / int64 corners / int64 xywh: 1x1 200 / 0 / 0, 2x2 200 / 46 / 46, 3x3 200 / 146 / 0,
#   5x5 200 / 200 / 59, 100x100 200 / 200 / 200
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "torchvision==0.28.0" "torch==2.13.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import torch

try:
    import torchvision
except RuntimeError:  # a torch for the CPU alone beside the wheel for GPUs: compiled operators are missing, and only their names are needed here
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    operators = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        operators.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision
from torchvision.transforms import v2
from torchvision.tv_tensors import BoundingBoxes

rng = np.random.default_rng(0)
half = v2.Resize((256, 320))


def n_kept(boxes, layout, truth):
    resized = half(BoundingBoxes(boxes, format=layout, canvas_size=(512, 640)))
    corners = v2.functional.convert_bounding_box_format(resized, new_format="XYXY").double().numpy()
    sides = np.clip(np.minimum(corners[:, 2:], truth[:, 2:]) - np.maximum(corners[:, :2], truth[:, :2]), 0, None)
    both = sides.prod(1)
    union = (corners[:, 2:] - corners[:, :2]).prod(1) + (truth[:, 2:] - truth[:, :2]).prod(1) - both
    return int((both / union >= 0.5).sum())


seen = {}
for side in (1, 2, 3, 5, 100):
    first = np.stack([rng.integers(0, 640 - side, 200), rng.integers(0, 512 - side, 200)], axis=1)
    corners = torch.tensor(np.concatenate([first, first + side], axis=1))
    sizes = torch.tensor(np.concatenate([first, np.full((200, 2), side)], axis=1))
    truth = corners.double().numpy() / 2
    seen[side] = (n_kept(corners.float(), "XYXY", truth), n_kept(corners, "XYXY", truth), n_kept(sizes, "XYWH", truth))
shown = ", ".join(f"{side}x{side} " + " / ".join(map(str, counts)) for side, counts in seen.items())
print(f"640x512 to 320x256, of 200 boxes with IoU >= 0.5, float32 / int64 corners / int64 xywh: {shown}")
sys.exit(seen != {1: (200, 0, 0), 2: (200, 46, 46), 3: (200, 146, 0), 5: (200, 200, 59), 100: (200, 200, 200)})
PYTHON
