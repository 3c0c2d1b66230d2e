"""``irbench detect``."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.completion import complete_method
from irbench.cli.convention_options import dead_pixels_option, value_range_option
from irbench.cli.network_options import make_detector, network_calibration, network_options
from irbench.cli.opening import open_calibration
from irbench.cli.options import (
    load_plugins,
    own_param_option,
    parse_parameters_of,
    plugin_option_of,
)
from irbench.cli.verbosity import command_progress, note, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED, UsageError

if TYPE_CHECKING:
    from irbench.cli.detect_output import DetectOutput
    from irbench.cli.frame_watch import FrameWatch
    from irbench.detector import Detector
    from irbench.images.auto_range import RangeChoice
    from irbench.scoring.calibration import Calibration
    from irbench.sequences.opened_frames import FrameSequence


@click.command()
@click.argument("method", shell_complete=complete_method)
@click.argument("images", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="In place of METHOD: a directory of `irbench export --format model`.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("detections"),
    help="Folder for the pictures, detections.json and frames.csv.",
)
@click.option(
    "--pictures",
    type=click.Choice(["all", "found", "none"]),
    default="all",
    help="Draw every frame, those with a detection, or none.",
)
@click.option(
    "--fps",
    type=click.FloatRange(min=0, min_open=True),
    help="Frames a second of the camera, for alarms an hour.  [default: the video's, else 25]",
)
@click.option("--threshold", type=float, help="Keep scores of at least this.  [default: shipped]")
@click.option("--extent", type=click.FloatRange(0, 1, min_open=True), help="Of score-map methods.")
@click.option(
    "--calibration",
    type=click.Path(path_type=Path, exists=True),
    help="Extent and threshold from a run, or a file of `irbench calibrate`.",
)
@value_range_option
@dead_pixels_option
@network_options
@own_param_option
@plugin_option_of("your own methods")
@verbosity_options
def detect(
    method: str,
    images: tuple[Path, ...],
    model: Path | None,
    out: Path,
    pictures: str,
    fps: float | None,
    threshold: float | None,
    extent: float | None,
    calibration: Path | None,
    value_range: RangeChoice,
    dead_pixels: str | None,
    params: tuple[str, ...],
    plugins: tuple[Path, ...],
    **of_network: Any,
) -> int:
    """Detect targets on IMAGES: pictures with boxes, a JSON, and alarms per frame and hour.

    IMAGES are files, or folders in natural order: PNG, TIFF, BMP and JPEG images, TIFF and .npy
    stacks, FITS, and videos. A frame that cannot be read is counted and passed over. Without
    labels every detection counts as an alarm: where targets are, that is an upper bound.

    \b
    irbench detect tophat frame.png
    irbench detect mpcm frames/ --out found --calibration camera.json
    irbench detect tophat clip.tiff --value-range 0 16383 --pictures found
    irbench detect le-irstd clip.avi --weights nudt --tile 640 --fps 30
    irbench detect --model le-irstd-model frames/
    """
    from irbench.plugins.registry import method_class
    from irbench.sequences.opened_frames import open_sequence

    if threshold is not None and math.isnan(threshold):
        raise UsageError("--threshold must be a number, got nan.")
    load_plugins(plugins)
    if model is not None:
        if params or any(of_network.values()):
            raise UsageError("--model is complete: leave --weights and the like out.")
        from irbench.networks.deployed import DeployedModel

        # What stands for METHOD otherwise is the first image.
        images = (Path(method), *images)
        detector: Detector = DeployedModel(folder=str(model))
    else:
        texts = parse_parameters_of(method, params)
        detector = make_detector(method_class(method), texts, **of_network)
    if not images:
        raise UsageError("no image was given: irbench detect METHOD IMAGE…")
    chosen = _calibration(detector, calibration, threshold, extent)
    if calibration is not None and threshold is None:
        _warn_of_differences(calibration, detector, value_range, dead_pixels)
    return detect_sequence(
        detector,
        open_sequence(images),
        chosen,
        out=out,
        pictures=pictures,
        fps=fps,
        value_range=value_range,
        dead_pixels=dead_pixels,
    )


def _warn_of_differences(
    file: Path, detector: Detector, value_range: RangeChoice, dead_pixels: str | None
) -> None:
    from irbench.networks.deployed import DeployedModel
    from irbench.scoring.calibration_settings import DetectorSettings, settings_difference
    from irbench.sequences.calibrated_reading import reading_difference

    if value_range is None and isinstance(detector, DeployedModel):
        value_range = detector.value_range
    name = detector.info.name
    if text := reading_difference(file, name, value_range, dead_pixels is not None):
        click.echo(f"irbench: {text}", err=True)
    if text := settings_difference(file, name, DetectorSettings.of(detector)):
        click.echo(f"irbench: {text}", err=True)


def _calibration(
    detector: Detector, file: Path | None, threshold: float | None, extent: float | None
) -> Calibration:
    """What was given on the command line, else in the file, else what ships with the method."""
    import dataclasses

    from irbench.networks.deployed import DeployedModel
    from irbench.scoring.calibration import Calibration, shipped_calibration

    method = detector.info.name
    if file is None and isinstance(detector, DeployedModel):
        chosen = detector.calibration
    elif file is None:
        shipped = network_calibration(detector) or shipped_calibration(method)
        chosen = shipped or Calibration(None, None, "none")
    else:
        chosen = open_calibration(file, method)
    if extent is not None:
        chosen = dataclasses.replace(chosen, extent=extent)
    if threshold is not None:
        chosen = Calibration(chosen.extent, threshold, "--threshold")
    return chosen


def detect_sequence(
    detector: Detector,
    sequence: FrameSequence,
    chosen: Calibration,
    *,
    out: Path,
    pictures: str,
    fps: float | None,
    value_range: RangeChoice,
    dead_pixels: str | None = None,
) -> int:
    """Detect on all frames, write the files, print the summary; the exit code."""
    from irbench.cli.detect_output import DetectOutput
    from irbench.cli.frame_watch import BadFrames, FrameWatch, warn_of_dead_pixels
    from irbench.data.findings import plural
    from irbench.networks.deployed import DeployedModel
    from irbench.sequences.alarm_rates import DEFAULT_FRAME_RATE
    from irbench.sequences.frame_detection import FrameReading, detect_frames

    progress = command_progress()
    reading = FrameReading.of(sequence, value_range, dead_pixels)
    warn_of_dead_pixels(sequence, dead_pixels, progress)
    frame_rate = fps or sequence.frame_rate or DEFAULT_FRAME_RATE
    of_model = detector.value_range if isinstance(detector, DeployedModel) else None
    facts = {
        "method": detector.info.name,
        "params": detector.params,
        "threshold_from": chosen.describe(),
        "value_range": {"asked": value_range, "found": reading.found or of_model},
        **reading.dead_facts,
    }
    watch = FrameWatch(progress, value_range, reading.dead is not None, of_model)
    bad = BadFrames(progress)
    start, seconds = time.perf_counter(), 0.0
    title = f"{detector.info.title} on {plural(sequence.n_frames, 'frame')}"
    with DetectOutput(out, sequence, pictures, facts) as output:
        with progress.track(title, sequence.n_frames, "frames") as advance:
            for result in detect_frames(detector, sequence, reading, extent=chosen.extent):
                found, keep = result.found, chosen.threshold
                if found is None:
                    bad.add(result)
                elif keep is not None:
                    found = found.above(keep)
                watch.look_at(result)
                output.add(result, found, keep)
                if output.alarms.n_frames > 1:
                    seconds += result.seconds
                advance()
        bad.finish(f": {output.table} has all")
        elapsed = time.perf_counter() - start
        speed = _speed(output.alarms.n_frames, seconds, elapsed)
        output.finish(
            {**output.alarms.as_dict(frame_rate), "n_bad_frames": bad.n, **speed, **watch.facts()}
        )
    _say(output, chosen, frame_rate, bad.n, speed, watch)
    return EXIT_FAILED if bad.n else EXIT_DONE


def _speed(n_frames: int, seconds: float, elapsed: float) -> dict[str, float | None]:
    """Frames a second of the whole command, and of the detector without reading and drawing.

    ``seconds`` are the detector's without the first frame, at which it loads and compiles.
    """
    return {
        "frames_per_second": n_frames / elapsed if elapsed > 0 else None,
        "detector_frames_per_second": (n_frames - 1) / seconds if seconds > 0 else None,
    }


def _say(
    output: DetectOutput,
    chosen: Calibration,
    frame_rate: float,
    n_bad: int,
    speed: dict[str, float | None],
    watch: FrameWatch,
) -> None:
    from irbench.data.findings import plural

    alarms = output.alarms
    bad = f" ({plural(n_bad, 'bad frame')} passed over)" if n_bad else ""
    click.echo(
        f"{plural(alarms.n_alarms, 'detection')} on {plural(alarms.n_frames, 'image')}{bad}: "
        f"{output.description}"
    )
    for line in alarms.describe(frame_rate):
        click.echo(line)
    threshold = "none: all are kept" if chosen.threshold is None else f"{chosen.threshold:.5g}"
    click.echo(f"threshold: {threshold} ({chosen.describe()})")
    shares = watch.facts()
    if "clipped_share" in shares:
        click.echo(f"value range found; {shares['clipped_share']:.2g} of all pixels clipped")
    if "dead_share" in shares:
        click.echo(f"dead pixels: {shares['dead_share']:.2g} of all pixels replaced")
    if speed["frames_per_second"] and alarms.n_frames > 1:
        note(
            f"speed: {speed['frames_per_second']:.1f} frames/s with reading and drawing, the "
            f"detector alone, once it is loaded, {speed['detector_frames_per_second']:.1f}"
        )
    if chosen.source == "shipped":
        click.echo(
            f"irbench: this threshold was made on {chosen.made_on or 'other images'}; on another "
            "camera it may keep far too much or nothing. On frames without targets: irbench "
            "calibrate --frames DIR --alarms-per-frame 0.1, then --calibration calibration.json.",
            err=True,
        )
