"""``irbench data pack``."""

from __future__ import annotations

from pathlib import Path

import click

from irbench.cli.completion import complete_dataset
from irbench.cli.dataset_options import DatasetOptions, dataset_options
from irbench.cli.verbosity import command_progress, note, verbosity_options


@click.command("pack")
@click.argument("dataset", shell_complete=complete_dataset)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Ends in .irpack.  [default: NAME.irpack]",
)
@click.option(
    "--split",
    "splits",
    multiple=True,
    help="A split to pack; may be repeated.  [default: all that it has]",
)
@dataset_options
@verbosity_options
def pack(
    dataset: str,
    out: Path | None,
    splits: tuple[str, ...],
    stated: DatasetOptions,
) -> None:
    """Put a dataset into one file, without loss, to train with on another machine.

    The file is given where a dataset is: everything is as with the dataset itself, its name, its
    splits and the hashes of its images included. On a GPU, training keeps the images in its memory.

    \b
    irbench data pack nudt
    irbench data pack irstd1k --split train --split val --out irstd1k.irpack
    irbench train le-irstd --dataset irstd1k.irpack
    """
    from irbench.data.packing import pack as write
    from irbench.plugins.registry import PACKED_SUFFIX

    opened = stated.open(dataset)
    name = Path(dataset).resolve().name if opened.info.name == "folder" else opened.info.name
    written = write(opened, out or Path(name + PACKED_SUFFIX), splits or None, command_progress())
    lost = f", {written.n_left_out} of them unusable" if written.n_left_out else ""
    click.echo(f"{written.path}: {written.n_images} images{lost}, {written.n_bytes / 1e6:.1f} MB")
    note(f"next: irbench train METHOD --dataset {written.path}")
