#!/usr/bin/env bash
# Packages: trackpy==0.7 numpy==2.4.6 pandas==3.1.1
# Behaviour: trackpy's locate finds five targets of 100 counts over a noise of 5 in a frame of uint16, also beside a bright one of 8,000 counts. In the same
#   values as float32 it finds the bright one alone: a frame that is not of integers is filtered and then rounded to 8 bits with the brightest
#   pixel at 255, where 100 of 8,000 counts are 3 and noise takes the rest. Without the bright target all five are found in both types.
# Why a good guess misses it: float is the safer type everywhere else, and what cameras give in kelvin. Type and values of the input are
#   not changed, nothing warns, and an image with targets of one brightness, on which one tries it, shows no difference.
# Seen: dim targets found of 5, without / beside a bright one: uint16 5 / 5, float32 5 / 0, float64 5 / 0
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "trackpy==0.7" "numpy==2.4.6" "pandas==3.1.1"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import trackpy

trackpy.quiet()
rng = np.random.default_rng(0)
rows, columns = np.mgrid[:128, :128]
noise = rng.normal(8000, 5, (128, 128))


def target(row, column, counts):
    return counts * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 1.2**2))


dim = [(20, 30), (60, 90), (100, 40), (40, 100), (90, 100)]
without = noise + sum(target(row, column, 100) for row, column in dim)
beside = without + target(64, 64, 8000)


def n_found(frame, kind):
    found = trackpy.locate(np.rint(frame).astype(np.uint16).astype(kind), 7, minmass=100)
    return sum(bool((np.hypot(found.y - row, found.x - column) < 2).any()) for row, column in dim)


seen = {kind: (n_found(without, kind), n_found(beside, kind)) for kind in ("uint16", "float32", "float64")}
shown = ", ".join(f"{kind} {one} / {two}" for kind, (one, two) in seen.items())
print(f"dim targets found of 5, without / beside a bright one: {shown}")
sys.exit(seen != {"uint16": (5, 5), "float32": (5, 0), "float64": (5, 0)})
PYTHON
