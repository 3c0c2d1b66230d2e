"""``irbench choose``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from irbench.cli.convention_options import dead_pixels_option, value_range_option
from irbench.cli.options import (
    RepeatableOption,
    joined_names,
    load_plugins,
    methods_option,
    plugin_option,
)
from irbench.cli.verbosity import command_progress, note, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED, UsageError

if TYPE_CHECKING:
    from irbench.engine.jobs.specs import MethodSpec
    from irbench.images.auto_range import RangeChoice


def _backends(texts: tuple[str, ...]) -> list[tuple[str, str]]:
    from irbench.networks.backends import BACKENDS, PRECISIONS, check_backend

    tries = []
    for name in joined_names(texts):
        backend, _, precision = name.partition(":")
        for given, known in ((backend, BACKENDS), (precision or "fp32", PRECISIONS)):
            if given not in known:
                raise UsageError(f"--backends: {given!r} is none of {', '.join(known)}.")
        if precision == "int8":
            raise UsageError("--backends: int8 needs a file of each network; see docs/backends.md.")
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
@methods_option
@click.option(
    "--backends",
    cls=RepeatableOption,
    combine=_backends,
    default="torch",
    metavar="NAME[:PRECISION],…",
    help="Of networks of boxes, such as torch,openvino,openvino:bf16; see docs/backends.md.",
)
@click.option(
    "--min-fps",
    type=click.FloatRange(min=0, min_open=True),
    default=25.0,
    help="Frames a second that are needed.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    help="Threads that a detector may use on the device.",
)
@click.option(
    "--alarms-per-frame",
    type=click.FloatRange(min=0, min_open=True),
    default=0.5,
    help="At which rate candidates are compared.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=9.0,
    help="Time to detect with all candidates together; exports for --backends come before.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("choice"),
    help="Folder for choice.json and the Pareto picture.",
)  # fmt: skip
@value_range_option
@dead_pixels_option
@plugin_option
@verbosity_options
def choose(
    frames: tuple[Path, ...],
    labels: Path | None,
    methods: tuple[str, ...],
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
    from irbench.atomic import write_json
    from irbench.choosing.candidates import find_candidates
    from irbench.choosing.exports import with_exports
    from irbench.choosing.labels import read_labels
    from irbench.choosing.measuring import ChooseJob
    from irbench.choosing.picture import save_pareto
    from irbench.choosing.trials import run_trials
    from irbench.choosing.verdict import judge, pareto, to_take
    from irbench.cli.choose_output import deploying_commands, load_lines, print_candidates
    from irbench.cli.frame_watch import warn_of_dead_pixels
    from irbench.data.findings import plural
    from irbench.process.processor_wait import competing_load
    from irbench.sequences.frame_detection import FrameReading
    from irbench.sequences.opened_frames import open_sequence
    from irbench.sequences.threshold import check_frames

    plugin_paths = load_plugins(plugins)
    sequence = open_sequence(frames)
    reading = FrameReading.of(sequence, value_range, dead_pixels)
    first = next((one.pixels for one in sequence.spread(8) if one.pixels is not None), None)
    if first is None:
        raise UsageError(f"no frame of {', '.join(map(str, frames))} can be read.")
    truths = None if labels is None else read_labels(frames, labels)
    candidates, left_out = find_candidates(methods, first.size, plugin_paths, backends)
    progress = command_progress()
    warn_of_dead_pixels(sequence, dead_pixels, progress)
    if (load := competing_load(threads)) is not None:
        progress.warn(
            f"other programs compute here (load average {load:.1f}): every time will be an upper "
            "bound, and candidates may be left out for want of time. Stop them, or choose later."
        )

    def make_job(spec: MethodSpec, budget_s: float) -> ChooseJob:
        paths = tuple(map(str, frames))
        return ChooseJob(spec, paths, reading, threads, min_fps, budget_s, truths is None)

    with tempfile.TemporaryDirectory() as folder:
        candidates = with_exports(candidates, Path(folder), left_out, progress)
        tried = run_trials(candidates, make_job, minutes, sequence.n_frames, left_out, progress)
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
    print_candidates(rows, front, taken)
    for name, reason in left_out.items():
        click.echo(f"left out: {name}: {reason}")
    for line in load_lines(rows, tried, taken, min_fps):
        click.echo(line)
    commands = []
    if taken is not None:
        commands = deploying_commands(
            taken, frames, alarms_per_frame, value_range, dead_pixels, plugins
        )
    save_pareto(out / "pareto.png", rows, front, taken, min_fps)
    content = {
        "rows": [row.as_dict() for row in rows],
        "take": None if taken is None else taken.candidate.name,
        "commands": commands,
        "left_out": left_out,
    }
    write_json(out / "choice.json", content)
    written = f"written: {out / 'choice.json'}, {out / 'pareto.png'}"
    if taken is None:
        click.echo(
            f"none reaches {min_fps:g} frames/s with {plural(threads, 'thread')}; the fastest is "
            f"{front[0].candidate.name} with {front[0].fps:.1f}."
        )
        note(written)
        return EXIT_FAILED
    click.echo(f"\nTake {taken.candidate.name}. To deploy it:")
    for command in commands:
        click.echo(f"  {command}")
    try:
        check_frames(sequence.n_frames, alarms_per_frame)
    except UsageError as error:
        # The frames are enough to choose by, and too few for the first of these commands.
        click.echo(f"The first of them needs more of such frames than are here: {error}")
    note(written)
    return EXIT_DONE
