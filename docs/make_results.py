"""Makes what docs/results/ holds of finished runs.

Run it from the repository's root: ``python docs/make_results.py runs/nudt runs/nuaa``. Of each run
stay its manifest (``RUN-run.json``, without the folder of the data on this machine) and its
values with the match counts of every image (``RUN.json``, for ``irbench check``); of all together
Table I, with the published values beside. With ``--field`` also the field's own table for
networks of masks, IoU, nIoU, Pd and Fa, of runs under the protocol ``basicirstd``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from _commands import irbench

FIELD_COLUMNS = "iou,niou,pd,fa,params"


def keep_run(run: Path, out: Path) -> None:
    """Write the manifest and the values of one run."""
    manifest = json.loads((run / "run.json").read_text())
    del manifest["data_root"]
    (out / f"{run.name}-run.json").write_text(json.dumps(manifest, indent=1) + "\n")
    irbench("check", run, "--write", out / f"{run.name}.json", quiet=True)


def main() -> None:
    """Write the files of docs/results/."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN")
    parser.add_argument("--oracle", nargs="*", type=Path, default=[], metavar="RUN")
    parser.add_argument("--field", nargs="*", type=Path, default=[], metavar="RUN")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    if not (options.runs or options.field or options.oracle):
        parser.error("give at least one RUN.")
    for run in options.runs + options.oracle:
        keep_run(run, options.out)
    # The record of a run: all that its numbers depend on.
    whole = ("--notes", "full", "--show-empty")
    formats = ("--format", "markdown,latex,csv", *whole)
    if options.runs:
        irbench("report", *options.runs, *formats, "--paper", "--out", options.out, quiet=True)
    for run in options.field:
        # Each by itself: one dataset may be there under two split schemes.
        out = options.out / "field" / run.name
        columns = ("--format", "markdown,csv", "--columns", FIELD_COLUMNS, *whole)
        irbench("report", run, *columns, "--out", out, quiet=True)
        keep_run(run, out)
    if options.oracle:
        # Thresholds chosen on the tested images share no table with the others.
        out = options.out / "oracle"
        irbench("report", *options.oracle, "--columns", "wide", *whole, "--out", out, quiet=True)


if __name__ == "__main__":
    main()
