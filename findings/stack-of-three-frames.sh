#!/usr/bin/env bash
# Packages: tifffile==2026.3.3 scikit-image==0.26.0 opencv-python-headless==5.0.0.93 imagecodecs==2026.3.6 numpy==2.4.6
# Behaviour: A stack of infrared frames stops being one when it has exactly three or four. tifffile writes it as one page of three (four)
#   colour planes, where two or five frames become pages; scikit-image's io.imread moves the frames of a stack of pages to the last axis, as
#   if they were colours; and OpenCV reads the 16-bit planes that tifffile wrote with samples of one row mixed and part of the page 0.
# Why a good guess misses it: The number of frames is data, and code that was tried with ten frames, or with one, has no reason to treat
#   three in another way. Nothing warns, shapes of both kinds are sound arrays, and a first frame that is read by its first index is a column
#   of pixels.
# Seen: pages that tifffile writes: {2: 2, 3: 1, 4: 1, 5: 5}; shapes that scikit-image reads from grey pages: {2: (2, 20, 30), 3: (20, 30, 3), 4: (20, 30, 4), 5: (5, 20, 30)}; OpenCV returns the three planes as stored: False
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "tifffile==2026.3.3" "scikit-image==0.26.0" "opencv-python-headless==5.0.0.93" "imagecodecs==2026.3.6" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
import tifffile
from skimage import io

pages, shapes, intact = {}, {}, None
for n in (2, 3, 4, 5):
    stack = np.arange(n * 20 * 30, dtype=np.uint16).reshape(n, 20, 30)
    tifffile.imwrite("plain.tif", stack)
    with tifffile.TiffFile("plain.tif") as file:
        pages[n] = len(file.pages)
    if n == 3:
        read = cv2.imread("plain.tif", cv2.IMREAD_UNCHANGED)
        # Blue, green, red: the last channel would be the first plane.
        intact = all(np.array_equal(read[:, :, 2 - i], frame) for i, frame in enumerate(stack))
    tifffile.imwrite("grey.tif", stack, photometric="minisblack")
    shapes[n] = io.imread("grey.tif").shape
print(f"pages that tifffile writes: {pages}; shapes that scikit-image reads from grey pages: {shapes}; OpenCV returns the three planes as stored: {intact}")
sys.exit(
    pages != {2: 2, 3: 1, 4: 1, 5: 5}
    or shapes != {2: (2, 20, 30), 3: (20, 30, 3), 4: (20, 30, 4), 5: (5, 20, 30)}
    or intact
)
PYTHON
