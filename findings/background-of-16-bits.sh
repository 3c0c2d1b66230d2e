#!/usr/bin/env bash
# Packages: opencv-python-headless==5.0.0.93 numpy==2.4.6
# Behaviour: OpenCV's background subtractor MOG2 takes frames of 16 bits and of float, and its threshold is in standard deviations, but these are kept between 2 and 8.7
#   grey levels, whatever the frame holds. After 120 frames of a still scene, noise of 3 counts leaves none of the pixels as foreground, noise of 30 counts
#   7 %, of 100 counts 54 %. In kelvin, with a noise of 0.05 K, a target of 1 K, twenty standard deviations, is not found at all.
# Why a good guess misses it: varThreshold is documented as a Mahalanobis distance, which knows no unit; frames of 16 bits are accepted where most of OpenCV's video
#   functions refuse them, and a mask that is half noise is taken for a moving background. Raising the threshold mends it at one gain of
#   the camera, and loses the targets at another. Divided by a constant to the same noise in 8 bits the same frames are right.
# Seen: foreground of a still scene, pixels of 9 of a target of 20 standard deviations: noise 3 counts 0.00 %, 9; 30 counts 6.5 %, 9; 100 counts 54.3 %, 9; 0.05 K 0.00 %, 0
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "opencv-python-headless==5.0.0.93" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np

RNG = np.random.default_rng(0)


def foreground(level, noise, dtype):
    """The share of false foreground in the last of 120 frames, and pixels found of a target of 3x3."""
    subtractor = cv2.createBackgroundSubtractorMOG2(history=200, detectShadows=False)
    for _ in range(120):
        frame = RNG.normal(level, noise, (128, 160))
        mask = subtractor.apply((frame.round() if dtype == np.uint16 else frame).astype(dtype))
    frame = RNG.normal(level, noise, (128, 160))
    frame[60:63, 80:83] = level + 20 * noise
    last = subtractor.apply(frame.astype(dtype))
    return float((mask > 0).mean()), int((last[60:63, 80:83] > 0).sum())


seen = {f"{noise} counts": foreground(8000, noise, np.uint16) for noise in (3, 30, 100)}
seen["0.05 K"] = foreground(300, 0.05, np.float32)
words = [f"{name} {100 * share:.{2 if share < 0.01 else 1}f} %, {n}" for name, (share, n) in seen.items()]
print("foreground of a still scene, pixels of 9 of a target of 20 standard deviations: noise " + "; ".join(words))
shares = [share for share, _ in seen.values()]
sys.exit(not (shares[0] < 0.005 < 0.03 < shares[1] < 0.3 < shares[2] and seen["3 counts"][1] == 9 and seen["0.05 K"] == (0, 0)))
PYTHON
