"""``irbench check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from irbench.cli.opening import open_run
from irbench.cli.options import (
    draws_options,
    load_plugins,
    names_option,
    plugin_option_of,
    run_argument,
)
from irbench.cli.verbosity import command_progress, note, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED, UsageError

if TYPE_CHECKING:
    from irbench.engine.storage.results import RunResults
    from irbench.gate.changes import CheckReport
    from irbench.messages.progress import Progress


@click.command()
@run_argument
@click.option("--baseline", type=click.Path(path_type=Path), help="The file to check against.")
@click.option("--write", type=click.Path(path_type=Path), help="Write this file from RUN instead.")
@click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="[METHOD.]METRIC=VALUE",
    help="How far a metric may fall, as results.json has it: f1=0.002 is 0.2 points; for time, "
    "relative: time=0.5. May be repeated.  [default: rounding; time 0.5]",
)
@click.option("--allow-missing", is_flag=True, help="Rows of the baseline may be absent.")
@click.option(
    "--timing", is_flag=True, help="Check times too, as ratios to tophat's of the same run."
)
@click.option("--junit", type=click.Path(path_type=Path), help="Write the outcome as JUnit XML.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write it for a pull request.")
@names_option(
    "--random",
    metavar="METHOD,…",
    help="With --write: methods whose results change from run to run. Like those with learned "
    "weights, they regress only where the bootstrap over images says so too.",
)
@draws_options
@plugin_option_of("your own metrics; with --write also methods")
@verbosity_options
def check(
    run: Path,
    baseline: Path | None,
    write: Path | None,
    tolerances: tuple[str, ...],
    allow_missing: bool,
    timing: bool,
    junit: Path | None,
    markdown: Path | None,
    random: tuple[str, ...],
    resamples: int,
    seed: int,
    plugins: tuple[Path, ...],
) -> int:
    """Check a run against a baseline: exit 1 where a metric got worse.

    Nothing is run again. Data, protocol and parameters must be the baseline's; the methods' code
    and weights may differ, since they are what is checked.

    \b
    irbench check runs/synth --write baselines/synth.json
    irbench check runs/synth --baseline baselines/synth.json
    irbench check runs/synth --baseline baselines/synth.json --tolerance map50=0.005 --junit out.xml
    """
    if (baseline is None) == (write is None):
        raise UsageError("give either --baseline FILE to check against, or --write FILE.")
    load_plugins(plugins)
    progress = command_progress()
    if write is not None:
        return _write(open_run(run), write, random, progress)
    assert baseline is not None
    from irbench.gate.baseline import read_baseline
    from irbench.gate.rules import Gate
    from irbench.gate.tolerance import Tolerances

    gate = Gate(
        tolerances=Tolerances.parse(tolerances),
        allow_missing=allow_missing,
        timing=timing,
        n_resamples=resamples,
        seed=seed,
        progress=progress,
    )
    report = gate.check(read_baseline(baseline), open_run(run))
    _write_reports(report, junit, markdown)
    from irbench.cli.check_table import print_check

    print_check(report)
    return EXIT_DONE if report.passed else EXIT_FAILED


def _write(results: RunResults, path: Path, random: tuple[str, ...], progress: Progress) -> int:
    from irbench.gate.recording import record_baseline

    recorded = record_baseline(results, random, progress)
    recorded.write(path)
    note(
        f"wrote {path}: {', '.join(recorded.rows)}; {recorded.dataset['n_images']} images, "
        f"{len(recorded.content) / 1000:.0f} kB"
    )
    for row in results.rows:
        if row["method"] not in recorded.rows:
            click.echo(f"left out: {row['method']} ({row['state']})", err=True)
        elif row["state"] == "partial":
            click.echo(f"{row['method']}: {row['reason']}", err=True)
    return EXIT_DONE


def _write_reports(report: CheckReport, junit: Path | None, markdown: Path | None) -> None:
    from irbench.cli.writing import write_output
    from irbench.gate.junit import junit_xml
    from irbench.gate.summary import markdown_summary

    if junit is not None:
        write_output(junit, junit_xml(report), "--junit")
    if markdown is not None:
        write_output(markdown, markdown_summary(report).encode(), "--markdown")
