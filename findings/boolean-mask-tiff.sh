#!/usr/bin/env bash
# Packages: tifffile==2026.3.3 opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6
# Behaviour: A boolean mask written by tifffile is read as its complement by OpenCV and Pillow: tifffile stores it as MinIsWhite and leaves
#   the values alone when it reads, the others turn them round. With 8 bits OpenCV and Pillow turn MinIsWhite round as well, with 16 bits
#   neither does.
# Why a good guess misses it: One tool writes and reads its own file without a fault. The complement of a mask of a few pixels is a target
#   of the whole image, which a metric takes without complaint; and whoever has checked the 8-bit case expects the 16-bit one to be alike.
# Seen: the target is the brighter one in (tifffile, OpenCV, Pillow): bool (True, False, False); uint8 MinIsWhite (True, False, False); uint16 MinIsWhite (True, True, True)
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "tifffile==2026.3.3" "opencv-python-headless==5.0.0.93" "pillow==13.0.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
import tifffile
from PIL import Image


def readings(mask, **options):
    tifffile.imwrite("mask.tif", mask, **options)
    return tuple(
        bool(read[5, 5] > read[0, 0])
        for read in (
            tifffile.imread("mask.tif"),
            cv2.imread("mask.tif", cv2.IMREAD_UNCHANGED),
            np.asarray(Image.open("mask.tif")).astype(int),
        )
    )


mask = np.zeros((16, 16), bool)
mask[5:7, 5:7] = True
seen = {
    "bool": readings(mask),
    "uint8 MinIsWhite": readings(mask.astype(np.uint8) * 255, photometric="miniswhite"),
    "uint16 MinIsWhite": readings(mask.astype(np.uint16) * 65535, photometric="miniswhite"),
}
print("the target is the brighter one in (tifffile, OpenCV, Pillow): " + "; ".join(f"{n} {v}" for n, v in seen.items()))
sys.exit(list(seen.values()) != [(True, False, False), (True, False, False), (True, True, True)])
PYTHON
