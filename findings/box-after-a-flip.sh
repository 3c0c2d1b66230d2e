#!/usr/bin/env bash
# Packages: kornia==0.9.0 torch==2.13.0 numpy==2.4.6
# Behaviour: Boxes leave their targets in kornia's AugmentationSequential, in another way for each key. bbox_xyxy takes its second corner for
#   the last pixel, so that a flip moves the box by one pixel: IoU 0 with a target of one pixel, 0.5 with one of 3x3. bbox_xywh becomes the
#   centres of the first and the last pixel, so that a flip is right, but a resize scales the distance of the two alone: at 4 times the size
#   the box of one pixel is still 1 px wide, that of 3x3 9 px instead of 12. Both are 1.5 px off then, as centres of pixels.
# Why a good guess misses it: Image and boxes go through one call that is there to keep them together, and x2 = x1 + width makes both keys say
#   the same box. On an object of 100 px the IoU after either step is over 0.97. A detector of small targets learns boxes beside its targets
#   and is tested, without augmentation, on boxes around them.
# Seen: IoU of box and target after flip / 4 times the size: bbox_xyxy 1x1 0.00 / 0.24, 3x3 0.50 / 0.62; bbox_xywh 1x1 1.00 / 0.06, 3x3 1.00 / 0.56
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "kornia==0.9.0" "torch==2.13.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import kornia.augmentation as augmentation
import numpy as np
import torch

steps = (augmentation.RandomHorizontalFlip(p=1.0), augmentation.Resize((512, 512), resample="nearest"))


def iou(one, other):
    sides = [max(0.0, min(one[i + 2], other[i + 2]) - max(one[i], other[i])) for i in (0, 1)]
    area = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return sides[0] * sides[1] / (sum(area) - sides[0] * sides[1])


def after(step, key, side, x=20, y=30):
    image = torch.zeros(1, 1, 128, 128)
    image[..., y : y + side, x : x + side] = 1
    box = [x, y, x + side, y + side] if key == "bbox_xyxy" else [x, y, side, side]
    sequence = augmentation.AugmentationSequential(step, data_keys=["input", key])
    image, boxes = sequence(image, torch.tensor([[box]], dtype=torch.float32))
    rows, columns = np.nonzero(image[0, 0].numpy() > 0.5)
    target = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    found = boxes.numpy().ravel().tolist()
    if key == "bbox_xywh":
        found[2:] = [found[0] + found[2], found[1] + found[3]]
    return round(float(iou(target, found)), 2)


seen = {key: {side: [after(step, key, side) for step in steps] for side in (1, 3)} for key in ("bbox_xyxy", "bbox_xywh")}
text = "; ".join(f"{k} " + ", ".join(f"{s}x{s} {a:.2f} / {b:.2f}" for s, (a, b) in v.items()) for k, v in seen.items())
print("IoU of box and target after flip / 4 times the size: " + text)
expected = {
    "bbox_xyxy": {1: [0, 0.24], 3: [0.5, 0.62]},
    "bbox_xywh": {1: [1, 0.06], 3: [1, 0.56]},
}
sys.exit(seen != expected)
PYTHON
