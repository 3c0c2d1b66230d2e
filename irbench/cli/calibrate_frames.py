"""``irbench calibrate --frames``: thresholds for a wanted rate of alarms, without labels."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.options import parse_assignments
from irbench.cli.verbosity import command_progress, note
from irbench.errors import EXIT_DONE, EXIT_FAILED, IrbenchError

if TYPE_CHECKING:
    from irbench.cli.dataset_options import DatasetOptions
    from irbench.engine.planning.plan import MethodPlan
    from irbench.messages.progress import Progress
    from irbench.sequences.frame_detection import FrameReading
    from irbench.sequences.opened_frames import FrameSequence
    from irbench.sequences.threshold import AlarmThreshold


def calibrate_on_frames(
    frames: Sequence[Path],
    alarms_per_frame: float,
    *,
    methods: Sequence[str],
    out: Path,
    params: tuple[str, ...],
    stated: DatasetOptions,
) -> int:
    """Find each method's threshold on frames, and add it to a calibration file.

    Returns
    -------
    int
        The exit code: failed if a method failed, all were skipped, or a frame could not be read.

    Raises
    ------
    UsageError
        If the frames are too few for the rate.
    """
    from irbench.atomic import write_json
    from irbench.cli.convention_options import convention_arguments
    from irbench.cli.frame_watch import warn_of_dead_pixels
    from irbench.cli.next_steps import plugin_arguments
    from irbench.conventions import Conventions
    from irbench.engine.planning.plan import plan_methods
    from irbench.engine.run.calibration_run import read_calibration_file
    from irbench.images.auto_range import AUTO, RULE
    from irbench.scoring.calibration import Calibration
    from irbench.scoring.calibration_settings import SETTINGS_FIELD
    from irbench.sequences.frame_detection import FrameReading
    from irbench.sequences.opened_frames import open_sequence
    from irbench.sequences.threshold import check_frames

    sequence = open_sequence(frames)
    check_frames(sequence.n_frames, alarms_per_frame)
    known = read_calibration_file(out)
    plans = plan_methods(methods, parse_assignments(params), stated.load_plugins())
    conventions = stated.conventions
    value_range, dead_pixels = conventions.value_range, conventions.dead_pixels
    reading = FrameReading.of(sequence, value_range, dead_pixels)
    progress = command_progress()
    warn_of_dead_pixels(sequence, dead_pixels, progress)
    n_found = n_failed = n_bad = 0
    for plan in plans:
        network = plan.network
        if network is not None and network.obstacle is not None:
            progress.warn(f"{plan.info.title}: {network.obstacle.state}: {network.obstacle.reason}")
            continue
        try:
            extent, found, bad = _threshold(plan, sequence, reading, alarms_per_frame, progress)
        except IrbenchError as error:
            progress.warn(f"{plan.info.title}: failed: {error}")
            n_failed += 1
            continue
        n_bad = max(n_bad, bad)
        low, high = found.interval
        known[plan.name] = {
            **Calibration(extent, found.threshold, "frames").as_dict(),
            "on": {
                "frames": ", ".join(str(path) for path in frames),
                "n_images": found.n_frames,
                "alarms_per_frame": alarms_per_frame,
                "n_alarms": found.n_alarms,
                "interval_95": [low, high],
                "value_range": reading.found,
                **({"range_rule": RULE} if value_range == AUTO else {}),
                **reading.dead_facts,
            },
            SETTINGS_FIELD: plan.settings.as_dict(),
        }
        write_json(out, {"methods": dict(sorted(known.items()))})
        n_found += 1
        click.echo(
            f"{plan.name:12} threshold {found.threshold:<9.4g} {found.n_alarms} alarms on "
            f"{found.n_frames} frames: {found.rate:.3g} a frame (95 % {low:.2g} to {high:.2g})"
        )
    if not n_found:
        note(f"nothing was calibrated; not written: {out}")
        return EXIT_FAILED
    note(
        "Every detection counted as a false alarm. Where targets are in these frames, the rate is "
        "an upper bound of that of false alarms, and the threshold higher than need be."
    )
    again = [
        *("irbench", "detect", "METHOD", "FRAMES", "--calibration", str(out)),
        *convention_arguments(Conventions(value_range=value_range, dead_pixels=dead_pixels)),
        *plugin_arguments(stated.plugins),
    ]
    note(f"written: {out}; use it by {shlex.join(again)}")
    return EXIT_FAILED if n_failed or n_bad else EXIT_DONE


def _threshold(
    plan: MethodPlan,
    sequence: FrameSequence,
    reading: FrameReading,
    alarms_per_frame: float,
    progress: Progress,
) -> tuple[float | None, AlarmThreshold, int]:
    """The extent that is used, the threshold, and how many frames were bad."""
    import numpy as np

    from irbench.cli.frame_watch import BadFrames
    from irbench.scoring.calibration import extent_without_labels
    from irbench.sequences.frame_detection import detect_frames
    from irbench.sequences.threshold import alarm_threshold

    detector = plan.spec.make()
    extent = extent_without_labels(plan.name) if plan.kind == "score-map" else None
    scores: list[Any] = []
    bad = BadFrames(progress)
    with progress.track(f"{plan.info.title}", sequence.n_frames, "frames") as advance:
        for result in detect_frames(detector, sequence, reading, extent=extent):
            if result.found is None:
                bad.add(result)
            else:
                scores.append(result.found.scores)
            advance()
    bad.finish()
    together = np.concatenate(scores) if scores else np.zeros(0, np.float32)
    return extent, alarm_threshold(together, len(scores), alarms_per_frame), bad.n
