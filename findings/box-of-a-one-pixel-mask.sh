#!/usr/bin/env bash
# Packages: supervision==0.31.2 scikit-image==0.26.0 pycocotools==2.0.11 numpy==2.4.6
# Behaviour: The boxes that supervision makes of masks end at the last pixel, those of scikit-image and pycocotools behind it, though both
#   are used as x1, y1, x2, y2 with area (x2 - x1)(y2 - y1). A target of one pixel has no area in supervision, one of 3x3 an area of 4: IoU 0
#   and 0.44 with the boxes of the same masks from the others.
# Why a good guess misses it: All three speak of boxes as corners, none says in its name which pixel the second corner means, and on large
#   objects the IoU of the two is over 0.98. It is the kind of loss that reads as a bad detector.
# Seen: area of the box of a square mask, by its side (supervision, scikit-image, pycocotools): {1: (0.0, 1, 1.0), 2: (1.0, 4, 4.0), 3: (4.0, 9, 9.0)}
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "supervision==0.31.2" "scikit-image==0.26.0" "pycocotools==2.0.11" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import supervision
from pycocotools import mask as rle
from skimage.measure import regionprops

seen = {}
for side in (1, 2, 3):
    mask = np.zeros((32, 32), np.uint8)
    mask[10 : 10 + side, 10 : 10 + side] = 1
    x1, y1, x2, y2 = (float(v) for v in supervision.mask_to_xyxy(mask[None].astype(bool))[0])
    top, left, bottom, right = regionprops(mask)[0].bbox
    _, _, width, height = rle.toBbox(rle.encode(np.asfortranarray(mask)))
    seen[side] = ((x2 - x1) * (y2 - y1), (right - left) * (bottom - top), float(width * height))
print("area of the box of a square mask, by its side (supervision, scikit-image, pycocotools): " + str(seen))
sys.exit(seen != {1: (0, 1, 1), 2: (1, 4, 4), 3: (4, 9, 9)})
PYTHON
