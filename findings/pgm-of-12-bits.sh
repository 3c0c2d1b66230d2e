#!/usr/bin/env bash
# Packages: pillow==13.0.0 imageio==2.38.1 scikit-image==0.26.0 opencv-python-headless==5.0.0.93 imagecodecs==2026.3.6 numpy==2.4.6
# Behaviour: Frames of 12 bits in PGM (maximum 4095) and in JPEG 2000 are scaled to 16 bits by Pillow, and with it PGM by imageio and
#   scikit-image: PGM by 65535 / 4095, in steps of 16 and 17, JPEG 2000 by 16. OpenCV returns the counts as stored for both. With TIFF of 12
#   bits it is the other way round: there OpenCV scales (packed-12-bit-tiff.sh).
# Why a good guess misses it: Whoever has learnt that one reader scales avoids it, and takes the other for the honest one; which of the two
#   it is depends on the format of the file. Type and size are right and the picture looks right. What is said in counts is wrong by 16, and
#   one frame kept in both formats differs by up to 15 counts in the same reader.
# Seen: 4095 is read as: PGM Pillow 65535, imageio 65535, scikit-image 65535, OpenCV 4095; JPEG 2000 Pillow 65520, OpenCV 4095, imagecodecs 4095; steps of PGM in Pillow: [16, 17]
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "pillow==13.0.0" "imageio==2.38.1" "scikit-image==0.26.0" "opencv-python-headless==5.0.0.93" "imagecodecs==2026.3.6" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import imagecodecs
import imageio.v3
import numpy as np
import skimage.io
from PIL import Image

counts = np.arange(4096, dtype=np.uint16).reshape(64, 64)
with open("frame.pgm", "wb") as file:
    file.write(b"P5\n64 64\n4095\n" + counts.astype(">u2").tobytes())
with open("frame.jp2", "wb") as file:
    file.write(imagecodecs.jpeg2k_encode(counts, level=0, bitspersample=12, codecformat="jp2"))
pgm = {
    "Pillow": np.asarray(Image.open("frame.pgm")),
    "imageio": imageio.v3.imread("frame.pgm"),
    "scikit-image": skimage.io.imread("frame.pgm"),
    "OpenCV": cv2.imread("frame.pgm", cv2.IMREAD_UNCHANGED),
}
jpeg = {
    "Pillow": np.asarray(Image.open("frame.jp2")),
    "OpenCV": cv2.imread("frame.jp2", cv2.IMREAD_UNCHANGED),
    "imagecodecs": imagecodecs.imread("frame.jp2"),
}


def text(readings):
    return ", ".join(f"{name} {values.max()}" for name, values in readings.items())


steps = sorted({int(v) for v in np.diff(pgm["Pillow"].ravel())})
print(f"4095 is read as: PGM {text(pgm)}; JPEG 2000 {text(jpeg)}; steps of PGM in Pillow: {steps}")
sys.exit(
    [int(values.max()) for values in (*pgm.values(), *jpeg.values())] != [65535, 65535, 65535, 4095, 65520, 4095, 4095]
    or not all(np.array_equal(values, counts) for values in (pgm["OpenCV"], jpeg["OpenCV"], jpeg["imagecodecs"]))
    or steps != [16, 17]
)
PYTHON
