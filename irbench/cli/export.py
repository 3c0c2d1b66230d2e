"""``irbench export``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.completion import complete_dataset, complete_method
from irbench.cli.convention_options import value_range_option
from irbench.cli.opening import open_calibration, open_own
from irbench.cli.options import (
    data_root_option,
    load_plugins,
    own_param_option,
    parse_parameters_of,
    plugin_option_of,
)
from irbench.cli.verbosity import command_progress, note, verbosity_options
from irbench.errors import ImageError, UsageError
from irbench.extras import require_packages

if TYPE_CHECKING:
    from irbench.cli.export_program import Exportable
    from irbench.dataset import Dataset
    from irbench.detector import Detector
    from irbench.images import ValueRange
    from irbench.images.auto_range import RangeChoice
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.export import ExportedFile

FORMATS = ("onnx", "model")


def _batch(_context: click.Context, _option: click.Parameter, text: str) -> int | None:
    if text == "dynamic":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise click.BadParameter(f"must be 'dynamic' or a number from 1 on, got {text!r}.")
    return int(text)


@click.command()
@click.argument("method", shell_complete=complete_method)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="onnx",
    help="One file, or a directory with thresholds, value range and a program that runs it.",
)
@click.option("--weights", metavar="NAME|FILE", help="Dataset of shipped weights, or a file.")
@click.option("--imgsz", type=int, help="Side of the input in pixels.  [default: the weights']")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The file or directory.  [default: METHOD-WEIGHTS-SIZE, here]",
)
@click.option(
    "--calibration",
    type=click.Path(path_type=Path, exists=True),
    help="With --format model: the threshold, from `irbench calibrate`.  [default: the weights']",
)
@value_range_option
@click.option("--opset", type=click.IntRange(min=1), help="Of ONNX.  [default: 18]")
@click.option(
    "--batch",
    default="dynamic",
    callback=_batch,
    metavar="N|dynamic",
    help="Images at a time.",
)
@click.option(
    "--nms/--no-nms",
    default=False,
    help="Add an output `selected`: image, class and box that outlast suppression.",
)
@click.option(
    "--check/--no-check",
    default=True,
    help="Compare with the network, by onnxruntime on random images.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "int8"]),
    default="fp32",
    help="int8: convolutions in 8-bit integers, the rest in fp32.",
)
@click.option(
    "--calibrate",
    metavar="DATASET",
    shell_complete=complete_dataset,
    help="Of int8: whose training images set the ranges; AP@50 before and after on its validation.",
)
@data_root_option
@own_param_option
@plugin_option_of("your own methods")
@verbosity_options
def export(
    method: str,
    format_: str,
    weights: str | None,
    imgsz: int | None,
    out: Path | None,
    opset: int | None,
    batch: int | None,
    nms: bool,
    check: bool,
    precision: str,
    calibrate: str | None,
    data_root: Path | None,
    params: tuple[str, ...],
    plugins: tuple[Path, ...],
    calibration: Path | None,
    value_range: RangeChoice,
) -> int:
    """Write a network for engineers who deploy it: one file, checked against PyTorch.

    Input: images (B, 1, S, S), grey, float32 from 0 (black) to 1 (white), letterboxed (bilinear,
    grey 114/255 around, centred). Outputs: boxes (B, N, 4) in pixels of that canvas and scores
    (B, N, classes), both before non-maximum suppression, which stays outside without --nms.
    Of a segmentation network: images (B, C, S, S), scaled as it was trained and filled up with
    zeros right and below, to probabilities (B, 1, S, S).
    The file's metadata say all this, the weights with their SHA-256, and the thresholds.

    --format model writes a directory instead: model.onnx (of boxes with suppression), model.json
    with value range, threshold and letterbox or scaling, the card, and detect.py, which runs it
    without irbench. Of a segmentation network --imgsz is the side that frames must fit into.

    \b
    irbench export le-irstd --weights nudt
    irbench export le-irstd --weights best.safetensors --imgsz 320 --nms --out camera.onnx
    irbench export le-irstd --weights nudt --precision int8 --calibrate nudt
    irbench export le-irstd --weights nudt --format model --value-range 0 16383
    irbench export acm-basic --weights nudt --format model --imgsz 640
    """
    if (precision == "int8") != (calibrate is not None):
        raise UsageError(
            "--precision int8 and --calibrate DATASET go together: the ranges of 8-bit values "
            "are taken from images."
        )
    load_plugins(plugins)
    detector = _detector(method, weights, imgsz, params, as_canvas=format_ == "model")
    from irbench.networks.detector import NetworkDetector

    of_boxes = detector if isinstance(detector, NetworkDetector) else None
    if calibrate is not None and of_boxes is None and format_ != "model":
        raise UsageError(
            f"--precision int8 of {method}, which returns maps, goes with --format model."
        )
    require_packages("the export to ONNX", "deep", "torch")
    if format_ == "model":
        folder = out or _default_path(detector, "", precision)
        # Of a network of maps the canvas; at which size it is called says the parameter squash.
        size = imgsz if of_boxes is None else None
        # Data that are missing are named before anything is written.
        dataset = None if calibrate is None else open_own(calibrate, data_root, split="test")
        _export_model(detector, folder, calibration, value_range, opset, check, size)
        if dataset is not None:
            _quantize_model(folder, detector, dataset, check)
        return 0
    if calibration is not None or value_range is not None:
        raise UsageError("--calibration and --value-range go with --format model.")
    from irbench.cli.export_program import program
    from irbench.networks.export import DEFAULT_OPSET, export_onnx

    if detector.weights is None:
        click.echo(
            "irbench: without --weights the network is untrained: its detections mean nothing.",
            err=True,
        )
    written = export_onnx(
        detector,
        out or _default_path(detector, format_, precision),
        batch=batch,
        opset=DEFAULT_OPSET if opset is None else opset,
        nms=nms,
        check=check,
    )
    _describe(written)
    if calibrate is not None and of_boxes is not None:
        _quantize(written.path, of_boxes, calibrate, data_root, check)
    note(f"\nTo run it:\n\n{program(written.path, detector, batch, nms)}")
    return 0


def _quantize(
    path: Path, detector: NetworkDetector, name: str, data_root: Path | None, check: bool
) -> None:
    """Put the convolutions of an exported file into integers, and say what it costs."""
    from irbench.networks import quantization

    dataset = open_own(name, data_root, split="test")
    samples = quantization.calibration_samples(dataset)
    quantization.quantize_convolutions(path, path, quantization.letterboxed(detector), samples)
    _say_quantized(path, len(samples), dataset)
    if check:
        quantized = dataclasses.replace(
            detector, backend="onnxruntime", precision="int8", exported=str(path)
        )
        _say_cost(detector, quantized, dataset)


def _quantize_model(folder: Path, detector: Exportable, dataset: Dataset, check: bool) -> None:
    """The same of a model directory."""
    from irbench.networks import deployed, deploying, quantization

    samples = quantization.calibration_samples(dataset)
    deploying.write_int8(folder, samples)
    _say_quantized(folder / deployed.MODEL_FILE, len(samples), dataset)
    if check:
        _say_cost(detector, deployed.DeployedModel(folder=str(folder)), dataset)


def _say_quantized(path: Path, n_samples: int, dataset: Dataset) -> None:
    click.echo(
        f"  int8: convolutions, ranges of {n_samples} images of {dataset.info.title}, "
        f"{path.stat().st_size / 1e6:.1f} MB"
    )


def _say_cost(detector: Exportable, quantized: Detector, dataset: Dataset) -> None:
    from irbench.networks.quantization import cost_of_quantization

    try:
        cost = cost_of_quantization(detector, quantized, dataset, progress=command_progress())
    except ImageError as error:
        click.echo(f"  AP@50: not measured: a validation image does not fit: {error}")
        return
    if cost.before is None or cost.after is None:
        click.echo("  AP@50: undefined, the validation images have no target")
        return
    click.echo(
        f"  AP@50 on {cost.n_images} validation images: {100 * cost.before:.2f} in fp32, "
        f"{100 * cost.after:.2f} in int8"
    )


def _export_model(
    detector: Exportable,
    folder: Path,
    calibration: Path | None,
    value_range: RangeChoice,
    opset: int | None,
    check: bool,
    size: int | None,
) -> None:
    from irbench.cli.network_options import network_calibration
    from irbench.networks.deploying import export_model
    from irbench.networks.export import DEFAULT_OPSET

    if isinstance(value_range, str):
        raise UsageError(
            "--value-range of a model must be two numbers: a device has no frames to find it "
            "from. `irbench calibrate --frames` prints and keeps what auto finds."
        )
    chosen = network_calibration(detector)
    if calibration is not None:
        chosen = open_calibration(calibration, detector.info.name)
        value_range = _range_of(calibration, detector.info.name, value_range)
        _check_settings(calibration, detector)
    export_model(
        detector,
        folder,
        value_range=value_range,
        calibration=chosen,
        size=size,
        opset=DEFAULT_OPSET if opset is None else opset,
        check=check,
    )
    click.echo(f"{folder}: {', '.join(sorted(p.name for p in folder.iterdir()))}")
    threshold = None if chosen is None else chosen.threshold
    origin = "" if chosen is None else f" ({chosen.describe()})"
    click.echo(f"  threshold {threshold}{origin}; value range {value_range or 'of the pixels'}")
    note(f"To run it: irbench detect --model {folder} FRAMES, or python {folder}/detect.py FRAMES")


def _check_settings(file: Path, detector: Exportable) -> None:
    """Refuse a threshold of other weights or another input size, as one of another range.

    Of another precision it is reported: a directory is written in the one that it runs in,
    whichever the network was calibrated in.
    """
    import dataclasses

    from irbench.scoring.calibration_settings import DetectorSettings, settings_difference

    settings, name = DetectorSettings.of(detector), detector.info.name
    params = {key: value for key, value in settings.params.items() if key != "precision"}
    if text := settings_difference(file, name, dataclasses.replace(settings, params=params)):
        raise UsageError(text)
    if text := settings_difference(file, name, settings):
        click.echo(f"irbench: {text}", err=True)


def _range_of(file: Path, method: str, given: ValueRange | None) -> ValueRange | None:
    """The value range that was given, else that of the frames the threshold was found on.

    Raises
    ------
    UsageError
        If they differ: the device would compare scores of one with a threshold of the other.
    """
    from irbench.sequences.calibrated_reading import calibrated_range, reading_difference

    found = calibrated_range(file, method)
    if isinstance(found, str):
        raise UsageError(
            f"--calibration {file}: the threshold of {method} was found at --value-range {found}, "
            "which a device cannot do; calibrate at two numbers, or at auto, whose range is kept."
        )
    if given is None:
        return found
    if text := reading_difference(file, method, given):
        raise UsageError(text)
    return given


def _detector(
    method: str,
    weights: str | None,
    imgsz: int | None,
    params: tuple[str, ...],
    *,
    as_canvas: bool,
) -> Exportable:
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.segmentation import SegmentationNetworkDetector
    from irbench.parameters import parse_parameters
    from irbench.plugins.registry import catalogue, method_class

    cls: type[Detector] = method_class(method)
    networks = (NetworkDetector, SegmentationNetworkDetector)
    if not issubclass(cls, networks):
        known = catalogue("methods").classes
        names = [name for name, one in known.items() if issubclass(one, networks)]
        raise UsageError(
            f"{method} cannot be exported: it is a {cls.kind} detector that is no network. "
            f"Networks: {', '.join(names) or 'none'}."
        )
    values: dict[str, Any] = parse_parameters(cls, parse_parameters_of(method, params))
    if weights is not None:
        values["weights"] = weights
    if imgsz is not None:
        # Of a fully convolutional network the squash says at which size it is called.
        if issubclass(cls, NetworkDetector):
            values["image_size"] = imgsz
        elif not as_canvas:
            values["squash"] = imgsz
    return cls(**values)


def _default_path(detector: Exportable, format_: str, precision: str) -> Path:
    parts = [detector.info.name, str(detector.input_size)]
    if detector.weights is not None:
        parts.insert(1, Path(detector.weights).stem)
    if precision != "fp32":
        parts.append(precision)
    return Path(f"{'-'.join(parts)}.{format_}" if format_ else "-".join(parts))


def _describe(written: ExportedFile) -> None:
    click.echo(
        f"{written.path}: {written.n_bytes / 1e6:.1f} MB, ONNX opset {written.opset}, "
        f"weights: {written.metadata['weights']}"
    )
    for direction, shapes in (("in", written.inputs), ("out", written.outputs)):
        for name, shape in shapes.items():
            click.echo(f"  {direction:3}  {name:8}  ({', '.join(map(str, shape))})")
    if written.difference is None:
        click.echo("  not checked")
    else:
        scores, boxes = written.difference
        of_boxes = "" if boxes is None else f", {boxes:.1e} of the canvas' side in boxes"
        what = "probabilities" if boxes is None else "scores"
        click.echo(
            f"  checked: onnxruntime differs from torch by at most {scores:.1e} in {what}{of_boxes}"
        )
