#!/usr/bin/env bash
# Packages: pysodmetrics==1.6.2 numpy==1.26.4
# Behaviour: PySODMetrics stretches each prediction to its own minimum and maximum before it measures, so that its confidence does not count. A target found
#   with a probability of 0.02 and one found with 0.95 have the same MAE, 0, and the same F-measure, 1. An empty scene, on which the network says at most 0.02 anywhere, has
#   an MAE of 0.51, and the true mean of its probabilities is 0.01; where it says 0 everywhere, the MAE is 0.
# Why a good guess misses it: Mean absolute error and F-measure at a threshold are defined on the map as it is, and the map comes in the format that is asked for, 0 to
#   255. A salient object fills part of every image, so that its maximum is near 1 and nothing changes. In search and track most scenes are
#   empty: the noise of a network that is sure that there is nothing becomes false alarms at every threshold.
# Seen: MAE, F-measure at 0.5: target at 0.95 0.000, 1.00; target at 0.02 0.000, 1.00; empty scene up to 0.02 0.509; empty scene of 0 0.000; mean of its probabilities 0.010
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "pysodmetrics==1.6.2" "numpy==1.26.4"
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
import py_sod_metrics

SHAPE = (256, 256)
target = np.zeros(SHAPE, np.uint8)
target[100:103, 100:103] = 255
empty = np.zeros(SHAPE, np.uint8)


def measured(probabilities, truth):
    """Mean absolute error, and the F-measure at half of the range."""
    error, f_measure = py_sod_metrics.MAE(), py_sod_metrics.Fmeasure(beta=1)
    stored = np.round(255 * probabilities).astype(np.uint8)
    error.step(stored, truth)
    f_measure.step(stored, truth)
    return float(error.get_results()["mae"]), float(f_measure.get_results()["fm"]["curve"][128])


found = (target > 0).astype(float)
quiet = np.random.default_rng(0).uniform(0, 0.02, SHAPE)
sure, weak = measured(0.95 * found, target), measured(0.02 * found, target)
noise, silence = measured(quiet, empty)[0], measured(0 * quiet, empty)[0]
mean = float((np.round(255 * quiet) / 255).mean())
print(
    f"MAE, F-measure at 0.5: target at 0.95 {sure[0]:.3f}, {sure[1]:.2f}; target at 0.02 {weak[0]:.3f}, {weak[1]:.2f}; "
    f"empty scene up to 0.02 {noise:.3f}; empty scene of 0 {silence:.3f}; mean of its probabilities {mean:.3f}"
)
sys.exit(not (weak == sure == (0.0, 1.0) and noise > 0.3 and silence == 0 and mean < 0.02))
PYTHON
