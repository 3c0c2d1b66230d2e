#!/usr/bin/env bash
# Packages: opencv-python-headless==5.0.0.93 scikit-image==0.26.0 numpy==2.4.6
# Behaviour: Normalised correlation with its template finds a target ten times above the noise in all of 20 frames, and in none of them once the
#   frame has the level of a 14-bit camera, 12,000 counts, in float32: OpenCV's TM_CCOEFF_NORMED returns exactly 1 at places of mere noise,
#   scikit-image's match_template values over 10, its documented maximum being 1. With the mean of the frame taken away, or in
#   float64 for scikit-image, all 20 are found.
# Why a good guess misses it: The coefficient does not depend on the level: it takes the mean away itself. That it does so after summing
#   squares of the level in single precision is not to be seen from outside, OpenCV takes no 16-bit frame here and so asks for float32, and
#   8-bit images, on which one tries it, show no error.
# Seen: targets at the highest coefficient, of 20 frames, float32 / less the mean: OpenCV 0 / 20, scikit-image 0 / 20; scikit-image in float64 20; highest coefficient above 1 in scikit-image: True
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "opencv-python-headless==5.0.0.93" "scikit-image==0.26.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
from skimage.feature import match_template

rng = np.random.default_rng(0)
y, x = np.indices((7, 7)) - 3
target = 30 * np.exp(-(x**2 + y**2) / 2)
template = np.round(12000 + target).astype(np.float32)
frames, place = [], (100, 120)
for _ in range(20):
    frame = 12000 + rng.normal(0, 3, (256, 256))
    frame[place[0] : place[0] + 7, place[1] : place[1] + 7] += target
    frames.append(np.round(frame).astype(np.float32))


def opencv(frame, template):
    return cv2.matchTemplate(frame, template, cv2.TM_CCOEFF_NORMED)


def found(match, level, dtype):
    maps = [match((frame - level).astype(dtype), (template - level).astype(dtype)) for frame in frames]
    places = [np.unravel_index(np.argmax(coefficients), coefficients.shape) for coefficients in maps]
    return sum(tuple(map(int, p)) == place for p in places), max(float(m.max()) for m in maps)


level = np.float32(12000)
seen = {
    name: [found(match, 0, np.float32), found(match, level, np.float32)]
    for name, match in (("OpenCV", opencv), ("scikit-image", match_template))
}
double, _ = found(match_template, 0, np.float64)
above = seen["scikit-image"][0][1] > 1.01
print(
    "targets at the highest coefficient, of 20 frames, float32 / less the mean: "
    + ", ".join(f"{n} {raw[0]} / {centred[0]}" for n, (raw, centred) in seen.items())
    + f"; scikit-image in float64 {double}; highest coefficient above 1 in scikit-image: {above}"
)
sys.exit(any(raw[0] > 5 or centred[0] < 20 for raw, centred in seen.values()) or double < 20 or not above)
PYTHON
