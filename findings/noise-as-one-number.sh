#!/usr/bin/env bash
# Packages: sep==1.4.1 numpy==2.4.6
# Behaviour: SEP (Source Extractor) at 3 sigma finds 8 of 256 targets of 5 sigma if the noise is given as a number, and 256 if it is given as an array full of that number.
#   Both are filtered with its kernel of 3x3 px first; only with an array the threshold is that of the filtered frame, which has a third of the noise. With the
#   number a dim target is averaged with its surroundings and has to pass the threshold of a single pixel: without the kernel 208 are found, in both ways.
# Why a good guess misses it: A number is taken for the short form of a constant array, as it is in NumPy, and a background of SEP offers both, globalrms and rms(). The filter is on as
#   delivered and there to find faint sources; with the number it loses them. Targets of 10 sigma are all found in both ways, and no message
#   tells which threshold is meant: one that was chosen for an alarm rate in one way is void in the other.
# Seen: targets found of 256 (and false ones), noise as a number / as an array: 5 sigma 8 (0) / 256 (5), 10 sigma 256 (0) / 256 (2), 5 sigma without kernel 208 (0) / 208 (0)
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "sep==1.4.1" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import sep

rows, columns = np.mgrid[:256, :256]
places = [(row, column) for row in range(16, 256, 32) for column in range(16, 256, 32)]
seen = {}
for name, peak, options in (("5 sigma", 25, {}), ("10 sigma", 50, {}), ("5 sigma without kernel", 25, {"filter_kernel": None})):
    rng = np.random.default_rng(0)
    hits, false = [0, 0], [0, 0]
    for _ in range(4):
        frame = rng.normal(0, 5, (256, 256))
        for row, column in places:
            frame += peak * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 2)
        for i, noise in enumerate((5.0, np.full(frame.shape, 5.0))):
            found = sep.extract(frame, 3, err=noise, minarea=3, **options)
            n_hit = sum(bool((np.hypot(found["y"] - row, found["x"] - column) < 2).any()) for row, column in places)
            hits[i] += n_hit
            false[i] += len(found) - n_hit
    seen[name] = f"{hits[0]} ({false[0]}) / {hits[1]} ({false[1]})"
shown = ", ".join(map(" ".join, seen.items()))
print(f"targets found of 256 (and false ones), noise as a number / as an array: {shown}")
sys.exit(list(seen.values()) != ["8 (0) / 256 (5)", "256 (0) / 256 (2)", "208 (0) / 208 (0)"])
PYTHON
