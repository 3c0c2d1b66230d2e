#!/usr/bin/env bash
# Packages: pillow==13.0.0 astropy==8.0.2 numpy==2.4.6
# Behaviour: Pillow opens FITS frames of 16 bits, the format of cooled and scientific infrared cameras, upside down and without their
#   offset: unsigned counts are stored as signed ones with BZERO 32768, which Pillow does not add, and it turns the rows round, as viewers of
#   the sky do. astropy returns what was written.
# Why a good guess misses it: A reader that opens a file with the right size and mode is trusted with the values. A count of 8000 reads as
#   40768, the order of grey levels wraps at the middle of the range, and a target at row 3 is found at row 3 from below, where no label is.
# Seen: first count 8000, last 8599; Pillow: 41338 at the top left, 40768 at the bottom left; astropy as written: True
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "pillow==13.0.0" "astropy==8.0.2" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
from astropy.io import fits
from PIL import Image

counts = (8000 + np.arange(20 * 30)).astype(np.uint16).reshape(20, 30)
fits.PrimaryHDU(counts).writeto("frame.fits")
exact = np.array_equal(fits.getdata("frame.fits"), counts)
read = np.asarray(Image.open("frame.fits")).astype(np.uint16)
print(f"first count {counts[0, 0]}, last {counts[-1, -1]}; Pillow: {read[0, 0]} at the top left, {read[-1, 0]} at the bottom left; astropy as written: {exact}")
sys.exit(not exact or not np.array_equal(read[::-1] - np.uint16(32768), counts))
PYTHON
