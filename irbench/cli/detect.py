"""``irbench detect``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.completing import complete_method
from irbench.cli.convention_options import value_range_option
from irbench.cli.detect_files import check_targets, input_files, picture_files
from irbench.cli.network_options import make_detector, network_calibration, network_options
from irbench.cli.options import load_plugins, parse_assignments
from irbench.cli.verbosity import command_progress, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED, IrbenchError, UsageError, WriteError

if TYPE_CHECKING:
    from irbench.calibration import Calibration
    from irbench.detections import Detections
    from irbench.detector import Detector


@click.command()
@click.argument("method", shell_complete=complete_method)
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("detections"),
    show_default=True,
    help="Folder for the pictures and detections.json.",
)
@click.option("--threshold", type=float, help="Keep scores of at least this.  [default: shipped]")
@click.option("--extent", type=click.FloatRange(0, 1, min_open=True), help="Of score-map methods.")
@click.option(
    "--calibration",
    type=click.Path(path_type=Path, exists=True),
    help="Extent and threshold from a run, or a file of `irbench calibrate`.",
)
@value_range_option
@network_options
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A Python file with your own methods. May be repeated.",
)
@verbosity_options
def detect(
    method: str,
    images: tuple[Path, ...],
    out: Path,
    threshold: float | None,
    extent: float | None,
    calibration: Path | None,
    value_range: tuple[float, float] | None,
    weights: str | None,
    tile: int | None,
    device: str | None,
    params: tuple[str, ...],
    plugins: tuple[Path, ...],
) -> int:
    """Detect targets on IMAGES (files or folders): pictures with boxes, and a JSON.

    \b
    irbench detect tophat frame.png
    irbench detect mpcm frames/ --out found --threshold 12
    irbench detect tophat frame14bit.tiff --value-range 0 16383
    irbench detect le-irstd frames/ --weights nudt --tile 640
    """
    from irbench.atomic import write_bytes
    from irbench.calibration import Calibration, read_calibrations, shipped_calibration
    from irbench.registry import method_class

    if threshold is not None and math.isnan(threshold):
        raise UsageError("--threshold must be a number, got nan.")
    load_plugins(plugins)
    cls = method_class(method)
    texts = parse_assignments(p if p.startswith(f"{method}.") else f"{method}.{p}" for p in params)
    detector = make_detector(cls, texts.get(method, {}), weights=weights, tile=tile, device=device)
    shipped = network_calibration(detector) or shipped_calibration(method)
    chosen = shipped or Calibration(None, None, "none")
    if calibration is not None:
        known = read_calibrations(calibration)
        if method not in known:
            raise UsageError(f"--calibration {calibration} knows nothing of {method}.")
        chosen = known[method]
    files = input_files(images)
    pictures, description = picture_files(files, out), out / "detections.json"
    check_targets(files, [*pictures, description])
    out.mkdir(parents=True, exist_ok=True)
    progress = command_progress()
    records, n_bad = [], 0
    with progress.track(f"{cls.info.title} on {len(files)} images", len(files)) as advance:
        for file, picture in zip(files, pictures, strict=True):
            try:
                record = _process(detector, file, picture, chosen, threshold, extent, value_range)
            except WriteError:
                # No fault of the image.
                raise
            except IrbenchError as error:
                n_bad += 1
                record = {"image": str(file), "error": str(error)}
                progress.warn(f"{file}: {error}")
            records.append(record)
            advance()
    content = {"method": method, "params": detector.params, "images": records}
    text = json.dumps(content, indent=2, allow_nan=False)
    write_bytes(description, f"{text}\n".encode())
    n_found = sum(len(record.get("detections", [])) for record in records)
    click.echo(f"{n_found} detections on {len(files) - n_bad} images: {description}")
    return EXIT_FAILED if n_bad else EXIT_DONE


def _process(
    detector: Detector,
    file: Path,
    picture: Path,
    calibration: Calibration,
    threshold: float | None,
    extent: float | None,
    value_range: tuple[float, float] | None,
) -> dict[str, Any]:
    from irbench.calibration import threshold_as_json
    from irbench.detector import ScoreMapDetector
    from irbench.drawing import save_overlay
    from irbench.images import read_image

    image = read_image(file)
    if isinstance(detector, ScoreMapDetector):
        chosen = calibration.extent if extent is None else extent
        found = detector.detect(image, value_range=value_range, extent=chosen)
    else:
        found = detector.detect(image, value_range=value_range)
    keep = calibration.threshold if threshold is None else threshold
    if keep is not None:
        found = found.above(keep)
    save_overlay(picture, image, found, value_range)
    return {
        "image": str(file),
        "picture": str(picture),
        "threshold": threshold_as_json(keep),
        "detections": _describe(found),
    }


def _describe(found: Detections) -> list[dict[str, Any]]:
    return [
        {"box": box.tolist(), "score": score, "centroid": centroid.tolist(), "area_px": area}
        for (box, score), centroid, area in zip(
            found, found.centroids, found.areas.tolist(), strict=True
        )
    ]
