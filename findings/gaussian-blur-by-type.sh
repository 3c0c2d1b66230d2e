#!/usr/bin/env bash
# Packages: opencv-python-headless==5.0.0.93 scipy==1.17.1 numpy==2.4.6
# Behaviour: cv2.GaussianBlur with a sigma and no kernel size takes another kernel for uint8 and uint16 images than for float32: cut at 3
#   sigma (9 px at sigma 1.5) against 4 sigma (13 px). SciPy cuts at 4 sigma for every type. The blur of one 16-bit frame and of its copy as
#   float32 differs by a count of 30 in 30,000 and more in the tails.
# Why a good guess misses it: The kernel is thought to follow from sigma alone, and converting a frame to float to be exact. A difference of
#   Gaussians or a local contrast divides by such tails, so a detector tuned on float images and run on the camera's integers gives other
#   scores near a hot object.
# Seen: @@SEEN@@
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "opencv-python-headless==5.0.0.93" "scipy==1.17.1" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
from scipy import ndimage

image = np.zeros((41, 41), np.uint16)
image[20, 20] = 30000
support, blurred = {}, {}
for kind in (np.uint8, np.uint16, np.float32):
    scaled = image // 128 if kind is np.uint8 else image
    blurred[kind.__name__] = cv2.GaussianBlur(scaled.astype(kind), (0, 0), 1.5)
    # A wide dynamic range, so that a tail of one count in 30,000 is seen.
    support[kind.__name__] = int(np.count_nonzero(blurred[kind.__name__][20]))
support["scipy float32"] = int(np.count_nonzero(ndimage.gaussian_filter(image.astype(np.float32), 1.5)[20]))
difference = float(np.abs(blurred["uint16"] - blurred["float32"]).max())
print(f"pixels of the blurred point in its row: {support}; uint16 and float32 differ by {difference:.1f} at most")
sys.exit(support["uint16"] >= support["float32"] or support["float32"] != support["scipy float32"] or difference < 5)
PYTHON
