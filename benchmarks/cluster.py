"""What a run costs beside its detectors: many tiny images, detectors that do next to nothing.

python benchmarks/cluster.py                       # 100,000 images, 10 detectors, a dask cluster
python benchmarks/cluster.py --images 5000 --executor local
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from _detector_time import detector_seconds
from _tiny_images import N_DETECTORS, N_IMAGES

N_WORKERS = 2
PLUGIN = Path(__file__).with_name("_tiny_images.py")


class Watch:
    """Processor time and greatest memory of a process and its children, seen from outside."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.own_peak = 0
        self._seconds: dict[int, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.5):
            self.look()

    def look(self) -> None:
        """Take up what they have used so far."""
        try:
            self.own_peak = max(self.own_peak, self.process.memory_info().rss)
            everyone = [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for one in everyone:
            try:
                times = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            self._seconds[one.pid] = times.user + times.system

    def end(self) -> float:
        """Stop, and give the seconds of all of them."""
        self._over.set()
        self._thread.join()
        self.look()
        return sum(self._seconds.values())


@contextmanager
def started(*command: str):
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def measure(n_images: int, executor: str, out: Path) -> dict[str, float]:
    methods = ",".join(f"trivial-{number}" for number in range(N_DETECTORS))
    command = [
        sys.executable, "-m", "irbench", "run", "--dataset", "tiny", "--methods", methods,
        "--plugin", str(PLUGIN), "--limit", str(n_images), "--operating-point", "fixed",
        "--threshold", "0.5", "--timing-images", "0", "--out", str(out),
    ]  # fmt: skip
    watches: dict[str, Watch] = {}
    with ExitStack() as stack:
        if executor == "dask":
            place = out.with_suffix(".scheduler")
            python = [sys.executable, "-m"]
            scheduler = stack.enter_context(
                started(*python, "distributed.cli.dask_scheduler", "--scheduler-file", str(place),
                        "--port", "0", "--dashboard-address", ":0")
            )  # fmt: skip
            while not place.exists():
                time.sleep(0.2)
            workers = stack.enter_context(
                started(*python, "distributed.cli.dask_worker", "--scheduler-file", str(place),
                        "--nworkers", str(N_WORKERS), "--nthreads", "1", "--no-dashboard")
            )  # fmt: skip
            watches["scheduler"] = Watch(scheduler.pid)
            watches["workers"] = Watch(workers.pid)
            command += ["--executor", "dask", "--scheduler", str(place)]
        else:
            command += ["--jobs", str(N_WORKERS)]
        start = time.perf_counter()
        client = subprocess.Popen(command)
        watches["command"] = Watch(client.pid)
        if status := client.wait():
            raise SystemExit(f"the run ended with {status}")
        elapsed = time.perf_counter() - start
        seconds = {name: watch.end() for name, watch in watches.items()}
    n = n_images * N_DETECTORS
    detectors = detector_seconds(out)
    figures = {
        "images x detectors": n,
        "elapsed s": elapsed,
        **{f"processor s of {name}": value for name, value in seconds.items()},
        "detectors s": detectors,
        "overhead ms per image and detector": 1e3 * (sum(seconds.values()) - detectors) / n,
        **{
            f"greatest memory of {name}, MB": watch.own_peak / 1e6
            for name, watch in watches.items()
            if name != "workers"
        },
    }
    return {name: round(value, 4) for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=N_IMAGES)
    parser.add_argument("--executor", choices=["local", "dask"], default="dask")
    arguments = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f}; {N_WORKERS} workers")
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(arguments.images, arguments.executor, Path(folder) / "run")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
