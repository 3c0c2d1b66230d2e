"""What ``irbench choose`` prints."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from irbench.choosing.candidates import Candidate
from irbench.choosing.measuring import Measured
from irbench.choosing.verdict import CandidateRow
from irbench.cli.convention_options import convention_arguments
from irbench.cli.next_steps import param_arguments, plugin_arguments
from irbench.conventions import Conventions
from irbench.process.processor_wait import is_busy

if TYPE_CHECKING:
    from irbench.images.auto_range import RangeChoice


def print_candidates(
    rows: Sequence[CandidateRow], front: Sequence[CandidateRow], taken: CandidateRow | None
) -> None:
    """Print the table of what was measured.

    Parameters
    ----------
    rows : sequence of CandidateRow
        At least one.
    front : sequence of CandidateRow
    taken : CandidateRow or None
    """
    measure = "implants found" if rows[0].map50 is None else "AP@50"
    # What an idle machine would give is a column where this one was not.
    busy = any(is_busy(row.waited_share) for row in rows)
    most = max(row.n_frames for row in rows)
    extra = f" {'undisturbed':>12}" if busy else ""
    heading = f"{'candidate':28} {'frames/s':>9} {'quartiles':>15}{extra}"
    click.echo(f"{heading} {measure:>15} {'alarms':>7}")
    for row in rows:
        mark = "take" if row is taken else "front" if row in front else ""
        if row.n_frames < most:
            mark = f"{mark} ({row.n_frames} of {most} frames: out of time)".strip()
        spread = f"{row.fps_lower:.1f}-{row.fps_upper:.1f}"
        idle = f" {row.fps_undisturbed:12.1f}" if busy else ""
        click.echo(
            f"{row.candidate.name:28} {row.fps:9.1f} {spread:>15}{idle} {row.quality:15.1%} "
            f"{row.alarms:7.2f} {mark}".rstrip()
        )


def load_lines(
    rows: Sequence[CandidateRow],
    tried: Sequence[tuple[Candidate, Measured]],
    taken: CandidateRow | None,
    least_fps: float,
) -> Iterator[str]:
    """What the machine's load has done to the choice; nothing where it was idle.

    Parameters
    ----------
    rows : sequence of CandidateRow
    tried : sequence of (Candidate, Measured)
        What the rows are of.
    taken : CandidateRow or None
    least_fps : float
        That are wanted.
    """
    shares = [measured.waited_share for _, measured in tried]
    if not is_busy(max(shares, default=None)):
        return
    yield (
        f"Other programs ran meanwhile: candidates waited up to {max(shares):.0%} of their time "
        "for a processor. `frames/s` are lower bounds, `undisturbed` leaves the waiting out; what "
        "was left out for its time may be fast enough. Choose again where nothing else runs."
    )
    least = -1.0 if taken is None else taken.quality
    better = [
        row for row in rows if row.fps < least_fps <= row.fps_undisturbed and row.quality > least
    ]
    if better:
        names = ", ".join(f"{row.candidate.name} ({row.fps_undisturbed:.1f})" for row in better)
        yield f"Fast enough where nothing else runs, and better, perhaps: {names}."


def deploying_commands(
    taken: CandidateRow,
    frames: Sequence[Path],
    alarms_per_frame: float,
    value_range: RangeChoice,
    dead_pixels: str | None,
    plugins: Sequence[Path],
) -> list[str]:
    """What calibrates, exports and runs the one to take, as it may be typed."""
    chosen = taken.candidate
    method, side = chosen.spec.name, chosen.image_size
    reading = convention_arguments(Conventions(value_range=value_range, dead_pixels=dead_pixels))
    size = {} if side is None else {"image_size": str(side)}
    settings = {} if chosen.weights is None else {"weights": chosen.weights}
    if chosen.backend != "torch":
        settings |= {"backend": chosen.backend, "precision": chosen.precision}
    commands = [
        [
            *("irbench", "calibrate", "--methods", method),
            *(word for path in frames for word in ("--frames", str(path))),
            *("--alarms-per-frame", f"{alarms_per_frame:g}", *reading),
            *param_arguments(method, {**settings, **size}),
        ],
        [
            *("irbench", "detect", method, *map(str, frames)),
            *("--calibration", "calibration.json", *reading),
            *(word for name, text in settings.items() for word in (f"--{name}", text)),
            *param_arguments(method, size),
        ],
    ]
    if side is not None and chosen.kind == "box":
        commands.append(
            [
                *("irbench", "export", method, "--weights", str(chosen.weights)),
                *("--imgsz", str(side), "--format", "model"),
                *("--calibration", "calibration.json", "--out", f"{method}-model"),
            ]
        )
    return [shlex.join([*words, *plugin_arguments(plugins)]) for words in commands]
