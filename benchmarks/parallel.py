"""How `--jobs 2` compares with `--jobs 1`, as whole commands, and what the engine itself takes.

python benchmarks/parallel.py                      # needs an idle machine: half an hour
python benchmarks/parallel.py --groups filters --dataset nudt --limit 265

The two commands alternate, so that a drift of the machine meets both. Processor time beside the
detectors' own depends little on the machine's load, the speed-up much: the load is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from _command_time import command_seconds
from _detector_time import detector_seconds

GROUPS = {
    # Methods, dataset, images, and the speed-up that two jobs are to have.
    "ipi": ("ipi", "synth256", 50, 1.85),
    "filters": ("tophat,maxmedian,newtophat,fkrw,lcm,mpcm,rlcm,tllcm", "synth256", 50, 1.70),
    "slower": ("wslcm,gswlcm,pstnn,ript", "synth256", 50, 1.70),
}


def run(methods: str, dataset: str, limit: int, jobs: int, out: Path) -> tuple[float, float]:
    """Elapsed and processor seconds of the whole command, its workers included."""
    command = [
        sys.executable, "-m", "irbench", "run", "--methods", methods, "--dataset", dataset,
        "--limit", str(limit), "--jobs", str(jobs), "--timing-images", "0", "--out", str(out),
    ]  # fmt: skip
    return command_seconds(command)


def same_results(one: Path, other: Path) -> bool:
    """Whether two runs have the same rows, bit for bit, times aside."""
    from irbench.engine.storage.results import TIMING_FIELDS

    def rows(out: Path) -> list[dict[str, object]]:
        found = json.loads((out / "results.json").read_text())["rows"]
        return [{k: v for k, v in row.items() if k not in TIMING_FIELDS} for row in found]

    return rows(one) == rows(other)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", default=",".join(GROUPS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--dataset", help="instead of the generated images, such as nudt")
    parser.add_argument("--limit", type=int, help="test on the first so many images")
    arguments = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.2f} (0 is an idle machine), {os.cpu_count()} cores")
    for name in arguments.groups.split(","):
        methods, dataset, limit, aim = GROUPS[name]
        dataset, limit = arguments.dataset or dataset, arguments.limit or limit
        elapsed: dict[int, list[float]] = {1: [], 2: []}
        shares = []
        for _ in range(arguments.repeats):
            with tempfile.TemporaryDirectory() as folder:
                outs = {jobs: Path(folder) / str(jobs) for jobs in elapsed}
                for jobs, out in outs.items():
                    seconds, used = run(methods, dataset, limit, jobs, out)
                    elapsed[jobs].append(seconds)
                detectors = detector_seconds(outs[2])
                shares.append(used / detectors - 1)
                if not same_results(outs[1], outs[2]):
                    raise SystemExit(f"{name}: --jobs changes the results")
        speed_up = median(a / b for a, b in zip(elapsed[1], elapsed[2], strict=True))
        print(
            f"{name}: {median(elapsed[1]):.1f} s -> {median(elapsed[2]):.1f} s, "
            f"speed-up {speed_up:.2f} (aim {aim}); detectors {detectors:.1f} s, all else "
            f"{100 * median(shares):.1f} % of that in processor time",
            flush=True,
        )


if __name__ == "__main__":
    main()
