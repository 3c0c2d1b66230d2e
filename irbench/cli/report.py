"""``irbench report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.completion import complete_format, complete_row
from irbench.cli.opening import open_runs
from irbench.cli.options import load_plugins, names_option, plugin_option_of, runs_argument
from irbench.cli.verbosity import note, verbosity_options
from irbench.errors import UsageError
from irbench.process.garbage import seldom_collected

if TYPE_CHECKING:
    from irbench.engine.storage.results import RunResults


class ReportCommand(click.Command):
    """Lists the formats that can be found in its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name every format, those of others included."""
        from irbench.plugins.registry import catalogue

        found = catalogue("reports")
        with formatter.section("Formats"):
            formatter.write_dl([(cls.info.name, cls.info.title) for cls in found.classes.values()])
        for failure in found.failures:
            formatter.write_text(f"not loaded: {failure.source}: {failure.reason}")


@click.command(cls=ReportCommand)
@runs_argument
@names_option(
    "--format",
    "formats",
    default="markdown",
    shell_complete=complete_format,
    help="One of the formats below, several separated by commas, or all.",
)
@click.option(
    "--table",
    type=click.IntRange(1, 6),
    default=1,
    help="The paper's table to lay it out like.",
)
@names_option(
    "--columns",
    metavar="NAME,…",
    help="paper (as Table I), wide (also Pd, Fa, IoU, nIoU, FPS), all, or names of metrics.  "
    "[default: the format's: paper; csv: all]",
)
@click.option("--paper", is_flag=True, help="Add the paper's published values and differences.")
@click.option(
    "--as-published",
    is_flag=True,
    help="Add the rows of the paper's table that the runs lack, marked as published.",
)
@click.option("--intervals", is_flag=True, help="Print 95 % intervals of a bootstrap over images.")
@click.option(
    "--seeds",
    is_flag=True,
    help="A network that several RUNs have on the same images, such as of trainings with other "
    "seeds, is one row: mean and standard deviation. For tables.",
)
@names_option(
    "--methods",
    metavar="NAME,…",
    shell_complete=complete_row,
    help="Rows to show, in this order.  [default: all, in Table I's order]",
)
@click.option(
    "--reference",
    default="",
    show_default=False,
    metavar="NAME",
    shell_complete=complete_row,
    help="Mark what is better (+), worse (−) or not distinguishable (≈) from this row: paired "
    "bootstrap, adjusted by Holm over all comparisons of the table.",
)
@click.option(
    "--show-empty/--drop-empty",
    "show_empty",
    default=False,
    help="Show skipped rows, and columns without a value, too.",
)
@click.option(
    "--notes",
    type=click.Choice(["none", "short", "full"]),
    default="short",
    help="Footnotes: what marks mean; what a reader needs; all that the numbers depend on. (html "
    "has all.)",
)
@names_option(
    "--images",
    metavar="ID,…",
    help="figures: the images to draw.  [default: those that the methods disagree about most]",
)
@click.option("--siunitx", is_flag=True, help="LaTeX: align numbers by siunitx 3.")
@click.option(
    "--full",
    is_flag=True,
    help="html: pictures at full size, every false alarm, and score maps, for which the methods "
    "run again; the file may have hundreds of MB.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write to.  [default: tables/ in the first run directory]",
)
@plugin_option_of("your own methods, reports or metrics")
@verbosity_options
@seldom_collected()
def report(
    runs: tuple[Path, ...],
    formats: tuple[str, ...],
    out: Path | None,
    plugins: tuple[Path, ...],
    **of_options: Any,
) -> None:
    """Write tables of one or several runs.

    Several runs stand side by side, one group of columns for each dataset. Runs under different
    protocols do not share a table. Nothing is run again.

    \b
    irbench report runs/nudt
    irbench report runs/irstd1k runs/nuaa runs/nudt --format latex
    irbench report runs/nudt --format markdown --columns wide --paper
    irbench report runs/nudt --format csv --out tables/
    irbench report runs/irstd1k --table 2 --format latex --as-published --intervals
    irbench report runs/nudt --methods le-irstd,yolov8n,tophat --reference le-irstd
    irbench report runs/seed-0 runs/seed-1 runs/seed-2 --seeds
    irbench report runs/nudt --format figures --methods tophat,le-irstd --images 000331,000123
    """
    from irbench.cli.plain_table import results_console
    from irbench.metrics.plugins import plugin_metrics
    from irbench.plugins.registry import catalogue, report_class
    from irbench.report import ReportOptions, not_shown
    from irbench.scoring.later_metrics import with_metrics

    files = load_plugins(plugins)
    names = tuple(catalogue("reports").classes) if formats == ("all",) else formats
    classes = sorted((report_class(name) for name in names), key=lambda cls: cls.info.last)
    # The other options have the names of its fields.
    options = ReportOptions(**of_options)
    given = [name for name, source in plugin_metrics().sources.items() if source in files]
    opened = [with_metrics(run, {*options.columns, *given}) for run in open_runs(runs)]
    missing = _missing_networks(opened, options.table)
    console = results_console()
    for cls in classes:
        folder = _folder(out or opened[0].path / cls.info.folder)
        try:
            paths = cls().write(opened, folder, options)
        except OSError as error:
            raise UsageError(f"{error}; name another folder by --out.") from None
        if cls.info.printed:
            click.echo(paths[0].read_text(encoding="utf-8"))
        elif text := cls().terminal_text(
            opened, options, console.width, styled=console.is_terminal
        ):
            click.echo(f"{text}\n")
        for path in paths:
            note(f"wrote {path}")
    leaves_out = any(not cls.info.keeps_skipped for cls in classes)
    if leaves_out and (skipped := not_shown(opened, options)):
        note(f"skipped, and not shown (--show-empty shows them): {', '.join(skipped)}")
    if missing:
        note(f"without a run: {', '.join(missing)}")
    if options.as_published and (reason := _nothing_published(opened, options.table)):
        note(f"--as-published adds no row: {reason}")


def _missing_networks(runs: Sequence[RunResults], number: int) -> list[str]:
    """The rows of a table of ablations that no run has, each with its network."""
    from irbench.published import published_tables

    if number == 1:
        return []
    have = {row["method"] for run in runs for row in run.rows}
    return [
        f"{row.name} ({row.methods[0]})"
        for row in published_tables()[number].rows.values()
        if not have & set(row.methods)
    ]


def _nothing_published(runs: Sequence[RunResults], number: int) -> str:
    """Why the paper's table has no row for any of the runs; empty where it has."""
    from irbench.published import published_tables
    from irbench.published.measured_values import published_dataset

    table = published_tables()[number]
    if any(published_dataset(table, run.dataset) is not None for run in runs):
        return ""
    titles = ", ".join(dict.fromkeys(str(run.dataset["title"]) for run in runs))
    theirs = ", ".join(table.datasets.values())
    return f"Table {table.numeral} of the paper is of {theirs}, not of {titles}"


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be made: {error.strerror}; name another folder by --out."
        ) from None
    return path
