#!/usr/bin/env bash
# Packages: scikit-image==0.26.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
# Behaviour: A target of 30 counts over a noise of 3, at 8,000 counts, is seen through scikit-image's equalize_adapthist in all of 20 frames, and in none once one
#   pixel far from it is hot, at 16,383: contrast to noise falls from 8.8 to 0.0. The equalisation is local, but before it the frame is stretched
#   from its minimum to its maximum and cut into 256 bins, here of 33 counts: target and background share one. OpenCV's CLAHE takes 16 bits as they
#   are and is the same with and without.
# Why a good guess misses it: CLAHE is chosen because a hot spot at one place shall not rule another; that the limits of the whole frame enter is the opposite of its
#   name. Images of 8 bits have no more than 256 levels to lose. A frame of a 14-bit camera uses a hundred of its counts, until one pixel is
#   hot or the sun is in it.
# Seen: frames of 20 with a visible target / mean contrast to noise, without and with a hot pixel: scikit-image 20 / 8.8 and 0 / 0.0, OpenCV 20 / 3.1 and 20 / 3.1
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "scikit-image==0.26.0" "opencv-python-headless==5.0.0.93" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
from skimage import exposure

N_FRAMES = 20
inside = np.zeros((23, 23), bool)
inside[10:13, 10:13] = True


def frame(seed, hot):
    counts = np.random.default_rng(seed).normal(8000, 3, (128, 128))
    counts[60:63, 60:63] += 30
    if hot:
        counts[100, 100] = 16383
    return np.rint(counts).astype(np.uint16)


def contrast(equalised):
    around = equalised[50:73, 50:73].astype(np.float64)
    noise = around[~inside].std()
    return (around[inside].mean() - around[~inside].mean()) / noise if noise else 0.0


rules = {"scikit-image": exposure.equalize_adapthist, "OpenCV": cv2.createCLAHE(2.0, (8, 8)).apply}
seen = {
    name: [[contrast(rule(frame(seed, hot))) for seed in range(N_FRAMES)] for hot in (False, True)] for name, rule in rules.items()
}
n_visible = {name: [sum(one > 2 for one in some) for some in both] for name, both in seen.items()}
shown = ", ".join(
    f"{name} " + " and ".join(f"{n} / {abs(np.mean(some)):.1f}" for n, some in zip(n_visible[name], both, strict=True))
    for name, both in seen.items()
)
print(f"frames of {N_FRAMES} with a visible target / mean contrast to noise, without and with a hot pixel: {shown}")
sys.exit(n_visible != {"scikit-image": [N_FRAMES, 0], "OpenCV": [N_FRAMES, N_FRAMES]})
PYTHON
