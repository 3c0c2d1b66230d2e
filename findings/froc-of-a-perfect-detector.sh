#!/usr/bin/env bash
# Packages: monai==1.6.1 torch==2.13.0 numpy==2.4.6
# Behaviour: MONAI's FROC leaves out the threshold of the lowest score, at which all detections count. A detector that finds ten of ten targets in five
#   images without a false alarm has the score 0 if all its probabilities are 1, 0.9 if they differ, and 1 once it raises a false alarm that is weaker than
#   all of them. Of equal scores none is left: five hits and five false alarms have 0 too.
# Why a good guess misses it: The curve ends where everything is kept, in every textbook, and one threshold of thousands is not missed in a histology slide. A test
#   set of infrared sequences has a hundred targets, and detections that come from masks have one score. That another false alarm raises a score is
#   what nobody tries.
# Seen: FROC score of ten hits of ten targets: equal probabilities 0.0, different ones 0.9, equal ones and a weaker false alarm 1.0; five equal hits and five false alarms 0.0
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "monai==1.6.1" "torch==2.13.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
from monai.metrics import compute_froc_curve_data, compute_froc_score


def score(hits, false_alarms=()):
    """Mean sensitivity at 1/4 to 8 false alarms an image, of ten targets in five images."""
    alarms, sensitivity = compute_froc_curve_data(np.array(false_alarms, float), np.array(hits, float), 10, 5)
    return round(float(compute_froc_score(alarms, sensitivity)), 3)


equal, different = score([1.0] * 10), score(np.linspace(0.5, 0.95, 10))
alarmed, half = score([1.0] * 10, [0.1]), score([1.0] * 5, [1.0] * 5)
print(
    f"FROC score of ten hits of ten targets: equal probabilities {equal}, different ones {different}, "
    f"equal ones and a weaker false alarm {alarmed}; five equal hits and five false alarms {half}"
)
sys.exit((equal, different, alarmed, half) != (0, 0.9, 1, 0))
PYTHON
