#!/usr/bin/env bash
# Packages: opencv-python-headless==5.0.0.93 scipy==1.17.1 scikit-image==0.26.0 numpy==2.4.6
# Behaviour: OpenCV's opening with a structuring element of even side is no opening: erosion and dilation use the same anchor, the second is
#   not reflected, and the result is moved by one pixel. The top-hat of a 2x2 target that fits into the element, 0 by definition, keeps three
#   quarters of it; SciPy and scikit-image give 0.
# Why a good guess misses it: An opening never exceeds its input and leaves unchanged what the element fits into; a good library is trusted
#   with that, and with odd elements it holds. The top-hat of infrared papers takes elements of 2x2 to 6x6 px for targets of their size.
# Seen: sum of the top-hat of a 2x2 target of 400, element 2x2: opencv 300, scipy 0, scikit-image 0; opened by OpenCV it begins at [4, 4], not [3, 3]
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "opencv-python-headless==5.0.0.93" "scipy==1.17.1" "scikit-image==0.26.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
from scipy import ndimage
from skimage import morphology

image = np.zeros((9, 9), np.uint8)
image[3:5, 3:5] = 100
element = np.ones((2, 2), np.uint8)
sums = {
    "opencv": cv2.morphologyEx(image, cv2.MORPH_TOPHAT, element).sum(),
    "scipy": ndimage.white_tophat(image, footprint=element).sum(),
    "scikit-image": morphology.white_tophat(image, element).sum(),
}
opened = cv2.morphologyEx(image, cv2.MORPH_OPEN, element)
first = np.argwhere(opened)[0].tolist()
print("sum of the top-hat of a 2x2 target of 400, element 2x2: " + ", ".join(f"{n} {v}" for n, v in sums.items()) + f"; opened by OpenCV it begins at {first}, not [3, 3]")
sys.exit([int(v) for v in sums.values()] != [300, 0, 0] or first != [4, 4])
PYTHON
