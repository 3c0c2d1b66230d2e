#!/usr/bin/env bash
# Packages: panoptica==2.1.7 scipy==1.17.1 connected-components-3d==3.29.0 numpy==2.2.6
# Behaviour: The same mask has 7 targets in panoptica as an image of 64x64, and 3 as a volume of one slice, 1x64x64. Without a backend named, components
#   are found by SciPy for two dimensions, where diagonal neighbours are apart, and by cc3d for three, where they belong together. A detector that
#   finds one pixel of a streak of three on the diagonal has two missed targets and a hit in one case, and one hit in the other.
# Why a good guess misses it: An axis of length one is thought to change nothing. Targets of a few pixels meet at corners often, where a threshold cuts the
#   side of a point spread function or a target moves during the exposure; components of objects of 100 px hardly ever do. Detection rates count targets, and the
#   papers of the field count with diagonals.
# Seen: targets of the mask: panoptica 64x64 7, panoptica 1x64x64 3; SciPy 7, SciPy with diagonals 3, cc3d 3
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "panoptica==2.1.7" "scipy==1.17.1" "connected-components-3d==3.29.0" "numpy==2.2.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cc3d
import numpy as np
from panoptica import ConnectedComponentsInstanceApproximator, InputType, NaiveThresholdMatching, Panoptica_Evaluator
from scipy import ndimage

mask = np.zeros((64, 64), np.uint8)
for step in range(3):
    mask[10 + step, 10 + step] = 1  # a streak
mask[30, 30] = mask[31, 31] = mask[30, 32] = 1
mask[50:53, 50:53] = 1


def n_targets(array):
    evaluator = Panoptica_Evaluator(
        expected_input=InputType.SEMANTIC,
        instance_approximator=ConnectedComponentsInstanceApproximator(),
        instance_matcher=NaiveThresholdMatching(),
    )
    return int(evaluator.evaluate(array, array)["ungrouped"].tp)


seen = {
    "panoptica 64x64": n_targets(mask),
    "panoptica 1x64x64": n_targets(mask[None]),
    "SciPy": ndimage.label(mask)[1],
    "SciPy with diagonals": ndimage.label(mask, np.ones((3, 3)))[1],
    "cc3d": int(cc3d.connected_components(mask, return_N=True)[1]),
}
counts = [f"{name} {n}" for name, n in seen.items()]
print(f"targets of the mask: {', '.join(counts[:2])}; {', '.join(counts[2:])}")
sys.exit(list(seen.values()) != [7, 3, 7, 3, 3])
PYTHON
