"""Memory of the process of `irbench run` by the number of images, its workers left out.

python benchmarks/run_memory.py                                    # 100,000 images of 32x32
python benchmarks/run_memory.py --images 2000 20000 --methods trivial-map,trivial-0
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _tiny_images import N_IMAGES

PLUGIN = Path(__file__).with_name("_tiny_images.py")


def measure(n_images: int, methods: str, jobs: int, out: Path) -> tuple[float, float]:
    """Run the methods; give the peak memory of the command in MB, and seconds by the clock."""
    command = [
        sys.executable, "-m", "irbench", "run", "--dataset", "tiny-masks", "--methods", methods,
        "--plugin", str(PLUGIN), "--limit", str(n_images), "--operating-point", "fixed",
        "--threshold", "3", "--timing-images", "0", "--jobs", str(jobs), "--out", str(out),
    ]  # fmt: skip
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the run ended with {process.returncode}")
    # Kilobytes on Linux, bytes on macOS.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return usage.ru_maxrss / unit, time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[N_IMAGES])
    parser.add_argument("--methods", default="trivial-map")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    for n_images in arguments.images:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            peak, seconds = measure(n_images, arguments.methods, arguments.jobs, run)
        print(f"{n_images} images: {peak:.0f} MB, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
