#!/usr/bin/env bash
# Packages: supervision==0.31.2 datumaro==1.13.12 globox==2.9.0 numpy==2.4.6
# Behaviour: One Pascal VOC box, xmin 11 to xmax 13, is 3 px wide and begins at 10 for supervision, and 2 px wide and begins at 11 for
#   datumaro and globox: the first knows that VOC counts from 1 and includes the last pixel, the others take the numbers as they are. Each
#   writes back what it read, so no round trip shows it.
# Why a good guess misses it: A box format is taken for a fixed thing, and for objects of 100 px the two readings have an IoU of 0.98. For a
#   target of 3x3 px it is 0.44: labels converted by one tool and predictions by another, and a perfect detector has AP@50 0.
# Seen: x1, y1, x2, y2 of one VOC box: supervision [10.0, 20.0, 13.0, 23.0], datumaro [11.0, 21.0, 13.0, 23.0], globox [11.0, 21.0, 13.0, 23.0]
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "supervision==0.31.2" "datumaro==1.13.12" "globox==2.9.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import os
import sys

import numpy as np
import supervision
from datumaro import Dataset
from globox import AnnotationSet
from PIL import Image

for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
    os.makedirs("voc/" + name)
Image.fromarray(np.zeros((64, 64), np.uint8)).save("voc/JPEGImages/a.jpg")
with open("voc/ImageSets/Main/train.txt", "w") as file:
    file.write("a\n")
with open("voc/labelmap.txt", "w") as file:
    file.write("# label:color_rgb:parts:actions\nbackground:0,0,0::\ntarget:255,0,0::\n")
with open("voc/Annotations/a.xml", "w") as file:
    file.write(
        "<annotation><folder>JPEGImages</folder><filename>a.jpg</filename>"
        "<size><width>64</width><height>64</height><depth>1</depth></size><segmented>0</segmented>"
        "<object><name>target</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>"
        "<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>13</xmax><ymax>23</ymax></bndbox></object></annotation>"
    )
boxes = {}
for _, _, found in supervision.DetectionDataset.from_pascal_voc("voc/JPEGImages", "voc/Annotations"):
    boxes["supervision"] = [float(v) for v in found.xyxy[0]]
for item in Dataset.import_from("voc", "voc"):
    x, y, width, height = next(a.get_bbox() for a in item.annotations if hasattr(a, "get_bbox"))
    boxes["datumaro"] = [x, y, x + width, y + height]
for annotation in AnnotationSet.from_pascal_voc("voc/Annotations"):
    box = annotation.boxes[0]
    boxes["globox"] = [box.xmin, box.ymin, box.xmax, box.ymax]
print("x1, y1, x2, y2 of one VOC box: " + ", ".join(f"{n} {v}" for n, v in boxes.items()))
sys.exit(boxes != {"supervision": [10, 20, 13, 23], "datumaro": [11, 21, 13, 23], "globox": [11, 21, 13, 23]})
PYTHON
