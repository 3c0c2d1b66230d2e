#!/usr/bin/env bash
# Packages: torchmetrics==1.9.0 scikit-learn==1.9.1 torch==2.13.0 numpy==2.4.6
# Behaviour: BinaryAUROC of torchmetrics returns 0.5 for a score map in grey levels that separates the target almost perfectly, 0.99999 by
#   scikit-learn. Scores outside 0 to 1 are taken for logits and go through a sigmoid, which is 1 in float32 from 17 on: background at 40 and
#   target at 65 become the same score. Divided by 255 the same map has 0.99999.
# Why a good guess misses it: The area under a ROC curve depends on the order of the scores alone, so that no scale can be wrong. That logits
#   are recognised by their range is documented and harmless for logits; the score maps of classical detectors (top-hat, local contrast,
#   sparse component) are grey levels or their squares, and 0.5 is read as a detector that knows nothing.
# Seen: area under the ROC curve of one map: scikit-learn 0.99999, torchmetrics 0.50000, torchmetrics of the map / 255 0.99999
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "torchmetrics==1.9.0" "scikit-learn==1.9.1" "torch==2.13.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torchmetrics.classification import BinaryAUROC

mask = np.zeros((128, 128), int)
mask[60:63, 50:53] = 1
score = np.random.default_rng(0).normal(40, 5, mask.shape).clip(18, 62).astype(np.float32)
score[mask == 1] += 25


def torchmetrics_area(score):
    return BinaryAUROC()(torch.from_numpy(score), torch.from_numpy(mask)).item()


seen = (roc_auc_score(mask.ravel(), score.ravel()), torchmetrics_area(score), torchmetrics_area(score / 255))
print("area under the ROC curve of one map: scikit-learn {:.5f}, torchmetrics {:.5f}, torchmetrics of the map / 255 {:.5f}".format(*seen))
sys.exit(not (seen[0] > 0.999 and seen[1] == 0.5 and abs(seen[2] - seen[0]) < 1e-4))
PYTHON
