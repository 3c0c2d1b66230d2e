"""Speed of ``irbench detect`` on a folder, as a share of the detector's own.

Frames are read ahead and pictures drawn beside the detector, so that for methods of 10 ms and
more the command should reach 0.9 of the frames a second that the detector alone computes. Both
are taken from one run::

    python benchmarks/detect.py [METHOD…]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

N_FRAMES = 100
SHAPE = (512, 640)
AIM = 0.9
METHODS = ("tophat", "mpcm", "aagd")


def main(methods: list[str]) -> None:
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "frames").mkdir()
        for index in range(N_FRAMES):
            frame = random.normal(7000, 20, SHAPE).round().astype(np.uint16)
            cv2.imwrite(str(folder / "frames" / f"{index}.png"), frame)
        print(f"{'method':10} {'frames/s':>9} {'alone':>9} {'share':>6}   aim {AIM}")
        for method in methods or METHODS:
            command = ["irbench", "detect", method, "frames", "--value-range", "auto", "--quiet"]
            subprocess.run(
                [sys.executable, "-m", *command, "--threshold", "1000"],
                cwd=folder, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            summary = json.loads((folder / "detections/detections.json").read_text())["summary"]
            whole, alone = summary["frames_per_second"], summary["detector_frames_per_second"]
            print(f"{method:10} {whole:9.1f} {alone:9.1f} {whole / alone:6.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
