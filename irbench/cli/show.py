"""``irbench show``."""

from __future__ import annotations

from pathlib import Path

import click

from irbench.cli.options import load_plugins, names_option, plugin_option_of, run_argument
from irbench.cli.verbosity import command_progress, verbosity_options
from irbench.errors import UnknownNameError, UsageError


@click.command()
@run_argument
@click.argument("image", metavar="IMAGE")
@names_option(
    "--method",
    "methods",
    metavar="NAME,…",
    help="Methods to show. May be repeated.  [default: all with detections]",
)
@click.option(
    "--maps/--no-maps",
    default=True,
    help="Compute the score maps again; a run does not keep them.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write: .png, .pdf or .svg.  [default: figures/show-IMAGE.png in the run]",
)
@plugin_option_of("methods or the dataset of the run")
@verbosity_options
def show(
    run: Path,
    image: str,
    methods: tuple[str, ...],
    maps: bool,
    out: Path | None,
    plugins: tuple[Path, ...],
) -> None:
    """Write a picture of one image: its targets, and what each method made of it.

    Hits are green, false alarms orange and dashed, misses purple and dotted; beside them the
    targets enlarged, and the score maps. IMAGE is an id of the tested split.

    \b
    irbench show runs/nudt 000331
    irbench show runs/nudt 000331 --method tophat,le-irstd --no-maps
    irbench show runs/nudt 000331 --out 000331.pdf
    """
    from irbench.cli.writing import write_output
    from irbench.engine.storage.results import load_run
    from irbench.figures.catalogue import file_stem
    from irbench.figures.compared_methods import ComparedMethods, check_image
    from irbench.figures.panel import image_figure
    from irbench.pictures.canvas import figure_bytes

    load_plugins(plugins)
    results = load_run(run)
    target = out or results.path / "figures" / f"show-{file_stem(image)}.png"
    form = target.suffix.lower().lstrip(".")
    if form not in ("png", "pdf", "svg"):
        raise UsageError(f"--out must end in .png, .pdf or .svg, got {target}.")
    names = list(methods) or None
    # Scoring takes a second for each method: a slip of the pen is said before.
    check_image(image, [truth.id for truth in results.ground_truth[results.dataset["split"]]])
    known = [row["method"] for row in results.rows]
    for name in names or ():
        if name not in known:
            raise UnknownNameError("method of the run", name, known)
    comparison = ComparedMethods.with_progress(results, command_progress())
    figure = image_figure(comparison, image, methods=names, maps=maps)
    write_output(target, figure_bytes(figure, form))
    index, _ = comparison.truth(image)
    for name in names or comparison.scored.methods:
        outcome = comparison.outcomes.get(name)
        text = "no operating point" if outcome is None else str(outcome[index])
        click.echo(f"{comparison.styles[name].title}: {text}")
    for problem in comparison.scored.problems:
        click.echo(f"{problem}.", err=True)
    click.echo(f"wrote {target}")
