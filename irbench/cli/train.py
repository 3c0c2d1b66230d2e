"""``irbench train``."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.completion import complete_method
from irbench.cli.dataset_options import DatasetOptions, dataset_options
from irbench.cli.next_steps import param_arguments
from irbench.cli.options import SectionedCommand, dataset_option, param_option, parse_parameters_of
from irbench.cli.train_options import SECTIONS, read_settings, setting_options
from irbench.cli.verbosity import command_events, command_progress, note, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_INTERRUPTED, UsageError

if TYPE_CHECKING:
    from irbench.networks.card import Card
    from irbench.networks.neural import NeuralDetector
    from irbench.training.job import TrainingJob
    from irbench.training.trainer import TrainingResult


@click.command(cls=SectionedCommand, sections=SECTIONS)
@click.argument("method", required=False, shell_complete=complete_method)
@dataset_option(
    several=True,
    help="A name, or a directory of your own images; several with commas are trained on together.",
)
@click.option(
    "--queue",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Run the trainings of a TOML file instead, one after the other; --max-minutes is that of "
    "all together. The same command resumes it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory.  [default: runs/train/METHOD-DATASET]",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Resume from the checkpoint in --out, if there is one; the weights come out the same.",
)
@click.option(
    "--max-minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop after the last epoch that fits; valid weights are left for --resume.",
)
@click.option(
    "--weights", help="Begin with these instead of random ones: a dataset's name, or a file."
)
@click.option(
    "--tensorboard",
    is_flag=False,
    flag_value="",
    metavar="[DIR]",
    help="Write losses, validation scores and the learning rate as scalars for TensorBoard, to "
    "tensorboard/ in --out, or to a folder of the training's name in DIR; needs the extra "
    "tensorboard.",
)
@click.option("--test", is_flag=True, help="Score the test split too, once, at the end.")
@click.option("--device", default="auto", help="auto, cpu or cuda[:N].")
@click.option("--threads", type=click.IntRange(min=1), help="Of a CPU.  [default: its cores]")
@param_option
@setting_options
@dataset_options
@verbosity_options
def train(
    method: str | None,
    dataset: str | None,
    queue: Path | None,
    recipe: Path | None,
    out: Path | None,
    resume: bool,
    max_minutes: float | None,
    weights: str | None,
    tensorboard: str | None,
    test: bool,
    device: str,
    threads: int | None,
    no_augment: bool,
    assignments: tuple[str, ...],
    params: tuple[str, ...],
    stated: DatasetOptions,
    **options: Any,
) -> int:
    """Train a network on a training split; the best epoch is chosen on the validation split.

    Leaves METHOD-DATASET.safetensors with its card (.json), history.csv, history.png and a
    checkpoint. Stop it whenever you like: Ctrl-C leaves the weights so far, and --resume leads to
    the same weights as without a break. The test split is not touched, unless --test asks for its
    scores at the end.

    Segmentation networks are taught with masks, on patches of --crop pixels, by the recipe of
    BasicIRSTD unless their own says otherwise; the defaults below are those of networks of boxes.

    \b
    irbench train yolov8n --dataset synth --imgsz 128 --epochs 30    needs no data
    irbench train le-irstd --dataset nudt --max-minutes 60
    irbench train le-irstd --dataset nudt --resume --tensorboard     curves for TensorBoard
    irbench train le-irstd --dataset my_images/ --weights nudt       begin with others' weights
    irbench train le-irstd --dataset nuaa --weights nudt --recipe transfer-320
    irbench train le-irstd --dataset nudt,nuaa,irstd1k               all three as one training set
    irbench train mine --plugin mine.py --dataset my_images/ --no-augment
    irbench train acm-basic --dataset nudt --epochs 40               masks, patches of 256 px
    irbench train --queue queue.toml --max-minutes 15                a list of trainings
    torchrun --nproc-per-node 4 -m irbench train le-irstd --dataset nudt
    """
    from irbench.data.joint import dataset_names, joined
    from irbench.extras import require_deep
    from irbench.protocol import get_protocol
    from irbench.training.event_curves import FOLDER, require_writer
    from irbench.training.recipes import find_recipe

    if queue is not None:
        return _run_queue(click.get_current_context(), queue, max_minutes)
    if method is None or dataset is None:
        raise UsageError("give a METHOD and --dataset NAME, or --queue FILE.")
    stated.load_plugins()
    cls = network_class(method)
    if recipe is not None:
        recipe = find_recipe(cls, recipe)
    settings = read_settings(
        recipe,
        options,
        no_augment=no_augment,
        assignments=assignments,
        defaults=cls.training_defaults,
    )
    texts = parse_parameters_of(method, params)
    detector = make_detector(cls, settings.image_size, weights, texts)
    require_deep(method)
    if tensorboard is not None:
        require_writer()
    protocol = get_protocol("table1")
    opened = joined([stated.open_under(protocol, one) for one in dataset_names(dataset)])

    import torch

    from irbench.messages.progress import Progress
    from irbench.resources import keep_activations_mapped
    from irbench.training.job import TrainingJob, training_name, training_splits
    from irbench.training.processes import TrainingProcesses

    if threads is not None:
        torch.set_num_threads(threads)
    keep_activations_mapped()
    train_split, val_split = training_splits(opened)
    processes = TrainingProcesses.join(device)
    progress = command_progress() if processes.first else Progress()
    out = out or Path("runs/train") / training_name(method, opened)
    curves = None
    if tensorboard is not None:
        curves = Path(tensorboard) / out.name if tensorboard else out / FOLDER
    job = TrainingJob(
        detector=detector,
        train=train_split,
        val=val_split,
        settings=settings,
        out=out,
        processes=processes,
        progress=progress,
        events=command_events(progress),
        command=_command(),
        test=opened.with_split("test") if test else None,
        curves=curves,
    )
    try:
        result = job.execute(resume=resume, max_minutes=max_minutes)
    except KeyboardInterrupt:
        if processes.first:
            click.echo(f"irbench: interrupted.{_how_to_go_on(job)}", err=True)
        return EXIT_INTERRUPTED
    finally:
        processes.leave()
    if processes.first:
        again = stated.arguments(dataset, "" if stated.scheme is None else opened.scheme)
        _print_end(job, result, [*again, *param_arguments(method, texts)])
    return EXIT_INTERRUPTED if result.interrupted else EXIT_DONE


def _run_queue(context: click.Context, path: Path, max_minutes: float | None) -> int:
    """Run a queue of trainings and report how each ended."""
    from click.core import ParameterSource

    from irbench.training.queue import check_methods, queue_status, read_queue, run_queue

    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.get_parameter_source(name) == ParameterSource.COMMANDLINE
        if given and name not in ("queue", "max_minutes", "quiet", "verbose"):
            raise UsageError(f"--queue takes {parameter.opts[0]} from its file; leave it out here.")
    options = {
        flag.removeprefix("--"): bool(parameter.is_flag) and not parameter.secondary_opts
        for parameter in context.command.params
        if isinstance(parameter, click.Option)
        for flag in (*parameter.opts, *parameter.secondary_opts)
        if flag.startswith("--")
    }
    queue = read_queue(path, options)
    check_methods(queue)
    outcomes = []
    for outcome in run_queue(queue, max_minutes=max_minutes):
        outcomes.append(outcome)
        click.echo(f"{outcome.name}: {outcome.state}, {outcome.minutes:.1f} min")
    for training in queue.trainings[len(outcomes) :]:
        click.echo(f"{training.name}: not begun")
    return queue_status(outcomes)


def network_class(method: str) -> type[NeuralDetector]:
    """The class of a method that can be trained.

    Raises
    ------
    UsageError
        For a method without a network, or without a loss.
    """
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.neural import NeuralDetector
    from irbench.plugins.registry import method_class

    cls = method_class(method)
    if not issubclass(cls, NeuralDetector):
        raise UsageError(
            f"{method} has no network to train; `irbench methods list` marks those that have."
        )
    if cls.loss in (NetworkDetector.loss, NeuralDetector.loss):
        raise UsageError(f"{method} cannot be trained: {cls.__name__} has no loss.")
    return cls


def make_detector(
    cls: type[NeuralDetector], image_size: int, weights: str | None, params: dict[str, str]
) -> NeuralDetector:
    """The detector that is trained; one of boxes at this side of its letterbox, in pixels."""
    from irbench.networks.detector import NetworkDetector
    from irbench.parameters import parse_parameters

    options = {"weights": "--weights", "image_size": "--imgsz"}
    for name in options.keys() & params.keys():
        raise UsageError(
            f"--param {cls.info.name}.{name}={params[name]}: a training takes it by "
            f"{options[name]}."
        )
    given = {**parse_parameters(cls, params), "weights": weights}
    if issubclass(cls, NetworkDetector):
        given["image_size"] = image_size
    made = cls(**given)
    # A name that nobody knows is refused before anything is written.
    made.weights_file  # noqa: B018
    return made


def _command() -> tuple[str, ...]:
    """What was typed, as it may be typed again."""
    count = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if "TORCHELASTIC_RUN_ID" in os.environ:
        program: tuple[str, ...] = ("torchrun", "--nproc-per-node", str(count), "-m", "irbench")
    else:
        program = ("irbench",)
    return (*program, *sys.argv[1:])


def _how_to_go_on(job: TrainingJob) -> str:
    if not job.checkpoint.exists():
        return " There is no checkpoint yet."
    more = () if "--resume" in job.command else ("--resume",)
    return f" Resume: {shlex.join((*job.command, *more))}"


def _print_end(job: TrainingJob, result: TrainingResult, data: list[str]) -> None:
    """What came out, and the commands that come next."""
    if not result.state.epoch:
        click.echo(f"irbench: {result.reason} before the first epoch was done.", err=True)
        return
    card, path = job.weights_file.card, job.weights_path
    epochs = f"{card.epochs} epoch{'' if card.epochs == 1 else 's'}"
    best = f"the best is {card.best_epoch}"
    if card.best_epoch == 0:
        best = "none better than the weights it began with, which are kept"
    click.echo(f"{result.reason}: {epochs}, {best}.")
    for part in ("val", "test"):
        if card.metrics.get(part):
            click.echo(f"  {part:4}  {_scores(card, part)}")
    note(f"written: {path}")
    weights = ["--param", f"{card.method}.weights={path}"]
    note(f"next: {shlex.join(['irbench', 'run', '--methods', card.method, *data, *weights])}")
    if not result.finished:
        note(_how_to_go_on(job).strip())


def _scores(card: Card, part: str) -> str:
    labels = [("AP@50", "map50"), ("F1", "f1"), ("P", "precision"), ("R", "recall")]
    if card.settings.get("masks"):
        labels += [("IoU", "iou"), ("nIoU", "niou")]
    values = ((label, card.metric(part, name)) for label, name in labels)
    return "  ".join(f"{label} {100 * value:.2f}" for label, value in values if value is not None)
