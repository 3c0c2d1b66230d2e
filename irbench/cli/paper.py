"""``irbench paper``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.completion import complete_run
from irbench.cli.opening import open_runs
from irbench.cli.verbosity import command_progress, note, verbosity_options
from irbench.cli.writing import write_output
from irbench.errors import UsageError

if TYPE_CHECKING:
    from irbench.cli.plain_table import TextTable

FORMATS = ("table", "markdown", "latex", "json")


class PaperCommand(click.Command):
    """Takes every word after ``--runs`` up to the next option as a run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat ``--runs`` before each of its words, as click has it."""
        return super().parse_args(ctx, _spread(args, "--runs"))


@click.command(cls=PaperCommand)
@click.option(
    "--table",
    "tables",
    multiple=True,
    type=click.IntRange(1, 6),
    help="A table to show. May be repeated.  [default: all]",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=0.1,
    help="Greatest difference of F1 from 2PR/(P+R), in points, that is let pass.",
)
@click.option(
    "--counts/--no-counts",
    "wants_counts",
    default=True,
    help="Count the networks of the tables again: needs torch, takes seconds each.",
)
@click.option(
    "--imgsz",
    type=click.IntRange(min=1),
    default=640,
    help="Side of the square input that FLOPs are counted for, in pixels.",
)
@click.option(
    "--runs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="RUN…",
    shell_complete=complete_run,
    help="Run directories to set beside what is published.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    default="table",
    help="How to write it; latex is a document that compiles.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write to.  [default: standard output]",
)
@verbosity_options
def paper(
    tables: tuple[int, ...],
    tolerance: float,
    wants_counts: bool,
    imgsz: int,
    runs: tuple[Path, ...],
    format_name: str,
    out: Path | None,
) -> None:
    """Show the paper's published Tables I to VI, check them, and compare runs with them.

    Checked without any experiment: whether each F1 follows from its P and R, whether the tables
    agree with each other, and whether parameters and FLOPs are those of the networks here. With
    --runs, what was measured stands beside what is published. What it finds is information: the
    exit code is 0.

    \b
    irbench paper
    irbench paper --table 3 --tolerance 0
    irbench paper --table 1 --no-counts --runs runs/irstd1k runs/nuaa runs/nudt
    irbench paper --format latex --out published.tex
    """
    from irbench.published import published_tables
    from irbench.published.consistency import disagreements, f1_inconsistencies
    from irbench.published.measured_values import compare_runs
    from irbench.published.network_counts import NetworkCounts, count_published

    numbers = sorted(set(tables)) or list(published_tables())
    opened = open_runs(runs)
    for run in opened:
        if any(row.get("operating_point") == "oracle" for row in run.rows):
            raise UsageError(
                f"{run.path} has thresholds that were chosen on the tested images (oracle); they "
                "cannot stand beside published values. Leave it out of --runs."
            )
    measured = compare_runs(opened, numbers)
    wrong = [one for one in f1_inconsistencies(tolerance) if one.table in numbers]
    differing = [
        one
        for one in disagreements()
        if any(table in numbers for _, places in one.printed for table, _ in places)
    ]
    if wants_counts:
        counts = count_published(numbers, imgsz, command_progress())
    else:
        counts = NetworkCounts(imgsz, (), (), "--no-counts")
    if format_name == "json":
        import orjson

        from irbench.cli.paper_formats import paper_content

        content = paper_content(numbers, wrong, tolerance, differing, counts, measured, opened)
        _write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n", out)
        return
    from irbench.cli.paper_sections import (
        consistency_section,
        counts_section,
        disagreement_section,
        measured_sections,
        table_sections,
    )

    sections = [one for number in numbers for one in table_sections(number, tolerance)]
    sections.append(consistency_section(wrong, numbers, tolerance))
    if differing:
        sections.append(disagreement_section(differing))
    if wants_counts:
        sections.append(counts_section(counts))
    if opened:
        sections += measured_sections(measured, opened, numbers)
    _write_sections(sections, format_name, out)


def _write_sections(sections: Sequence[TextTable], format_name: str, out: Path | None) -> None:
    from irbench.cli import paper_formats

    if format_name == "table" and out is None:
        from irbench.cli.plain_table import results_console

        paper_formats.print_sections(sections, results_console())
        return
    formats: dict[str, Any] = {
        "table": paper_formats.plain_text,
        "markdown": paper_formats.markdown,
        "latex": paper_formats.latex,
    }
    _write(formats[format_name](sections), out)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    write_output(out, text.encode())
    note(f"wrote {out}", err=True)


def _spread(args: Sequence[str], option: str) -> list[str]:
    """``--runs a b --x`` as ``--runs a --runs b --x``."""
    spread: list[str] = []
    taking = False
    for index, arg in enumerate(args):
        if arg == option:
            taking = True
            if index + 1 == len(args) or args[index + 1].startswith("-"):
                # Without a word of its own: click complains of it at the end.
                return [*spread, option]
        elif arg.startswith("-"):
            taking = arg.startswith(f"{option}=")
            spread.append(arg)
        else:
            spread += [option, arg] if taking else [arg]
    return spread
