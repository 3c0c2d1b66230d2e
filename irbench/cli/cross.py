"""``irbench cross``: networks tested on the datasets of other runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from irbench.cli.opening import open_run, open_runs
from irbench.cli.options import (
    jobs_option,
    load_plugins,
    names_option,
    plugin_option,
    quality_names,
    runs_argument,
)
from irbench.cli.repeating import command_words, repeat_run
from irbench.cli.verbosity import command_progress, note, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, UsageError

if TYPE_CHECKING:
    from irbench.cross.networks import CrossedNetwork
    from irbench.cross.table import CrossTable
    from irbench.engine.storage.results import RunResults

CROSS_METRICS = ("f1", "map50", "pd")
OWN = "°"


@click.command()
@runs_argument
@names_option(
    "--metric",
    "metrics",
    metavar="NAME,…",
    help=f"Metrics to print. May be repeated.  [default: {','.join(CROSS_METRICS)}]",
)
@names_option(
    "--methods",
    metavar="NAME,…",
    help="Of the networks of the runs.  [default: all]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs/cross"),
    help="Folder for the runs that are made, and for cross.md, cross.tex and cross.csv.",
)
@jobs_option
@click.option("--no-run", is_flag=True, help="Run nothing: what was not run yet is a dash.")
@plugin_option
@verbosity_options
def cross(
    runs: tuple[Path, ...],
    metrics: tuple[str, ...],
    methods: tuple[str, ...],
    out: Path,
    jobs: int | None,
    no_run: bool,
    plugins: tuple[Path, ...],
) -> int:
    """Test the networks of every RUN on the datasets of the others; print weights by datasets.

    Each RUN is one of `irbench run` on its own dataset; the command that made it is repeated with
    the weights of the others, with the threshold chosen on the validation images of the tested
    dataset. Weights that have seen tested images are not tested there (leak). Stop it whenever
    you like: the same command resumes it. With 95 % intervals of a bootstrap over images.

    \b
    irbench cross runs/nudt runs/nuaa runs/irstd1k
    irbench cross runs/nudt runs/nuaa --methods le-irstd --metric map50,map30 --out cross/
    """
    from irbench.cli.writing import write_output
    from irbench.cross import formats
    from irbench.cross.networks import trained_networks
    from irbench.cross.table import cross_table, pairs_to_run, tested_once

    load_plugins(plugins)
    names = quality_names(metrics, "metric to print") or CROSS_METRICS
    opened = open_runs(runs)
    tested = tested_once(opened)
    networks = _chosen([one for run in opened for one in trained_networks(run)], methods)
    homes = _folder_names(opened)
    crossed: dict[tuple[RunResults, RunResults], RunResults] = {}
    for home, run in pairs_to_run(networks, tested):
        folder = out / f"{homes[home]}-on-{homes[run]}"
        if not no_run:
            here = [one for one in networks if one.home is home]
            note(f"{homes[home]} on {homes[run]}: {', '.join(one.title for one in here)}", err=True)
            if _run_elsewhere(here, run, folder, jobs) == EXIT_INTERRUPTED:
                return EXIT_INTERRUPTED
        if (folder / "results.json").exists():
            crossed[home, run] = open_run(folder)
    table = cross_table(networks, tested, crossed, names, command_progress())
    _print(table)
    for name, write in (("md", formats.markdown), ("tex", formats.latex), ("csv", formats.csv)):
        write_output(out / f"cross.{name}", write(table).encode())
        note(f"wrote {out / f'cross.{name}'}")
    states = {cell.state for cells in table.cells for cell in cells}
    return EXIT_FAILED if states & {"failed", "partial", "interrupted"} else EXIT_DONE


def _chosen(networks: Sequence[CrossedNetwork], methods: Sequence[str]) -> list[CrossedNetwork]:
    from irbench.errors import UnknownNameError

    known = dict.fromkeys(one.method for one in networks)
    names = methods or tuple(known)
    if not known:
        raise UsageError("no row of the runs is of a network with weights; there is none to cross.")
    for name in names:
        if name not in known:
            raise UnknownNameError("network of the runs", name, known)
    return [one for one in networks if one.method in names]


def _folder_names(runs: Sequence[RunResults]) -> dict[RunResults, str]:
    """A name of each run, its folder's; of those that share one, with a number."""
    names: dict[RunResults, str] = {}
    for run in runs:
        stem = run.path.resolve().name
        n_before = sum(one.path.resolve().name == stem for one in names)
        names[run] = f"{stem}-{n_before + 1}" if n_before else stem
    return names


def _run_elsewhere(
    networks: Sequence[CrossedNetwork], tested: RunResults, folder: Path, jobs: int | None
) -> int:
    """Run networks of one home on the data of another run."""
    words = command_words(tested)
    methods = [one.method for one in networks]
    more = [f"--param={one}" for one in _parameters(words, methods)]
    more += [f"--param={one.method}.weights={one.weights.path.resolve()}" for one in networks]
    # The table of each run would only stand before the one that was asked for.
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        return repeat_run(words, methods, folder, jobs, *more, without=("--param",))


def _parameters(words: Sequence[str], methods: Sequence[str]) -> Iterator[str]:
    """What a command sets of these methods, but for their weights."""
    weights = tuple(f"{name}.weights=" for name in methods)
    for before, word in zip(["", *words], words, strict=False):
        text = word if before == "--param" else word.removeprefix("--param=")
        is_value = before == "--param" or word.startswith("--param=")
        is_theirs = text.startswith(tuple(f"{name}." for name in methods))
        if is_value and is_theirs and not text.startswith(weights):
            yield text


def _print(table: CrossTable) -> None:
    """One table of each metric, so that all datasets fit side by side."""
    from rich.markup import escape

    from irbench.cli.plain_table import number_column, plain_table, results_console, text_column
    from irbench.cross.formats import HEADS, heading

    console = results_console()
    for metric in table.metrics:
        console.print()
        console.print(heading(metric), style="bold", markup=False)
        numbers = (number_column(escape(title), wraps=True) for title in table.columns)
        printed = plain_table([*map(text_column, HEADS), *numbers], console)
        for one, label, cells in zip(table.networks, table.labels, table.cells, strict=True):
            texts = [
                f"{cell.text(metric)}{OWN if cell.is_own else ' '} {cell.interval(metric)}".rstrip()
                for cell in cells
            ]
            printed.add_row(*map(escape, (one.title, label, *texts)))
        console.print(printed)
    console.print()
    for line in (f"{OWN} trained on the tested dataset itself.", *table.notes):
        console.print(line, style="dim", markup=False)
