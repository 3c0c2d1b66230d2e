#!/usr/bin/env bash
# Packages: tifffile==2026.3.3 imagecodecs==2026.3.6 opencv-python-headless==5.0.0.93 numpy==2.4.6
# Behaviour: OpenCV multiplies the values of packed TIFF: 10 bits by 64, 12 by 16, 14 by 4, so that the range becomes that of 16 bits.
#   tifffile with imagecodecs returns the counts that are stored.
# Why a good guess misses it: IMREAD_UNCHANGED is read as "the values of the file". The picture looks right, ratios and contrasts are right,
#   and only what is said in counts is wrong: a value range of 0 to 4095, a threshold, the camera's temperature curve, a frame read by both
#   tools.
# Seen: stored values times this from OpenCV, by bits: {10: 64, 12: 16, 14: 4}; tifffile: as stored
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "tifffile==2026.3.3" "imagecodecs==2026.3.6" "opencv-python-headless==5.0.0.93" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
import tifffile

factors = {}
for bits in (10, 12, 14):
    counts = (np.arange(64 * 64) % 2**bits).astype(np.uint16).reshape(64, 64)
    tifffile.imwrite("packed.tif", counts, bitspersample=bits)
    assert np.array_equal(tifffile.imread("packed.tif"), counts)
    read = cv2.imread("packed.tif", cv2.IMREAD_UNCHANGED)
    factor = int(read.max() // counts.max())
    assert np.array_equal(read, counts * factor)
    factors[bits] = factor
print(f"stored values times this from OpenCV, by bits: {factors}; tifffile: as stored")
sys.exit(factors != {10: 64, 12: 16, 14: 4})
PYTHON
