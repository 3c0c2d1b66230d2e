"""``irbench analyze``."""

from __future__ import annotations

from pathlib import Path

import click

from irbench.cli.completion import complete_row
from irbench.cli.opening import open_run
from irbench.cli.options import load_plugins, plugin_option_of, run_argument
from irbench.cli.verbosity import command_progress, note, verbosity_options


@click.command()
@run_argument
@click.argument("methods", nargs=-1, metavar="[METHOD…]", shell_complete=complete_row)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write analysis.json, a CSV for each table, and figures (PNG) to this folder.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    help="What is printed. JSON and CSV hold everything.",
)
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    default=20,
    help="Of each jitter of the ground truth.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the jitter.")
@plugin_option_of("the dataset of the run")
@verbosity_options
def analyze(
    run: Path,
    methods: tuple[str, ...],
    out: Path | None,
    form: str,
    repeats: int,
    seed: int,
    plugins: tuple[Path, ...],
) -> None:
    """Explain why the numbers of a run are what they are.

    How far scores move when the ground truth is drawn half a pixel to two pixels differently;
    AP against IoU, Pd against distance, P, R and F1 against the score threshold; recall, Pd and
    AP by signal-to-clutter ratio, area and number of targets; what became of each target and
    detection; the worst images. Nothing is run again.

    \b
    irbench analyze runs/nudt
    irbench analyze runs/nudt tophat mpcm --out analysis
    irbench analyze runs/nudt --format json > analysis.json
    """
    from irbench.analysis.files import csv_text, json_text, write_analysis
    from irbench.analysis.study import Study
    from irbench.analysis.target_scr import open_run_dataset, read_target_scr
    from irbench.cli.analysis_tables import print_analysis
    from irbench.protocol import Protocol
    from irbench.scoring.scored_output import score_row

    load_plugins(plugins)
    results = open_run(run)
    rows = results.chosen_rows(methods)
    truths = sorted(results.ground_truth[results.dataset["split"]], key=lambda truth: truth.id)
    progress = command_progress()
    scr = None
    dataset, reason = open_run_dataset(results.run)
    if dataset is not None:
        scr, reason = read_target_scr(dataset, truths, progress)
    notes = [f"No breakdown by signal-to-clutter ratio: {reason}."] if scr is None else []
    study = Study(truths, Protocol(**results.protocol), scr, repeats, seed)
    with progress.track("Analysing", len(rows)) as advance:
        for row in rows:
            study.add(row["method"], score_row(results, row, truths, with_maps=False))
            advance()
    analysis = study.done(*notes)
    titles = {row["method"]: row["title"] for row in results.rows}
    facts = {
        "run": str(results.path),
        "dataset": results.dataset,
        "protocol": results.protocol,
        "titles": {row["method"]: row["title"] for row in rows},
        "repeats": repeats,
        "seed": seed,
    }
    if form == "json":
        click.echo(json_text(analysis, facts))
    elif form == "csv":
        click.echo(csv_text(analysis), nl=False)
    else:
        print_analysis(analysis, results, [row["method"] for row in rows])
    if out is not None:
        written = write_analysis(out, analysis, facts, titles)
        note(f"written: {len(written)} files in {out}", err=form != "table")
