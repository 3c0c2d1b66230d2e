#!/usr/bin/env bash
# Packages: motmetrics==1.4.0 datumaro==1.13.12 numpy==1.26.4 numpy==2.4.6 pandas==2.2.3
# Behaviour: A perfect tracker of a target of 3x3 px has a MOTA of -1, each box counted as missed and as a false alarm, if the truth comes from a MOT text file and its own boxes
#   from memory: motmetrics takes one from x and y as it reads, since the format counts pixels from 1, and Datumaro, which writes it (and CVAT's MOT), counts
#   from 0. IoU is 4/14 then, and 1 px has none. At 100 px the MOTA is 1.
# Why a good guess misses it: The numbers in the file are those of the boxes, and no option or message tells of the step. Truth and tracks that both go through files are moved
#   together and fit; it is the usual test, and it shows nothing. A pixel to the left and up looks like a tracker that lags, and a MOTA that falls with the
#   size of the target like a weak one.
# Seen: MOTA of a perfect tracker: 1x1 -1, 2x2 -1, 3x3 -1, 5x5 -1, 100x100 1
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/writer"
python3 -m venv "$folder/metric"
"$folder/writer/bin/pip" install --quiet "datumaro==1.13.12" "numpy==2.4.6"
"$folder/metric/bin/pip" install --quiet "motmetrics==1.4.0" "numpy==1.26.4" "pandas==2.2.3"
cd "$folder"
"$folder/writer/bin/python" - <<'PYTHON'
import datumaro
import numpy as np
from datumaro.components.media import Image

frame = Image.from_numpy(data=np.zeros((288, 384, 3), np.uint8))
for side in (1, 2, 3, 5, 100):
    boxes = [datumaro.Bbox(100 + k, 50, side, side, label=0, attributes={"track_id": 1}) for k in range(10)]
    items = [datumaro.DatasetItem(id=f"{k + 1:06d}", media=frame, annotations=[box]) for k, box in enumerate(boxes)]
    datumaro.Dataset.from_iterable(items, categories=["target"]).export(f"tracks-{side}", "mot_seq_gt", save_media=True)
PYTHON
"$folder/metric/bin/python" - <<'PYTHON'
import sys

import motmetrics
import numpy as np

seen = {}
for side in (1, 2, 3, 5, 100):
    truth = motmetrics.io.loadtxt(f"tracks-{side}/gt/gt.txt", fmt="mot15-2D")
    events = motmetrics.MOTAccumulator(auto_id=True)
    for k in range(10):
        targets = truth.loc[k + 1]
        box = np.array([[100 + k, 50, side, side]], dtype=float)  # what a perfect tracker returns
        distances = motmetrics.distances.iou_matrix(targets[["X", "Y", "Width", "Height"]].values, box, max_iou=0.5)
        events.update(list(targets.index), [1], distances)
    seen[side] = float(motmetrics.metrics.create().compute(events, metrics=["mota"])["mota"].iloc[0])
print("MOTA of a perfect tracker: " + ", ".join(f"{side}x{side} {value:.0f}" for side, value in seen.items()))
sys.exit(seen != {1: -1.0, 2: -1.0, 3: -1.0, 5: -1.0, 100: 1.0})
PYTHON
