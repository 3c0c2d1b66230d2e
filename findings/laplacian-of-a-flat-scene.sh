#!/usr/bin/env bash
# Packages: scipy==1.17.1 scikit-image==0.26.0 numpy==2.4.6
# Behaviour: The Laplacian of a Gaussian of a flat scene is not 0. SciPy samples the second derivative at whole pixels, and at the scales of
#   targets of 1 and 2 px the samples do not sum to 0: 8000 counts without any structure give a response of 2239 at sigma 0.5, a target of one
#   pixel and 100 counts gives 124. scikit-image's blob_log, which is built on it, finds 4096 blobs in a flat image of 64x64. The difference of
#   two Gaussians gives 0 at every scale.
# Why a good guess misses it: A Laplacian has no response to a constant, and from sigma 1 on the rest is small against any target. Blob
#   detectors are tried at sigma 2 and more and on images from 0 to 1; the frame of counts and the target of one pixel come together only
#   here, and then the brightest cloud is the best target.
# Seen: response of 8000 flat counts / of 100 counts in one pixel: sigma 0.5 2239 / 124, sigma 0.7 39 / 65, sigma 1 1 / 32; difference of Gaussians at 0.5: 0; blobs in a flat image of 64x64: 4096
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "scipy==1.17.1" "scikit-image==0.26.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_laplace
from skimage.feature import blob_log

flat, target = np.full((41, 41), 8000.0), np.zeros((41, 41))
target[20, 20] = 100
# Normalised by the scale, and positive for bright targets, as blob detectors have it.
seen = {
    sigma: tuple(round(float(-(sigma**2) * gaussian_laplace(image, sigma)[20, 20])) for image in (flat, target))
    for sigma in (0.5, 0.7, 1)
}
difference = abs(float((gaussian_filter(flat, 0.5) - gaussian_filter(flat, 0.8))[20, 20]))
blobs = len(blob_log(np.full((64, 64), 0.5), min_sigma=0.5, max_sigma=3, threshold=0.1))
print(
    "response of 8000 flat counts / of 100 counts in one pixel: "
    + ", ".join(f"sigma {s} {a} / {b}" for s, (a, b) in seen.items())
    + f"; difference of Gaussians at 0.5: {difference:.0f}; blobs in a flat image of 64x64: {blobs}"
)
sys.exit(seen != {0.5: (2239, 124), 0.7: (39, 65), 1: (1, 32)} or difference > 1e-6 or blobs != 4096)
PYTHON
