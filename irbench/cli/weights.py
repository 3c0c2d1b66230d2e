"""``irbench weights``."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from irbench.cli.completion import complete_dataset, complete_method
from irbench.cli.convention_options import convention_arguments
from irbench.cli.dataset_options import DatasetOptions, dataset_options
from irbench.cli.next_steps import param_arguments, plugin_arguments
from irbench.cli.options import param_option, parse_parameters_of
from irbench.cli.verbosity import command_progress, note, verbosity_options
from irbench.errors import UsageError

if TYPE_CHECKING:
    from irbench.networks.neural import NeuralDetector


@click.group()
def weights() -> None:
    """Import published checkpoints as weights with a card.

    \b
    irbench weights import yolov8n net.pth --trained-on nuaa --scheme idx427
    irbench methods show yolov8n                                the weights that are known by name
    """


@weights.command("import")
@click.argument("method", shell_complete=complete_method)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--trained-on",
    required=True,
    shell_complete=complete_dataset,
    metavar="DATASET|unknown",
    help="Whose training list, with --scheme, the weights have learned from.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The .safetensors file.  [default: where --weights DATASET finds it]",
)
@click.option(
    "--imgsz",
    type=click.IntRange(min=1),
    help="Side of the images that it was trained at, in pixels.",
)
@click.option(
    "--source", default="", show_default=False, help="Where the file comes from, for the card."
)
@click.option(
    "--licence",
    default="",
    show_default=False,
    help="What the weights may be used for, for the card.",
)
@param_option
@dataset_options
@verbosity_options
def import_(
    method: str,
    file: Path,
    trained_on: str,
    out: Path | None,
    imgsz: int | None,
    source: str,
    licence: str,
    params: tuple[str, ...],
    stated: DatasetOptions,
) -> None:
    """Make weights with a card out of a checkpoint of another repository.

    Reads what torch.save of any version wrote (a state dict, one under "state_dict" or "net", a
    whole module), .npz with an array for each tensor, and safetensors. Nothing in the file is
    executed; one that would execute something is refused. Validation images of the scheme count
    as trained on. With `--trained-on unknown`, every row says that a leak cannot be excluded.

    \b
    irbench weights import yolov8n net.pth --trained-on nuaa --scheme idx427
    irbench weights import yolov8n net.pkl --trained-on unknown --out net.safetensors
    """
    from irbench.extras import require_deep
    from irbench.networks.card import UNKNOWN
    from irbench.protocol import get_protocol

    stated.load_plugins()
    known = None if trained_on == UNKNOWN else trained_on
    if known is None and (stated.scheme is not None or stated.conventions):
        words = ["--scheme"] if stated.scheme is not None else []
        words += convention_arguments(stated.conventions)
        raise UsageError(f"{words[0]} is of a dataset; --trained-on unknown has none.")
    texts = parse_parameters_of(method, params)
    detector = _make_detector(method, texts, imgsz)
    require_deep(method)
    opened = None
    if known is not None:
        opened = stated.open_under(get_protocol("table1"), known)
    name = trained_on if opened is None else opened.info.name
    out = out or _default_folder() / f"{method}-{name}.safetensors"

    from irbench.checkpoints.weights_import import import_weights
    from irbench.training.training_card import repeatable_command

    written = import_weights(
        detector,
        file,
        out,
        opened,
        image_size=imgsz,
        source=source,
        licence=licence,
        command=repeatable_command(("irbench", *sys.argv[1:])),
        progress=command_progress(),
    )
    click.echo(f"{method}: {written.card.summary}")
    note(f"written: {written.path}")
    weights_param = f"{method}.weights={written.path}"
    arguments = ["irbench", "run", "--methods", method, "--param", weights_param]
    arguments += param_arguments(method, texts)
    if opened is not None:
        arguments += stated.arguments(known or "", opened.scheme)
    else:
        arguments += ["--dataset", "NAME", *plugin_arguments(stated.plugins)]
        note("the leak guard cannot know what these weights have seen; every row says so")
    note(f"next: {shlex.join(arguments)}")


def _make_detector(method: str, texts: dict[str, str], imgsz: int | None) -> NeuralDetector:
    from irbench.networks.neural import NeuralDetector
    from irbench.parameters import parameter_specs, parse_parameters
    from irbench.plugins.registry import method_class

    cls = method_class(method)
    if not issubclass(cls, NeuralDetector):
        raise UsageError(f"{method} has no network; weights are imported for those that have.")
    if "weights" in texts:
        raise UsageError(f"{method}.weights cannot be given: the imported ones take its place.")
    # Fully convolutional networks have no such parameter; the size is a fact for the card.
    if imgsz is not None and "image_size" in parameter_specs(cls):
        texts = {**texts, "image_size": str(imgsz)}
    return cls(**parse_parameters(cls, texts))


def _default_folder() -> Path:
    """Where weights are found by name, and may be written."""
    import platformdirs

    from irbench.networks.weights_search import FOLDER_VARIABLE

    if value := os.environ.get(FOLDER_VARIABLE):
        return Path(value).expanduser()
    return platformdirs.user_data_path("irbench") / "weights"
