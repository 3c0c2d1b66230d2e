"""What the engine takes beside a detector of 20 ms an image, as a share of the detector's time.

python benchmarks/overhead.py                 # a minute
python benchmarks/overhead.py --ms 5

Processor time of the command and its workers less what the workers measured of the detector, from
the decoded image to its detections: needs an idle machine. Images are of 16x16 pixels, so that
reading them is nothing. Two runs of different length tell what starting takes from what
every image does. Reading and scoring are told apart: they are not the engine's work.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from _command_time import command_seconds
from _detector_time import detector_seconds

PLUGIN = Path(__file__).with_name("_tiny_images.py")


def measure(n_images: int, ms: float, jobs: int, out: Path) -> tuple[float, float, float]:
    """Processor seconds of the run, of its detectors, and of doing it again from what is stored."""
    command = [
        sys.executable, "-m", "irbench", "run", "--dataset", "tiny", "--methods", "trivial-0",
        "--plugin", str(PLUGIN), "--limit", str(n_images), "--operating-point", "fixed",
        "--threshold", "0.5", "--timing-images", "0", "--out", str(out), "--jobs", str(jobs),
        "--param", f"trivial-0.busy_ms={ms:g}",
    ]  # fmt: skip
    ran = command_seconds(command)[1]
    # The same command once more starts, reads the data and scores, and runs nothing.
    return ran, detector_seconds(out), command_seconds(command)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ms", type=float, default=20.0, help="of the detector, an image")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    few, load = arguments.images // 5, os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        short = measure(few, arguments.ms, arguments.jobs, Path(folder) / "short")
        long = measure(arguments.images, arguments.ms, arguments.jobs, Path(folder) / "long")
    more = arguments.images - few
    run_ms, detector_ms, again_ms = (1e3 * (b - a) / more for a, b in zip(short, long, strict=True))
    begin_s = short[0] - few * run_ms / 1e3
    print(f"load before: {load:.2f} (0 is an idle machine)")
    print(f"{arguments.images} images, {arguments.jobs} jobs, {time.perf_counter() - start:.0f} s")
    print(f"detector                          {detector_ms:7.3f} ms an image")
    print(f"reading the data and scoring      {again_ms:7.3f} ms an image")
    engine_ms = run_ms - detector_ms - again_ms
    print(
        f"the engine: sending, writing, storing {engine_ms:.3f} ms an image, "
        f"{100 * engine_ms / detector_ms:.1f} % of the detector"
    )
    print(f"starting, once                    {begin_s:7.2f} s")


if __name__ == "__main__":
    main()
