"""What `irbench report` costs by format: whole commands on a run that lies on disk.

python benchmarks/reports.py runs/nudt                 # every format, and all in one command
python benchmarks/reports.py runs/nudt --methods 12    # the run's methods, some of them twice
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from irbench.engine.storage.results import load_run
from irbench.plugins.registry import catalogue

FORMATS = ("csv", "markdown", "latex", "html", "figures", "all")
BYTES_OF_KIB = 1024


def enlarge(run: Path, n_methods: int) -> None:
    """Give a run more methods: the files of its own, under the names of methods it lacks."""
    facts = json.loads((run / "run.json").read_bytes())
    results = json.loads((run / "results.json").read_bytes())
    rows = [row for row in results["rows"] if row["state"] == "done"]
    names = [
        name
        for name, cls in catalogue("methods").classes.items()
        if cls.info.default and not cls.info.trainable and name not in facts["methods"]
    ]
    missing = max(n_methods - len(rows), 0)
    if missing > len(names):
        raise SystemExit(f"--methods {n_methods}: at most {len(rows) + len(names)} for this run")
    for place, name in enumerate(names[:missing]):
        row = rows[place % len(rows)]
        title = catalogue("methods").classes[name].info.title
        results["rows"].append({**row, "method": name, "title": title})
        # Of the parameters the defaults: those of the other method are none of this one's.
        facts["methods"][name] = {**facts["methods"][row["method"]], "facts": {}}
        for folder in ("detections", "map_statistics", "timings"):
            source = run / folder / f"{row['method']}.parquet"
            if source.exists():
                shutil.copy(source, source.with_stem(name))
    (run / "run.json").write_text(json.dumps(facts))
    (run / "results.json").write_text(json.dumps(results))


def measure(run: Path, form: str) -> tuple[float, float, int]:
    """Processor seconds, seconds of the clock, and peak memory in bytes of a whole command."""
    command = [sys.executable, "-m", "irbench", "report", str(run), "--format", form]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"failed: {' '.join(command)}")
    seconds = time.perf_counter() - start
    return used.ru_utime + used.ru_stime, seconds, used.ru_maxrss * BYTES_OF_KIB


def main() -> None:
    """Copy the run, enlarge it, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--methods", type=int, default=0)
    parser.add_argument("--formats", default=",".join(FORMATS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        shutil.copytree(options.run, run)
        enlarge(run, options.methods)
        opened = load_run(run)
        print(f"{len(opened.rows)} methods, {opened.dataset['n_images']} images")
        for form in options.formats.split(","):
            processor, seconds, peak = measure(run, form)
            print(f"{form:10} {processor:6.1f} s of CPU {seconds:6.1f} s {peak / 1e9:6.2f} GB")


if __name__ == "__main__":
    main()
