"""``irbench data``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from irbench.cli.completion import complete_dataset
from irbench.cli.dataset_options import DatasetOptions, dataset_options
from irbench.cli.options import (
    data_root_option,
    dataset_option,
    json_option,
    load_plugins,
    plugin_option,
    print_failures,
)
from irbench.cli.verbosity import command_progress, note, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED, MissingDataError, UnknownNameError


@click.group()
def data() -> None:
    """List, verify, measure, import, export and pack datasets.

    \b
    irbench data list                       where each dataset was found
    irbench data import NUDT-SIRST.zip      bring a published one in, and verify it
    irbench data stats my_images/           any directory will do
    """


@data.command("list")
@json_option
@data_root_option
@plugin_option
def list_datasets(as_json: bool, data_root: Path | None, plugins: tuple[Path, ...]) -> None:
    """List the datasets, and where each was found on this machine.

    \b
    irbench data list
    irbench data list --data-root /data --json
    """
    from irbench.plugins.registry import catalogue

    load_plugins(plugins)
    found = catalogue("datasets")
    rows = []
    for name, cls in found.classes.items():
        if name in ("folder", "sequence"):
            continue
        try:
            opened = cls(root=data_root)
            place = "generated" if opened.root is None else str(opened.root)
        except MissingDataError:
            place = ""
        info = cls.info
        rows.append(
            {
                "name": name,
                "title": info.title,
                "images": info.n_images,
                "targets": info.n_targets,
                "schemes": list(info.schemes),
                "place": place,
                "url": info.url,
            }
        )
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    from tabulate import tabulate

    table = [
        (
            row["name"],
            row["title"],
            row["images"],
            row["targets"],
            ", ".join(row["schemes"]),
            row["place"] or f"not here; published at {row['url']}",
        )
        for row in rows
    ]
    click.echo(tabulate(table, ("name", "title", "images", "targets", "schemes", "where")))
    click.echo(
        "\nYour own images: --dataset DIRECTORY. A published archive: irbench data import PATH"
    )
    print_failures(found.failures)


@data.command("verify")
@click.argument("dataset", shell_complete=complete_dataset)
@click.option("--all-ids", is_flag=True, help="Name every image of a finding, not the first ten.")
@json_option
@dataset_options
@verbosity_options
def verify(
    dataset: str,
    all_ids: bool,
    as_json: bool,
    stated: DatasetOptions,
) -> int:
    """Check a copy: counts, pairs, sizes, mask values, splits, and hashes of decoded pixels.

    A copy that was re-encoded verifies too. Declared repairs and odd masks are reported by
    number. Exit code 1 if there is a problem.

    \b
    irbench data verify nudt
    irbench data verify my_images/ --all-ids
    """
    from irbench.data.verify import format_report
    from irbench.data.verify import verify as verify_dataset

    opened = stated.open(dataset)
    report = verify_dataset(opened, progress=command_progress())
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=2))
    else:
        lines = format_report(report, max_ids=10**9) if all_ids else format_report(report)
        click.echo("\n".join(lines))
    return EXIT_DONE if report.ok else EXIT_FAILED


@data.command("stats")
@click.argument("dataset", shell_complete=complete_dataset)
@click.option("--split", default="all", help="The split to measure.")
@json_option
@dataset_options
@verbosity_options
def stats(
    dataset: str,
    split: str,
    as_json: bool,
    stated: DatasetOptions,
) -> None:
    """Measure a dataset: sizes, targets, areas, local signal-to-clutter ratios.

    \b
    irbench data stats nudt
    irbench data stats my_images/ --split test --json
    """
    from irbench.data.stats import compute_stats, format_stats

    opened = stated.open(dataset, split)
    measured = compute_stats(opened, command_progress())
    if as_json:
        click.echo(json.dumps(measured.as_dict(), indent=2))
    else:
        click.echo("\n".join(format_stats(measured)))


@data.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--dataset",
    shell_complete=complete_dataset,
    help="Which dataset it is.  [default: from the file's name]",
)
@click.option("--overwrite", is_flag=True, help="Replace a copy that is there already.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where to put it.")
@verbosity_options
def import_(path: Path, dataset: str | None, overwrite: bool, data_root: Path | None) -> int:
    """Bring a published dataset in from PATH, a folder or an archive (zip, tar), and verify it.

    \b
    irbench data import NUDT-SIRST.zip
    irbench data import downloads/sirst-master --dataset nuaa --data-root /data
    """
    from irbench.data.importing import import_data, named_dataset, recogniser
    from irbench.data.location import search_places
    from irbench.data.verify import format_report
    from irbench.data.verify import verify as verify_dataset
    from irbench.plugins.registry import catalogue

    classes = catalogue("datasets").classes
    name = dataset or named_dataset(path, classes)
    if name not in classes or not classes[name].info.url:
        published = [one for one, cls in classes.items() if cls.info.url]
        raise UnknownNameError("published dataset", name, published)
    cls = classes[name]
    progress = command_progress()
    folder = import_data(
        path,
        cls.info.title,
        search_places(data_root)[0],
        recogniser(cls),
        overwrite=overwrite,
        progress=progress,
    )
    note(f"imported: {folder}")
    report = verify_dataset(cls(root=folder, split="all"), progress=progress)
    click.echo("\n".join(format_report(report)))
    return EXIT_DONE if report.ok else EXIT_FAILED


@data.command("export")
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["yolo", "coco"]),
    default="yolo",
    help="Of the boxes.",
)
@click.option("--split", "splits", multiple=True, help="May be repeated.  [default: all]")
@click.option(
    "--val-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Draw this share of the training images as val, where the data has none.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of --val-share.")
@dataset_options
@verbosity_options
def export(
    dataset: str,
    out: Path,
    form: Any,
    splits: tuple[str, ...],
    val_share: float | None,
    seed: int,
    stated: DatasetOptions,
) -> int:
    """Write images and boxes of DATASET to the folder OUT, to train other software on.

    \b
    irbench data export nudt nudt_yolo/
    irbench data export nudt nudt_coco/ --format coco --split train --split val
    irbench data export my_images/ out/ --val-share 0.2 --seed 1
    """
    from irbench.data.exporting import export as export_dataset

    opened = stated.open(dataset)
    done = export_dataset(
        opened,
        out,
        form,
        splits=splits or None,
        val_share=val_share,
        seed=seed,
        progress=command_progress(),
    )
    for split, n_images in done.n_images.items():
        click.echo(f"{split}: {n_images} images, {done.n_boxes[split]} boxes")
    for sample_id, reason in done.left_out.items():
        click.echo(f"left out: {sample_id}: {reason}", err=True)
    if done.val_made:
        click.echo(done.val_made)
    if form == "yolo" and (n_ignored := sum(done.n_ignored.values())):
        click.echo(f"{n_ignored} ignored regions are not written: YOLO has none", err=True)
    if done.missing:
        click.echo(f"note: {done.missing}", err=True)
    note(f"written: {out}")
    return EXIT_FAILED if done.left_out else EXIT_DONE


@data.command("pack")
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
def pack_(
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
    from irbench.data.packing import pack
    from irbench.plugins.registry import PACKED_SUFFIX

    opened = stated.open(dataset)
    name = Path(dataset).resolve().name if opened.info.name == "folder" else opened.info.name
    written = pack(opened, out or Path(name + PACKED_SUFFIX), splits or None, command_progress())
    lost = f", {written.n_left_out} of them unusable" if written.n_left_out else ""
    click.echo(f"{written.path}: {written.n_images} images{lost}, {written.n_bytes / 1e6:.1f} MB")
    note(f"next: irbench train METHOD --dataset {written.path}")


@data.command("leaks")
@dataset_option(
    several=True,
    required=True,
    help="A name of `irbench data list`, or a folder; several with commas between.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.9,
    help="Correlation from which two backgrounds are near twins.",
)
@click.option(
    "--fail-over",
    type=click.IntRange(min=0),
    help="Exit with 1 if more test images than this have a twin.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write leaks.csv and leaks.png, the strongest pairs side by side, to this folder.",
)
@json_option
@dataset_options
@verbosity_options
def leaks(
    dataset: str,
    threshold: float,
    fail_over: int | None,
    out: Path | None,
    as_json: bool,
    stated: DatasetOptions,
) -> int:
    """Find near-duplicate backgrounds between the splits, such as frames of one sequence.

    Targets are left out of the comparison; the backgrounds may be shifted by up to half of the
    image, or mirrored. What is found is information: the exit code is 0 unless --fail-over is
    given. Of several datasets a test image of one may have its twin in another's training.

    \b
    irbench data leaks --dataset nudt
    irbench data leaks --dataset nudt,nuaa,irstd1k
    irbench data leaks --dataset my_images/ --fail-over 0 --out leaks/
    """
    import cv2

    from irbench.cli.writing import write_output
    from irbench.data.contact_sheet import draw_contact_sheet, twins_csv
    from irbench.data.joint import dataset_names, joined
    from irbench.data.split_leaks import find_leaks, format_leaks

    opened = joined([stated.open(name) for name in dataset_names(dataset)])
    report, backgrounds = find_leaks(opened, threshold, command_progress())
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=2))
    else:
        click.echo("\n".join(format_leaks(report)))
    if out is not None:
        sheet = cv2.imencode(".png", draw_contact_sheet(report.twins, backgrounds))[1]
        write_output(out / "leaks.csv", twins_csv(report.twins).encode())
        write_output(out / "leaks.png", sheet.tobytes())
        note(f"written: {out / 'leaks.csv'}, {out / 'leaks.png'}", err=as_json)
    too_many = fail_over is not None and report.n_leaked > fail_over
    return EXIT_FAILED if too_many else EXIT_DONE
