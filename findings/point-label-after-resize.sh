#!/usr/bin/env bash
# Packages: albumentations==2.0.8 opencv-python-headless==5.0.0.93 numpy==2.4.6
# Behaviour: A keypoint of albumentations leaves its target when the image is resized. Flips, turns and affine steps take it as the centre of a
#   pixel (a flip is w - 1 - x), Resize multiplies it as if it were measured from the edge: from 128 to 512 it comes to lie 1.5 px left of and
#   above the centre of the target in the same call. Resize before and after a flip give points 3 px apart, and the images are equal. The
#   same scale by Affine has no error.
# Why a good guess misses it: Image and points go through one call, and each step is exact in its own convention; no step alone shows which
#   one that is. On a face of 300 px 1.5 px are nothing. Point labels are the usual ones of small targets, and a hit is counted within 3 px
#   of the centre.
# Seen: keypoint minus centre of the target in x: Resize -1.5, Resize and flip 1.5, flip and Resize -1.5, Affine 0.0
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "albumentations==2.0.8" "opencv-python-headless==5.0.0.93" "numpy==2.4.6"
cd "$folder"
export NO_ALBUMENTATIONS_UPDATE=1
"$folder/env/bin/python" - <<'PYTHON'
import sys

import albumentations
import numpy as np

image = np.zeros((128, 128), np.uint8)
image[49:52, 29:32] = 200
resize, flip = albumentations.Resize(512, 512), albumentations.HorizontalFlip(p=1)
affine = albumentations.Affine(scale=(4, 4), fit_output=True, p=1)
chains = {"Resize": [resize], "Resize and flip": [resize, flip], "flip and Resize": [flip, resize], "Affine": [affine]}
seen, images = {}, {}
for name, chain in chains.items():
    points = albumentations.KeypointParams(format="xy", remove_invisible=False)
    out = albumentations.Compose(chain, keypoint_params=points)(image=image, keypoints=[(30, 50)])
    images[name] = out["image"].astype(float)
    centre = (images[name].sum(axis=0) * np.arange(images[name].shape[1])).sum() / images[name].sum()
    seen[name] = round(float(out["keypoints"][0][0] - centre), 1)
print("keypoint minus centre of the target in x: " + ", ".join(f"{n} {v}" for n, v in seen.items()))
same = np.array_equal(images["Resize and flip"], images["flip and Resize"])
sys.exit(not same or list(seen.values()) != [-1.5, 1.5, -1.5, 0])
PYTHON
