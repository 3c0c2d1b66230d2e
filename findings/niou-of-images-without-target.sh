#!/usr/bin/env bash
# Packages: monai==1.6.1 torchmetrics==1.9.0 scikit-learn==1.9.1 torch==2.13.0 numpy==2.4.6
# Behaviour: The mean IoU over three images has four values: 0.750 and 0.583 in MONAI's MeanIoU, 0.375 in torchmetrics' MeanIoU, 0.250 as a
#   mean of scikit-learn's jaccard_score. One image has a target (IoU 0.75), one has none and nothing was found, one has none and a false alarm.
#   As delivered MONAI leaves both images without target out, so that a false alarm in an empty scene costs nothing; with ignore_empty=False the
#   quiet one counts 1; torchmetrics leaves out the quiet one alone; scikit-learn counts it 0, as if a target had been missed.
# Why a good guess misses it: Intersection over union has one formula, and 0/0 is thought of as a corner. In search and track most scenes are
#   empty, and data sets of the field have such images: nIoU then measures chiefly this rule, and a network that raises an alarm in every
#   empty scene can be ahead.
# Seen: mean over three images: MONAI 0.750, MONAI with empty images 0.583, torchmetrics 0.375, scikit-learn 0.250
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "monai==1.6.1" "torchmetrics==1.9.0" "scikit-learn==1.9.1" "torch==2.13.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
import monai.metrics
import torchmetrics.segmentation
from sklearn.metrics import jaccard_score

truth = torch.zeros(3, 1, 16, 16, dtype=torch.int64)
found = truth.clone()
truth[0, 0, 2:5, 2:6] = 1  # a target of 12 pixels,
found[0, 0, 2:5, 2:5] = 1  # of which 9 are found
found[2, 0, 8, 8] = 1  # a false alarm where no target is


def monai_mean(ignore_empty):
    metric = monai.metrics.MeanIoU(ignore_empty=ignore_empty)
    metric(found.float(), truth.float())
    return metric.aggregate().item()


def two_classes(mask):
    return torch.cat([1 - mask, mask], dim=1)


metric = torchmetrics.segmentation.MeanIoU(num_classes=2, include_background=False, input_format="one-hot")
seen = {
    "MONAI": monai_mean(True),
    "MONAI with empty images": monai_mean(False),
    "torchmetrics": metric(two_classes(found), two_classes(truth)).item(),
    "scikit-learn": float(np.mean([jaccard_score(t.ravel(), f.ravel()) for t, f in zip(truth.numpy(), found.numpy())])),
}
print("mean over three images: " + ", ".join(f"{name} {value:.3f}" for name, value in seen.items()))
sys.exit([round(value, 3) for value in seen.values()] != [0.75, 0.583, 0.375, 0.25])
PYTHON
