#!/usr/bin/env bash
# Packages: opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6
# Behaviour: "nearest neighbour" is two rules. OpenCV's INTER_NEAREST takes the pixel at floor(i * in / out), Pillow's NEAREST the one
#   under the centre, floor((i + 0.5) * in / out). Enlarged by a factor that is no whole number, as single-frame infrared images are before
#   a network of 512x512, targets of a few pixels come out shifted and, three in four of them, with another area.
# Why a good guess misses it: both are called nearest, both are exact for whole factors, and on large objects the difference is a rim.
#   Here it is the target: a perfect prediction in one rule against a ground truth in the other has an IoU far below 1.
# Seen: targets of 1 to 4 pixels a side, 320x220 to 512x512: IoU of the two rules 0.717, area differs for 75.5%
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "opencv-python-headless==5.0.0.93" "pillow==13.0.0" "numpy==2.4.6"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
from PIL import Image

rng = np.random.default_rng(0)
height, width, side, n = 220, 320, 512, 400
intersection = union = moved = 0
for _ in range(n):
    mask = np.zeros((height, width), np.uint8)
    rows, columns = rng.integers(1, 5, 2)
    y, x = rng.integers(0, height - rows), rng.integers(0, width - columns)
    mask[y : y + rows, x : x + columns] = 255
    one = cv2.resize(mask, (side, side), interpolation=cv2.INTER_NEAREST) > 0
    other = np.asarray(Image.fromarray(mask).resize((side, side), Image.Resampling.NEAREST)) > 0
    intersection += (one & other).sum()
    union += (one | other).sum()
    moved += one.sum() != other.sum()
iou, share = intersection / union, moved / n
print(f"targets of 1 to 4 pixels a side, {width}x{height} to {side}x{side}: IoU of the two rules {iou:.3f}, area differs for {share:.1%}")
sys.exit(not (0.5 < iou < 0.95 and share > 0.1))
PYTHON
