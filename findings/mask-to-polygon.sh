#!/usr/bin/env bash
# Packages: supervision==0.31.2 datumaro==1.13.12 pycocotools==2.0.11 numpy==2.4.6
# Behaviour: Masks of one and two pixels vanish when supervision or datumaro turn them into polygons (datumaro loses 2x2 as well): a contour
#   of fewer than three points, or of a small area, is dropped. What remains runs through the centres of the border pixels, and pycocotools
#   fills polygons between their points, not through them: a 3x3 target comes back with 4 pixels, an IoU of 0.44 with itself.
# Why a good guess misses it: Each step is sound by its own rule, OpenCV's filling restores the mask to the pixel, and on objects of
#   hundreds of pixels the loss is a rim. Infrared targets have 3 to 100 pixels: COCO polygons made from their masks lose the smallest and
#   make a perfect detector miss the others at IoU 0.5.
# Seen: pixels left of a target after mask, polygon, COCO mask (supervision, datumaro): 1x1 (0, 0), 1x2 (0, 0), 2x2 (1, 0), 3x3 (4, 4), 4x4 (9, 9)
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "supervision==0.31.2" "datumaro==1.13.12" "pycocotools==2.0.11" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import supervision
from datumaro.util import mask_tools
from pycocotools import mask as rle

seen = {}
for rows, columns in ((1, 1), (1, 2), (2, 2), (3, 3), (4, 4)):
    mask = np.zeros((32, 32), bool)
    mask[10 : 10 + rows, 10 : 10 + columns] = True
    areas = []
    for polygons in (supervision.mask_to_polygons(mask), mask_tools.mask_to_polygons(mask.astype(np.uint8))):
        flat = [np.asarray(polygon, float).ravel().tolist() for polygon in polygons]
        areas.append(int(rle.area(rle.merge(rle.frPyObjects(flat, 32, 32)))) if flat else 0)
    seen[f"{rows}x{columns}"] = tuple(areas)
print("pixels left of a target after mask, polygon, COCO mask (supervision, datumaro): " + ", ".join(f"{n} {v}" for n, v in seen.items()))
sys.exit(seen != {"1x1": (0, 0), "1x2": (0, 0), "2x2": (1, 0), "3x3": (4, 4), "4x4": (9, 9)})
PYTHON
