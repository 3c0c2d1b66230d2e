#!/usr/bin/env bash
# Packages: pillow==13.0.0 numpy==2.4.6
# Behaviour: A 16-bit frame turned by 10 degrees by Pillow, or moved by half a pixel with transform, is destroyed when it is interpolated:
#   8000 counts become about 50, in BILINEAR and BICUBIC, and no error is raised: the two bytes of a pixel are mixed as if they were two
#   pixels of 8 bits. NEAREST, resize with any filter, and the same step in mode F are right.
# Why a good guess misses it: Pillow opens the PNG as 16 bits, resizes it well and refuses some steps for 16 bits with an error, so what it
#   does is taken for right. The frame keeps type and size; stretched to its own range it looks like a noisy scene, and a network trains on
#   it, in the share of samples that were turned.
# Seen: background of 8000 / target of 8400 after: rotate NEAREST 8000 / 8400, rotate BILINEAR 41 / 60, rotate BICUBIC 38 / 63, transform BILINEAR 47 / 47, resize BILINEAR 8000 / 8400, rotate BILINEAR in F 8000 / 8368
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "pillow==13.0.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
from PIL import Image

counts = np.full((64, 64), 8000, np.uint16)
counts[30:33, 30:33] = 8400
Image.fromarray(counts).save("frame.png")
frame = Image.open("frame.png")
assert frame.mode == "I;16"
filters, half = Image.Resampling, (1, 0, 0.5, 0, 1, 0.5)
results = {
    "rotate NEAREST": frame.rotate(10, filters.NEAREST),
    "rotate BILINEAR": frame.rotate(10, filters.BILINEAR),
    "rotate BICUBIC": frame.rotate(10, filters.BICUBIC),
    "transform BILINEAR": frame.transform((64, 64), Image.Transform.AFFINE, half, filters.BILINEAR),
    "resize BILINEAR": frame.resize((96, 96), filters.BILINEAR),
    "rotate BILINEAR in F": frame.convert("F").rotate(10, filters.BILINEAR),
}
# The background half way to the upper border, and the target at the middle of the image.
seen = {}
for name, image in results.items():
    values, n = np.asarray(image), image.width
    seen[name] = (round(float(values[n // 4, n // 2])), round(float(values[n // 2 - (n == 96), n // 2 - (n == 96)])))
print("background of 8000 / target of 8400 after: " + ", ".join(f"{n} {a} / {b}" for n, (a, b) in seen.items()))
broken = ("rotate BILINEAR", "rotate BICUBIC", "transform BILINEAR")
sys.exit(
    any(max(seen[name]) > 255 for name in broken) or any(seen[n][0] != 8000 or seen[n][1] < 8300 for n in seen if n not in broken)
)
PYTHON
