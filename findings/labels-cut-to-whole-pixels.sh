#!/usr/bin/env bash
# Packages: label-studio-sdk==2.0.13 numpy==2.4.6
# Behaviour: Boxes of whole pixels that go to Label Studio and come back as Pascal VOC are cut by a pixel. Labels are percentages there, and
#   the way back (percent / 100 * size) is cut, not rounded: 0.9999999 becomes 0. At 384x288, the size of many infrared cameras, no box of 1
#   to 4 px comes back as it was: widths of 1, 2 and 4 px and heights of 3 px lose one, and a box of 1 px its area. At 640x480 every box of
#   5 px is cut; at 640x512 and 256x256 all are exact. The export to COCO is exact at every size.
# Why a good guess misses it: A way there and back through percent is expected to be good to many digits, and whoever tries it with frames of
#   256x256 or 640x512 sees no fault. One pixel of 100 is within the care of an annotator; here it is the target, and both the detector that
#   learns from the labels and the metric take it as true.
# Seen: boxes of 1 to 5 px kept by VOC: 384x288 0%, 0%, 0%, 0%, 70%; 640x480 90%, 90%, 85%, 90%, 0%; 640x512 100%, 100%, 100%, 100%, 100%; of 1 px without area at 384x288: 100%; largest error of COCO: 0.000 px
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "label-studio-sdk==2.0.13" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import contextlib
import glob
import io
import json
import logging
import os
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
from label_studio_sdk.converter import Converter
from label_studio_sdk.converter.imports.coco import convert_coco_to_ls

logging.disable()
sides, each = (1, 2, 3, 4, 5), 60


def exports(width, height):
    """Boxes of whole pixels, and what VOC (corners) and COCO (corner and size) make of them."""
    rng = np.random.default_rng(0)
    boxes = [(int(rng.integers(0, width - s)), int(rng.integers(0, height - s)), s, s) for s in sides for _ in range(each)]
    folder = f"{width}x{height}"
    os.makedirs(folder)
    image = {"id": 1, "file_name": "a.png", "width": width, "height": height}
    rows = [
        {"id": i, "image_id": 1, "category_id": 1, "bbox": box, "area": box[2] ** 2, "iscrowd": 0, "segmentation": []}
        for i, box in enumerate(boxes, start=1)
    ]
    with open(folder + "/labels.json", "w") as file:
        json.dump({"images": [image], "categories": [{"id": 1, "name": "target"}], "annotations": rows}, file)
    with contextlib.redirect_stdout(io.StringIO()):
        convert_coco_to_ls(folder + "/labels.json", folder + "/tasks.json")
    with open(folder + "/tasks.json") as file:
        (task,) = json.load(file)
    # The server does so when it takes the tasks in.
    task["id"] = task["annotations"][0]["id"] = task["annotations"][0]["completed_by"] = 1
    with open(folder + "/tasks.json", "w") as file:
        json.dump([task], file)
    with open(folder + "/tasks.label_config.xml") as file:
        converter = Converter(file.read(), folder, download_resources=False)
    for name in ("voc", "coco"):
        convert = getattr(converter, "convert_to_" + name)
        convert(f"{folder}/tasks.json", f"{folder}/{name}", output_image_dir=f"{folder}/{name}/images", is_dir=False)
    (tree,) = glob.glob(folder + "/voc/**/*.xml", recursive=True)
    corners = [
        [int(item.find("bndbox/" + name).text) for name in ("xmin", "ymin", "xmax", "ymax")]
        for item in ElementTree.parse(tree).iter("object")
    ]
    with open(folder + "/coco/result.json") as file:
        coco = [item["bbox"] for item in json.load(file)["annotations"]]
    return np.array(boxes), np.array(corners), np.array(coco)


kept, without_area, error = {}, {}, 0.0
for width, height in ((384, 288), (640, 480), (640, 512)):
    boxes, corners, coco = exports(width, height)
    size, end = f"{width}x{height}", boxes[:, :2] + boxes[:, 2:]
    right = (corners == np.hstack([boxes[:, :2], end])).all(axis=1)
    kept[size] = [round(float(v), 2) for v in right.reshape(len(sides), each).mean(axis=1)]
    without_area[size] = float((corners[:each, 2:] == corners[:each, :2]).any(axis=1).mean())
    error = max(error, float(np.abs(coco - boxes).max()))
print(
    "boxes of 1 to 5 px kept by VOC: "
    + "; ".join(f"{n} " + ", ".join(f"{v:.0%}" for v in values) for n, values in kept.items())
    + f"; of 1 px without area at 384x288: {without_area['384x288']:.0%}; largest error of COCO: {error:.3f} px"
)
sys.exit(
    [kept["384x288"][i] for i in range(4)] != [0, 0, 0, 0]
    or without_area["384x288"] != 1
    or kept["640x480"][4] != 0
    or kept["640x512"] != [1] * 5
    or error > 1e-6
)
PYTHON
