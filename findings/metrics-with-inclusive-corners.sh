#!/usr/bin/env bash
# Packages: mean-average-precision==2024.1.5.0 mapcalc==0.2.2 object-detection-metrics==0.4.post1 pycocotools==2.0.11 numpy==2.4.6 pandas==3.1.1 shapely==2.2.0
# Behaviour: One detection of 2x2 px on one target of 3x3 px has AP@50 1 by mean-average-precision and by mapcalc, and 0 by pycocotools and
#   object-detection-metrics. The first two add a pixel to every side, as if corners were the last pixels of the box: IoU 9/16 instead of 4/9.
#   A box moved by one pixel has 0.6 instead of 0.5.
# Why a good guess misses it: All four take corners of fractions of a pixel, which inclusive corners cannot be, and at 100 px the difference
#   of the two rules is 1 %. At 3 px it is a quarter of the IoU, always in favour of the detector, so that no one asks.
# Seen: AP@50 of a 2x2 detection on a 3x3 target: mean-average-precision 1, mapcalc 1, object-detection-metrics 0, pycocotools 0 (IoU 0.444)
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "mean-average-precision==2024.1.5.0" "mapcalc==0.2.2" "pycocotools==2.0.11" "numpy==2.4.6" "pandas==3.1.1" "shapely==2.2.0" tqdm
"$folder/env/bin/pip" install --quiet --no-deps "object-detection-metrics==0.4.post1"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import pycocotools.mask
from mapcalc import calculate_map
from mean_average_precision import MetricBuilder
from podm.metrics import BoundingBox, get_pascal_voc_metrics

target, found, score = [10.0, 10.0, 13.0, 13.0], [10.0, 10.0, 12.0, 12.0], 0.9

metric = MetricBuilder.build_evaluation_metric("map_2d", async_mode=False, num_classes=1)
metric.add(np.array([[*found, 0, score]]), np.array([[*target, 0, 0, 0]]))
truth = {"boxes": [target], "labels": [1]}
boxes = {"boxes": [found], "labels": [1], "scores": [score]}
podm = get_pascal_voc_metrics(
    [BoundingBox.of_bbox("image", "target", *target)], [BoundingBox.of_bbox("image", "target", *found, score)], 0.5
)
iou = pycocotools.mask.iou(np.array([[10, 10, 2, 2.0]]), np.array([[10, 10, 3, 3.0]]), [0])[0, 0]
seen = {
    "mean-average-precision": float(metric.value(iou_thresholds=0.5)["mAP"]),
    "mapcalc": float(calculate_map(truth, boxes, 0.5)),
    "object-detection-metrics": float(podm["target"].ap),
    "pycocotools": float(iou >= 0.5),
}
print("AP@50 of a 2x2 detection on a 3x3 target: " + ", ".join(f"{n} {v:.0f}" for n, v in seen.items()) + f" (IoU {iou:.3f})")
sys.exit(list(seen.values()) != [1, 1, 0, 0])
PYTHON
