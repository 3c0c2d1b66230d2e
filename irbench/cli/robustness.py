"""``irbench robustness``: a run again on images that are made worse, level by level."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.opening import open_run
from irbench.cli.options import jobs_option
from irbench.cli.repeating import command_words, repeat_run
from irbench.cli.verbosity import note, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED, UsageError

if TYPE_CHECKING:
    from irbench.degradation.curves import Point


@click.command()
@click.argument("run_directory", metavar="RUN", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--degrade",
    "degrade",
    multiple=True,
    metavar="NAME[=LEVEL,…]",
    help="noise, stripes, dead, blur, gain, offset, quantise or jpeg, at these levels.  "
    "[default: all, at four levels each]",
)
@click.option("--limit", type=click.IntRange(min=1), help="Test on the first so many images only.")
@jobs_option
@verbosity_options
def robustness(
    run_directory: Path, degrade: tuple[str, ...], limit: int | None, jobs: int | None
) -> int:
    """Run the methods of RUN again on degraded images, with the thresholds of RUN.

    Each level is a run of its own in RUN/robustness/, with its own key, and resumes where it
    stopped; RUN stays as it is. Written beside them: robustness.csv, and robustness.html with
    curves of F1, AP@50 and alarms a frame against the level. Levels are grey levels of 0 to 255
    (noise and stripes: standard deviation; offset: the most either way), % (dead pixels; gain),
    px (blur), bit (quantise) and JPEG quality. Every draw has a fixed seed.

    \b
    irbench robustness runs/synth --degrade noise=2,5,10 --degrade quantise=6,4
    irbench robustness runs/nudt --degrade stripes --limit 50
    """
    from irbench.degradation.curves import FOLDER, parse_levels, points_of, write_curves

    clean = open_run(run_directory)
    if already := clean.run["key"].get("degrade"):
        raise UsageError(
            f"{run_directory} is of images that are degraded already ({', '.join(already)}): each "
            "level would come on top of that. Give the run on the images as they are."
        )
    out = run_directory / FOLDER
    # By default the images that the clean run was limited to: others do not compare with them.
    limit = clean.run["key"].get("limit") if limit is None else limit
    points: list[Point] = points_of(clean, None)
    n_failed = 0
    for one in parse_levels(degrade):
        n_failed += _run_again(clean, out / str(one), str(one), limit, jobs) != EXIT_DONE
        points += points_of(open_run(out / str(one)), one)
    for file in write_curves(points, out, clean.dataset["title"]):
        note(f"written: {file}")
    return EXIT_FAILED if n_failed else EXIT_DONE


def _run_again(clean: Any, out: Path, degradation: str, limit: int | None, jobs: int | None) -> int:
    """The command that made a run, degraded."""
    return repeat_run(
        command_words(clean),
        [row["method"] for row in clean.scored_rows],
        out,
        jobs,
        *("--calibration", str(clean.path), "--degrade", degradation),
        *([] if limit is None else ["--limit", str(limit)]),
        without=("--limit",),
    )
