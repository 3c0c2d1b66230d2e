"""``irbench train``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.options import data_options, load_plugins, parse_assignments
from irbench.cli.run import choose_protocol, open_dataset
from irbench.errors import UsageError

if TYPE_CHECKING:
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.weights_file import WeightsFile
    from irbench.training.settings import TrainingSettings

# Options that are settings of the same name, and those whose names differ.
_SETTINGS = {"imgsz": "image_size", "lr": "learning_rate"}
_AUGMENTATION = ("mosaic", "flip_lr", "flip_ud", "scale", "translate", "brightness", "offset")


@click.command()
@click.argument("method")
@click.option("--dataset", required=True, help="A name, or a directory of your own images.")
@click.option(
    "--recipe",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A TOML file of settings; options given here win over it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Directory.  [default: runs/train/METHOD-DATASET]",
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out, to the same end.")
@click.option(
    "--max-minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop after the last epoch that fits; valid weights are left, --resume goes on.",
)
@click.option(
    "--weights", help="Begin with these instead of random ones: a dataset's name, or a file."
)
@click.option("--test", is_flag=True, help="Score the test split too, once, for the card.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda[:N].")
@click.option("--threads", type=click.IntRange(min=1), help="Of a CPU.  [default: its cores]")
@click.option("--imgsz", type=int, metavar="PX", help="Side of the letterbox.  [default: 640]")
@click.option("--epochs", type=int, help="[default: 300]")
@click.option("--batch", type=int, help="Images of a step.  [default: 16]")
@click.option("--accumulate", type=int, help="Parts of a batch, one after the other.  [default: 1]")
@click.option("--lr", type=float, help="Adam's learning rate, before its cosine.  [default: 0.001]")
@click.option("--patience", type=int, help="Epochs without a better AP@50; 0: never stop.")
@click.option("--seed", type=int, help="[default: 0]")
@click.option("--deterministic/--no-deterministic", default=None, help="Repeat to the bit.")
@click.option("--precision", type=click.Choice(["auto", "float32", "bfloat16"]))
@click.option("--box-loss", type=click.Choice(["ciou", "nwd", "mixed", "iou"]))
@click.option("--min-box-px", type=float, help="Assign cells to boxes as if at least this large.")
@click.option("--close-mosaic", type=int, metavar="EPOCHS", help="Last epochs without mosaic.")
@click.option("--no-augment", is_flag=True, help="Images as they are.")
@click.option("--mosaic", type=float, help="Probability.  [default: 1]")
@click.option("--flip-lr", type=float, help="Probability.  [default: 0.5]")
@click.option("--flip-ud", type=float, help="Probability.  [default: 0.5]")
@click.option("--scale", type=float, help="Up to 1 + this, down to 1 / (1 + this).  [default: 0.5]")
@click.option("--translate", type=float, help="Share of the side.  [default: 0.1]")
@click.option("--brightness", type=float, help="Gain of 1 ± this.  [default: 0.4]")
@click.option("--offset", type=float, help="Grey level ± this.  [default: 0.1]")
@click.option(
    "--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Any other setting."
)
@click.option("--param", "params", multiple=True, metavar="METHOD.NAME=VALUE")
@data_options
def train(
    method: str,
    dataset: str,
    recipe: Path | None,
    out: Path | None,
    resume: bool,
    max_minutes: float | None,
    weights: str | None,
    test: bool,
    device: str,
    threads: int | None,
    no_augment: bool,
    assignments: tuple[str, ...],
    params: tuple[str, ...],
    data_root: Path | None,
    scheme: str | None,
    plugins: tuple[Path, ...],
    **options: Any,
) -> int:
    """Train a network on a training split; the best epoch is chosen on the validation split.

    Leaves METHOD-DATASET.safetensors with its card (.json), history.csv, history.png and a
    checkpoint. Stop it whenever you like: --resume goes on to the same weights. The test split is
    not touched, unless --test asks for its scores at the end.

    \b
    irbench train yolov8n --dataset synth --imgsz 128 --epochs 30
    irbench train le-irstd --dataset nudt --max-minutes 60
    irbench train le-irstd --dataset nudt --resume
    irbench train mine --plugin mine.py --dataset my_images/ --no-augment
    torchrun --nproc-per-node 4 -m irbench train le-irstd --dataset nudt
    """
    plugin_paths = load_plugins(plugins)
    settings = _settings(recipe, options, no_augment, assignments)
    texts = parse_assignments(params).get(method, {})
    detector = make_detector(method, settings.image_size, weights, texts)
    opened = open_dataset(dataset, data_root, "all", scheme, choose_protocol("table1", None, None))

    import torch

    from irbench.progress import terminal_progress
    from irbench.training.job import TrainingJob, training_splits
    from irbench.training.processes import Processes

    if threads is not None:
        torch.set_num_threads(threads)
    processes = Processes.join(device)
    splits = training_splits(opened)
    job = TrainingJob(
        detector=detector,
        train=splits[0],
        val=splits[1],
        settings=settings,
        out=out or Path("runs/train") / f"{method}-{opened.info.name}",
        processes=processes,
        progress=terminal_progress(),
        command=("irbench", *sys.argv[1:]),
        test=opened.with_split("test") if test else None,
    )
    try:
        result = job.execute(resume=resume, max_minutes=max_minutes)
    finally:
        processes.leave()
    if not processes.first:
        return 0
    if not result.state.best_epoch:
        click.echo(f"irbench: {result.reason} before the first epoch was done.", err=True)
        return 130 if result.reason == "interrupted" else 1
    _print_end(job.weights_file, result.reason, result.finished, dataset, plugin_paths)
    return 130 if result.reason == "interrupted" else 0


def make_detector(
    method: str, image_size: int, weights: str | None, params: dict[str, str]
) -> NetworkDetector:
    """The detector that is trained.

    Raises
    ------
    UsageError
        For a method without a network.
    """
    from irbench.networks.detector import NetworkDetector
    from irbench.parameters import parse_parameters
    from irbench.registry import method_class

    cls = method_class(method)
    if not issubclass(cls, NetworkDetector):
        raise UsageError(
            f"{method} has no network to train; `irbench methods list` marks those that have."
        )
    given = parse_parameters(cls, params)
    return cls(**{**given, "image_size": image_size, "weights": weights})


def _settings(
    recipe: Path | None, options: dict[str, Any], no_augment: bool, assignments: tuple[str, ...]
) -> TrainingSettings:
    from irbench.training.augmentation import Augmentation
    from irbench.training.settings import TrainingSettings, read_recipe

    settings = TrainingSettings() if recipe is None else read_recipe(recipe)
    if no_augment:
        import dataclasses

        settings = dataclasses.replace(settings, augmentation=Augmentation.none())
    changes: dict[str, Any] = {}
    inner: dict[str, Any] = {}
    for name, value in options.items():
        if value is not None:
            (inner if name in _AUGMENTATION else changes)[_SETTINGS.get(name, name)] = value
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set must be NAME=VALUE, got {text!r}.")
        owner, _, last = name.strip().rpartition(".")
        (inner if owner == "augmentation" else changes)[last if owner else name.strip()] = _value(
            value
        )
    return settings.changed({**changes, **({"augmentation": inner} if inner else {})})


def _value(text: str) -> Any:
    """A value as TOML has it; text without quotes is text."""
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def _print_end(
    weights: WeightsFile, reason: str, finished: bool, dataset: str, plugins: tuple[str, ...]
) -> None:
    card = weights.card
    plugin = "".join(f" --plugin {path}" for path in plugins)
    click.echo(f"{reason}: {card.epochs} epochs, the best is {card.best_epoch}.")
    for part in ("val", "test"):
        if card.metrics.get(part):
            values = [
                f"{label} {100 * value:.2f}"
                for label, name in (
                    ("AP@50", "map50"),
                    ("F1", "f1"),
                    ("P", "precision"),
                    ("R", "recall"),
                )
                if (value := card.metric(part, name)) is not None
            ]
            click.echo(f"  {part:4}  {'  '.join(values)}")
    click.echo(f"written: {weights.path}")
    click.echo(
        f"next: irbench run --methods {card.method} --dataset {dataset}{plugin} "
        f"--param {card.method}.weights={weights.path}"
    )
    if not finished:
        click.echo(
            f"or go on: {' '.join(card.command)}{'' if '--resume' in card.command else ' --resume'}"
        )
