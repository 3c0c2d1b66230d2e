"""``irbench compare``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from irbench.cli.completion import complete_row
from irbench.cli.opening import open_run
from irbench.cli.options import (
    draws_options,
    load_plugins,
    names_option,
    plugin_option_of,
    quality_names,
    run_argument,
)
from irbench.cli.verbosity import command_progress, verbosity_options
from irbench.errors import UsageError
from irbench.messages.progress import Advance, BarProgress, Progress

if TYPE_CHECKING:
    from irbench.engine.storage.results import Row, RunResults

PAIR_METRICS = ("map50", "map50_95", "f1", "pd", "fa", "iou")
RANKING_METRICS = ("map50", "f1", "pd")


@click.command()
@run_argument
@click.argument("methods", nargs=-1, metavar="[METHOD METHOD…]", shell_complete=complete_row)
@names_option(
    "--metric",
    "metrics",
    metavar="NAME,…",
    help=f"Metrics to compare by. May be repeated.  [default: {','.join(PAIR_METRICS)} for two "
    f"methods, {','.join(RANKING_METRICS)} for more]",
)
@draws_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "latex", "csv"]),
    default="text",
    help="As a terminal, a Markdown page or a paper shows it; csv: a line for each test, in "
    "fractions and SI units.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@plugin_option_of("your own metrics")
@verbosity_options
def compare(
    run: Path,
    methods: tuple[str, ...],
    metrics: tuple[str, ...],
    resamples: int,
    seed: int,
    form: str,
    as_json: bool,
    plugins: tuple[Path, ...],
) -> None:
    """Find which methods of a run truly differ.

    Two methods: the difference of each metric with its interval and p-value, and which targets
    each finds alone. More of them, or none for all of the run: a ranking, in which methods that
    share a letter are not distinguishable. Nothing is run again.

    \b
    irbench compare runs/nudt tophat mpcm
    irbench compare runs/nudt tophat mpcm --metric f1,niou --json
    irbench compare runs/nudt
    irbench compare runs/nudt tophat mpcm ipi --metric map50_95
    irbench compare runs/nudt tophat mpcm --format latex
    """
    from irbench.cli import comparison_formats
    from irbench.cli.comparison_values import comparison_content
    from irbench.metrics.definition import quality_metrics
    from irbench.scoring.scored_output import score_row
    from irbench.statistics.comparison import Comparison
    from irbench.statistics.resamples import Resamples

    if as_json and form != "text":
        raise UsageError(f"--json and --format {form} are two formats; give one of them.")
    load_plugins(plugins)
    results = open_run(run)
    rows = _rows_to_compare(results, methods)
    default = PAIR_METRICS if len(rows) == 2 else RANKING_METRICS
    names = quality_names(metrics, "metric to compare by") or default
    needs_maps = any(quality_metrics()[name].needs_maps for name in names)
    truths = sorted(results.ground_truth[results.dataset["split"]], key=lambda truth: truth.id)
    progress = command_progress()
    if isinstance(progress, BarProgress):
        progress = _DelayedBar()
    outputs = {}
    with progress.track("Scoring", len(rows)) as advance:
        for row in rows:
            outputs[row["method"]] = score_row(results, row, truths, with_maps=needs_maps)
            advance()
    comparison = Comparison(
        outputs,
        truths,
        names,
        resamples=Resamples([truth.id for truth in truths], resamples, seed),
        progress=progress,
    )
    if as_json:
        import orjson

        content = comparison_content(comparison, results)
        click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
    elif form != "text":
        click.echo(getattr(comparison_formats, form)(comparison, results), nl=False)
    else:
        comparison_formats.print_comparison(comparison, results)


def _rows_to_compare(results: RunResults, methods: Sequence[str]) -> list[Row]:
    if len(set(methods)) < len(methods):
        raise UsageError(f"methods must be different ones, got {' '.join(methods)}.")
    rows = results.chosen_rows(methods)
    if len(rows) < 2:
        known = ", ".join(row["method"] for row in results.rows)
        raise UsageError(
            f"at least two methods with results are needed, got {len(rows)}; "
            f"the rows of {results.path}: {known}."
        )
    return rows


class _DelayedBar(Progress):
    """A bar that is shown only when the work turns out to take long."""

    delay_s = 2.0

    @contextmanager
    def track(self, title: str, total: int, unit: str = "") -> Iterator[Advance]:
        start, done = time.monotonic(), 0
        shown: Advance | None = None
        with ExitStack() as stack:

            def advance() -> None:
                nonlocal done, shown
                done += 1
                if shown is not None:
                    shown()
                elif time.monotonic() - start > self.delay_s and done < total:
                    shown = stack.enter_context(BarProgress().track(title, total, unit))
                    for _ in range(done):
                        shown()

            yield advance
