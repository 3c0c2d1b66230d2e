"""``irbench evaluate``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from irbench.cli.dataset_options import DatasetOptions, dataset_options
from irbench.cli.options import dataset_option, operating_point_option
from irbench.cli.verbosity import command_events, command_progress, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED


@click.command()
@click.option(
    "--predictions",
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="A folder of masks, probability maps or YOLO texts, or a COCO JSON file.",
)
@dataset_option(
    required=True,
    help="A name, or a directory of your own images.",
)
@click.option("--split", default="test", help="The split that was predicted.")
@click.option("--name", "title", help="Title of the row.  [default: the name of --predictions]")
@click.option(
    "--kind",
    type=click.Choice(["mask", "probability", "yolo", "coco"]),
    help="What the files are.  [default: found from their content]",
)
@click.option(
    "--images",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The COCO file that numbers the images, for COCO results with numbers of their own.",
)
@click.option("--allow-extra", is_flag=True, help="Leave out predictions of other images.")
@click.option(
    "--validation",
    type=click.Path(path_type=Path, exists=True),
    help="Predictions on the validation split, to choose the score threshold on.",
)
@click.option("--threshold", type=float, help="The score threshold, instead of --validation.")
@operating_point_option
@click.option(
    "--protocol",
    "protocol_name",
    default="table1",
    help="table1 or basicirstd, as for `irbench run`.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Run directory to add the row to.  [default: runs/DATASET]",
)
@dataset_options
@verbosity_options
def evaluate(
    predictions: Path,
    dataset: str,
    split: str,
    title: str | None,
    kind: str | None,
    images: Path | None,
    allow_extra: bool,
    validation: Path | None,
    threshold: float | None,
    operating_point: str | None,
    protocol_name: str,
    out: Path | None,
    stated: DatasetOptions,
) -> int:
    """Score somebody else's output; it becomes a row like any other.

    Predictions are matched to images by their file names. Masks become detections of score 1, so
    that their AP is a single point; probability maps are cut at 0.5 (segments/1).

    \b
    irbench evaluate --predictions my_masks/ --dataset nudt --name MyNet
    irbench evaluate --predictions test.json --validation val.json --dataset nudt --name MyDet
    """
    from irbench.engine.planning.choices import choose_protocol, dataset_spec, default_directory
    from irbench.engine.planning.plan import RunPlan
    from irbench.engine.run.submitted_predictions import ExternalRow, evaluate_predictions
    from irbench.engine.storage.directory import RunDirectory

    given = threshold if operating_point in (None, "val-f1") else None
    protocol = choose_protocol(
        protocol_name, operating_point, None if given is not None else threshold
    )
    opened = stated.open_under(protocol, dataset, split)
    row = ExternalRow(
        title=title or predictions.stem,
        predictions=predictions,
        validation=validation,
        kind=kind,
        images=images,
        allow_extra=allow_extra,
        threshold=given,
        yolo_confidence=stated.conventions.yolo_confidence,
    )
    plan = RunPlan(
        dataset=dataset_spec(opened, stated.load_plugins()),
        split=split,
        protocol=protocol,
        methods=(),
        command=("irbench", *sys.argv[1:]),
    )
    directory = RunDirectory(out or default_directory(opened, protocol))
    progress = command_progress()
    results = evaluate_predictions(row, plan, directory, progress, command_events(progress))
    from irbench.cli.table import print_results

    print_results(results)
    n_left_out = sum(len(images) for images in results.dataset.get("left_out", {}).values())
    return EXIT_FAILED if n_left_out else EXIT_DONE
