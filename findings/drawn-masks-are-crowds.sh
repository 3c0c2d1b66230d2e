#!/usr/bin/env bash
# Packages: datumaro==1.13.12 pycocotools==2.0.11 numpy==2.4.6
# Behaviour: Targets that were drawn as masks are crowds in the COCO file that Datumaro writes, each with iscrowd 1, as in the COCO export of CVAT, whose
#   masks go the same way. The evaluator leaves crowds out: with a perfect detector of four targets, all drawn as masks, the AP is -1, and with
#   two boxes and two masks AP and recall speak of two targets, also of a detector that misses the drawn ones. As boxes or polygons all four count.
# Why a good guess misses it: iscrowd is thought of as a flag that somebody sets. COCO keeps run lengths for crowds and polygons for objects, so that
#   a tool that keeps masks as run lengths has to call each of them a crowd. A brush is what targets of 3 to 100 px are drawn with, their outline
#   as a polygon being another mask. An AP of -1 is noticed, a test set with part of its targets is not.
# Seen: targets of 4 that count / AP of a perfect detector / of one that finds the first two: bbox 4 / 1.00 / 0.50, polygon 4 / 1.00 / 0.50, mask 0 / -1.00 / -1.00, two boxes and two masks 2 / 1.00 / 1.00
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "datumaro==1.13.12" "pycocotools==2.0.11" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import contextlib
import io
import json
import sys

import datumaro
import numpy as np
from datumaro.components.annotation import Bbox, Mask, Polygon
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

SIDE = 64
PLACES = [(10, 10), (30, 12), (20, 40), (50, 50)]


def drawn(kind, number, x, y):
    place = {"label": 0, "id": number, "group": number}
    if kind == "bbox":
        return Bbox(x, y, 3, 3, **place)
    if kind == "polygon":
        return Polygon([x, y, x + 3, y, x + 3, y + 3, x, y + 3], **place)
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[y : y + 3, x : x + 3] = 1
    return Mask(pixels, **place)


def ap(path, n_found):
    with open(path) as file:
        image = json.load(file)["images"][0]["id"]
    results = [{"image_id": image, "category_id": 1, "bbox": [x, y, 3, 3], "score": 0.9} for x, y in PLACES[:n_found]]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(path)
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return round(float(evaluation.stats[0]), 2) + 0.0


seen = {}
for name, kinds in {"bbox": ["bbox"] * 4, "polygon": ["polygon"] * 4, "mask": ["mask"] * 4, "two boxes and two masks": ["bbox", "bbox", "mask", "mask"]}.items():
    labels = [drawn(kind, number, x, y) for number, (kind, (x, y)) in enumerate(zip(kinds, PLACES, strict=True), start=1)]
    item = DatasetItem("a", subset="test", media=Image.from_numpy(np.zeros((SIDE, SIDE, 3), np.uint8)), annotations=labels)
    datumaro.Dataset.from_iterable([item], categories=["target"]).export(name, "coco_instances", save_media=False)
    path = f"{name}/annotations/instances_test.json"
    with open(path) as file:
        count = sum(not one["iscrowd"] for one in json.load(file)["annotations"])
    seen[name] = (count, ap(path, 4), ap(path, 2))
shown = ", ".join(f"{name} {count} / {perfect:.2f} / {half:.2f}" for name, (count, perfect, half) in seen.items())
print(f"targets of 4 that count / AP of a perfect detector / of one that finds the first two: {shown}")
counts = [one[0] for one in seen.values()]
sys.exit(counts != [4, 4, 0, 2] or seen["mask"][1] != -1 or seen["two boxes and two masks"][2] != 1 or seen["bbox"][2] > 0.6)
PYTHON
