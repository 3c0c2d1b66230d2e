"""``irbench choose``."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.completion import complete_methods
from irbench.cli.convention_options import dead_pixels_option, value_range_option
from irbench.cli.options import load_plugins, plugin_option, split_names
from irbench.cli.verbosity import command_progress, note, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED, UsageError

if TYPE_CHECKING:
    from irbench.auto_range import RangeChoice
    from irbench.choosing.verdict import CandidateRow
    from irbench.engine.jobs.specs import MethodSpec
    from irbench.ground_truth import GroundTruth


def _backends(
    _context: click.Context, _option: click.Parameter, text: str
) -> list[tuple[str, str]]:
    from irbench.networks.backends import BACKENDS, PRECISIONS, check_backend

    tries = []
    for part in text.split(","):
        backend, _, precision = part.strip().partition(":")
        if backend not in BACKENDS:
            raise click.BadParameter(f"{backend!r} is none of {', '.join(BACKENDS)}.")
        if precision and precision not in PRECISIONS:
            raise click.BadParameter(f"{precision!r} is none of {', '.join(PRECISIONS)}.")
        if precision == "int8":
            raise click.BadParameter("int8 needs a file of each network; see docs/backends.md.")
        check_backend("--backends", backend, precision or "fp32", None)
        tries.append((backend, precision or "fp32"))
    return tries


@click.command()
@click.option(
    "--frames",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="Frames of the camera, as for `irbench detect`. May be repeated.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with the masks or boxes of the frames, which are then one folder of images.",
)
@click.option(
    "--methods",
    default="all",
    show_default=True,
    shell_complete=complete_methods,
    help="As for `irbench run`.",
)
@click.option(
    "--backends",
    default="torch",
    show_default=True,
    callback=_backends,
    metavar="NAME[:PRECISION],…",
    help="Of networks of boxes, such as torch,openvino,openvino:bf16; see docs/backends.md.",
)
@click.option(
    "--min-fps",
    type=click.FloatRange(min=0, min_open=True),
    default=25.0,
    show_default=True,
    help="Frames a second that are needed.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Threads that a detector may use on the device.",
)
@click.option(
    "--alarms-per-frame",
    type=click.FloatRange(min=0, min_open=True),
    default=0.5,
    show_default=True,
    help="At which rate candidates are compared.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=9.0,
    show_default=True,
    help="Time to detect with all candidates together; exports for --backends come before.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("choice"), show_default=True,
    help="Folder for choice.json and the Pareto picture.",
)  # fmt: skip
@value_range_option
@dead_pixels_option
@plugin_option
@verbosity_options
def choose(
    frames: tuple[Path, ...],
    labels: Path | None,
    methods: str,
    backends: list[tuple[str, str]],
    min_fps: float,
    threads: int,
    alarms_per_frame: float,
    minutes: float,
    out: Path,
    value_range: RangeChoice,
    dead_pixels: str | None,
    plugins: tuple[Path, ...],
) -> int:
    """Find the detector for a camera: speed and accuracy on its own frames, and the one to take.

    Each candidate (methods; for networks each weights file that is here, at two input sizes) runs
    alone with so many threads. With labels they are compared by AP@50. Without, faint targets of
    5 standard deviations are implanted into the frames, and what counts is the share of them
    found at the same rate of alarms for all.

    \b
    irbench choose --frames frames/ --min-fps 25 --threads 2
    irbench choose --frames frames/ --labels masks/ --methods tophat,mpcm,le-irstd
    irbench choose --frames frames/ --methods deep --backends torch,openvino,openvino:bf16
    """
    from irbench.choosing.candidates import find_candidates
    from irbench.choosing.exports import with_exports
    from irbench.choosing.measuring import ChooseJob
    from irbench.choosing.picture import save_pareto
    from irbench.choosing.trials import run_trials
    from irbench.choosing.verdict import judge, pareto, to_take
    from irbench.cli.frame_watch import warn_of_dead_pixels
    from irbench.sequences.detection import sequence_dead_pixels, sequence_range
    from irbench.sequences.opening import open_sequence

    plugin_paths = load_plugins(plugins)
    sequence = open_sequence(frames)
    found_range = sequence_range(sequence, value_range)
    dead = sequence_dead_pixels(sequence, dead_pixels)
    first = next((one.pixels for one in sequence.spread(8) if one.pixels is not None), None)
    if first is None:
        raise UsageError(f"no frame of {', '.join(map(str, frames))} can be read.")
    truths = None if labels is None else _truths(frames, labels)
    candidates, left_out = find_candidates(split_names(methods), first.size, plugin_paths, backends)
    progress = command_progress()
    warn_of_dead_pixels(sequence, dead_pixels, progress)

    def make_job(spec: MethodSpec, budget_s: float) -> ChooseJob:
        return ChooseJob(
            spec,
            tuple(map(str, frames)),
            value_range,
            found_range,
            threads,
            min_fps,
            budget_s,
            truths is None,
            dead,
        )

    with tempfile.TemporaryDirectory() as folder:
        candidates = with_exports(candidates, Path(folder), left_out, progress)
        tried = run_trials(*(candidates, make_job, minutes, sequence.n_frames), left_out, progress)
    rows = [judge(one, measured, alarms_per_frame, truths) for one, measured in tried]
    unread = {name: why for _, measured in tried for name, why in measured.unread.items()}
    for name, reason in unread.items():
        progress.warn(f"{name}: {reason}")
    if not rows:
        for name, reason in left_out.items():
            click.echo(f"left out: {name}: {reason}", err=True)
        raise UsageError("no candidate could be measured; see what is said of each above.")
    rows.sort(key=lambda row: (-row.quality, -row.fps))
    taken, front = to_take(rows, min_fps), pareto(rows)
    _print_table(rows, front, taken, truths is not None)
    for name, reason in left_out.items():
        click.echo(f"left out: {name}: {reason}")
    commands = (
        []
        if taken is None
        else _commands(*(taken, frames, alarms_per_frame, value_range, dead_pixels))
    )
    save_pareto(out / "pareto.png", rows, front, taken, min_fps)
    _write(out / "choice.json", rows, taken, left_out, commands)
    if taken is None:
        click.echo(
            f"none reaches {min_fps:g} frames/s with {threads} threads; the fastest is "
            f"{front[0].candidate.name} with {front[0].fps:.1f}."
        )
        return EXIT_FAILED
    click.echo(f"\nTake {taken.candidate.name}. To deploy it:")
    for command in commands:
        click.echo(f"  {command}")
    note(f"written: {out / 'choice.json'}, {out / 'pareto.png'}")
    return EXIT_DONE


def _truths(frames: Sequence[Path], labels: Path) -> Mapping[str, GroundTruth]:
    """Ground truth by the name of the frame, through the reader of folders."""
    from irbench.ground_truth import GroundTruth
    from irbench.registry import catalogue

    if len(frames) != 1 or not frames[0].is_dir():
        raise UsageError("--labels goes with one --frames, a folder of images.")
    images, labels = frames[0].resolve(), labels.resolve()
    if images.parent != labels.parent:
        raise UsageError(
            f"--labels {labels} must lie beside the frames {images}, as images/ and masks/ do."
        )
    folder: Any = catalogue("datasets").classes["folder"]
    opened = folder(images.parent, "all", images=images.name, labels=labels.name)
    samples = (opened.load(key) for key in opened.ids)
    by_stem = {sample.id.rpartition("/")[2]: GroundTruth.of(sample) for sample in samples}
    return {str(file): by_stem[file.stem] for file in frames[0].iterdir() if file.stem in by_stem}


def _print_table(
    rows: Sequence[CandidateRow],
    front: Sequence[CandidateRow],
    taken: CandidateRow | None,
    labelled: bool,
) -> None:
    measure = "AP@50" if labelled else "implants found"
    click.echo(f"{'candidate':28} {'frames/s':>9} {'quartiles':>15} {measure:>15} {'alarms':>7}")
    for row in rows:
        mark = "take" if row is taken else "front" if row in front else ""
        spread = f"{row.fps_lower:.1f}-{row.fps_upper:.1f}"
        click.echo(
            f"{row.candidate.name:28} {row.fps:9.1f} {spread:>15} {row.quality:15.1%} "
            f"{row.alarms:7.2f} {mark}".rstrip()
        )


def _commands(
    taken: CandidateRow,
    frames: Sequence[Path],
    alarms_per_frame: float,
    value_range: RangeChoice,
    dead_pixels: str | None,
) -> list[str]:
    """What calibrates, exports and runs the one to take, as it may be typed."""
    one = taken.candidate
    paths = [word for path in frames for word in ("--frames", str(path))]
    wide: list[str] = []
    if value_range is not None:
        words = [value_range] if isinstance(value_range, str) else [f"{v:g}" for v in value_range]
        wide = ["--value-range", *words]
    if dead_pixels is not None:
        wide += ["--dead-pixels", dead_pixels]
    weights = [] if one.weights is None else ["--param", f"{one.spec.name}.weights={one.weights}"]
    size = [] if one.image_size is None else ["--param", one.size_param]
    if one.backend != "torch":
        for name in ("backend", "precision"):
            size += ["--param", f"{one.spec.name}.{name}={getattr(one, name)}"]
    commands = [
        [
            *("irbench", "calibrate", "--methods", one.spec.name, *paths),
            *("--alarms-per-frame", f"{alarms_per_frame:g}", *wide, *weights, *size),
        ],
        [
            *("irbench", "detect", one.spec.name, *map(str, frames)),
            *("--calibration", "calibration.json", *wide, *one.params),
        ],
    ]
    if one.image_size is not None and one.kind == "box":
        commands.append(
            [
                *("irbench", "export", one.spec.name, "--weights", str(one.weights)),
                *("--imgsz", str(one.image_size), "--format", "model"),
                *("--calibration", "calibration.json", "--out", f"{one.spec.name}-model"),
            ]
        )
    return [shlex.join(words) for words in commands]


def _write(
    path: Path,
    rows: Sequence[CandidateRow],
    taken: CandidateRow | None,
    left_out: Mapping[str, str],
    commands: Sequence[str],
) -> None:
    from irbench.atomic import write_json

    write_json(
        path,
        {
            "rows": [row.as_dict() for row in rows],
            "take": None if taken is None else taken.candidate.name,
            "commands": list(commands),
            "left_out": dict(left_out),
        },
    )
