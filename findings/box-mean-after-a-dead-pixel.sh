#!/usr/bin/env bash
# Packages: scipy==1.17.1 opencv-python-headless==5.0.0.93 numpy==2.4.6
# Behaviour: One dead pixel of NaN makes the mean of 3x3 px NaN in 223,433 of 327,680 pixels by SciPy's uniform_filter, in 1,239 by OpenCV's blur, and in
#   226,304 by OpenCV's mean of 9x9; a Gaussian is NaN in the 81 px that its window reaches. As 1e20 in float32 the pixel leaves finite means of
#   0 to 267 in place of 300 in 1,239 to 8,559 px. All of these are running sums: what has entered them is subtracted again, and NaN less NaN
#   is NaN, 1e20 + 300 - 1e20 is 0.
# Why a good guess misses it: A filter is thought to see no further than its window, and with the Gaussian of the same libraries it is so. Radiometric
#   frames hold NaN or a huge number where the camera has no value, and local contrast compares a pixel with such means: NaN is above no
#   threshold in two thirds of the frame, and a mean of 100 makes targets of thousands of pixels.
# Seen: pixels touched by one dead pixel at (100, 100) of 512x640, NaN / 1e20: Gaussian 81 / 81, uniform_filter 3x3 223433 / 2853, blur 3x3 1239 / 1239, blur 9x9 226304 / 8559
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "scipy==1.17.1" "opencv-python-headless==5.0.0.93" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
from scipy import ndimage

filters = {
    "Gaussian": lambda frame: cv2.GaussianBlur(frame, (9, 9), 2),
    "uniform_filter 3x3": lambda frame: ndimage.uniform_filter(frame, 3),
    "blur 3x3": lambda frame: cv2.blur(frame, (3, 3)),
    "blur 9x9": lambda frame: cv2.blur(frame, (9, 9)),
}


def n_touched(mean, dead):
    frame = np.full((512, 640), 300, np.float32)
    frame[100, 100] = dead
    return int((~(np.abs(mean(frame) - 300) < 1)).sum())


seen = {name: (n_touched(mean, np.nan), n_touched(mean, 1e20)) for name, mean in filters.items()}
shown = ", ".join(f"{name} {one} / {two}" for name, (one, two) in seen.items())
print(f"pixels touched by one dead pixel at (100, 100) of 512x640, NaN / 1e20: {shown}")
lone, *running = seen.values()
# How far it goes depends on the vector instructions; that it leaves the window does not.
sys.exit(lone != (81, 81) or any(min(pair) < 800 for pair in running) or seen["uniform_filter 3x3"][0] < 200_000)
PYTHON
