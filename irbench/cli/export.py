"""``irbench export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.completion import complete_method
from irbench.cli.options import load_plugins, parse_assignments
from irbench.cli.verbosity import note, verbosity_options
from irbench.errors import UsageError
from irbench.extras import require_packages

if TYPE_CHECKING:
    from irbench.detector import Detector
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.export import ExportedFile

FORMATS = ("onnx",)

_LETTERBOX = """\
import cv2, numpy as np, onnxruntime
grey = cv2.imread("frame.png", cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255  # 0 black, 1 white
h, w = grey.shape
nh, nw = (round(side * ({size} / max(h, w))) for side in (h, w))
y, x = ({size} - nh) // 2, ({size} - nw) // 2
canvas = np.full(({batch}, 1, {size}, {size}), 114 / 255, np.float32)
canvas[0, 0, y : y + nh, x : x + nw] = cv2.resize(grey, (nw, nh))
"""

_SUPPRESS = """\
boxes, scores = onnxruntime.InferenceSession({path!r}).run(None, {{"images": canvas}})
boxes, scores = boxes[0], scores[0].max(1)
sized = np.hstack((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]))
keep = list(cv2.dnn.NMSBoxes(sized, scores, {confidence}, {nms_iou}))
"""

_SELECT = """\
boxes, scores, found = onnxruntime.InferenceSession({path!r}).run(None, {{"images": canvas}})
boxes, scores = boxes[0], scores[0].max(1)
keep = found[found[:, 0] == 0, 2]
"""

_PRINT = """\
print((boxes[keep] - (x, y, x, y)) / (nw / w, nh / h, nw / w, nh / h), scores[keep])"""


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
    show_default=True,
    help="What to write.",
)
@click.option("--weights", metavar="NAME|FILE", help="Dataset of shipped weights, or a file.")
@click.option("--imgsz", type=int, help="Side of the input in pixels.  [default: the weights']")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file.  [default: METHOD-WEIGHTS-SIZE.onnx, here]",
)
@click.option("--opset", type=click.IntRange(min=1), help="Of ONNX.  [default: 18]")
@click.option(
    "--batch",
    default="dynamic",
    show_default=True,
    callback=_batch,
    metavar="N|dynamic",
    help="Images at a time.",
)
@click.option(
    "--nms/--no-nms",
    default=False,
    show_default=True,
    help="Add an output `selected`: image, class and box that outlast suppression.",
)
@click.option(
    "--check/--no-check",
    default=True,
    show_default=True,
    help="Compare with the network, by onnxruntime on random images.",
)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A Python file with your own methods. May be repeated.",
)
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
    params: tuple[str, ...],
    plugins: tuple[Path, ...],
) -> int:
    """Write a network for engineers who deploy it: one file, checked against PyTorch.

    Input: images (B, 1, S, S), grey, float32 from 0 (black) to 1 (white), letterboxed (bilinear,
    grey 114/255 around, centred). Outputs: boxes (B, N, 4) in pixels of that canvas and scores
    (B, N, classes), both before non-maximum suppression, which stays outside without --nms.
    The file's metadata say all this, the weights with their SHA-256, and the thresholds.

    \b
    irbench export le-irstd --weights nudt
    irbench export le-irstd --weights best.safetensors --imgsz 320 --nms --out camera.onnx
    """
    load_plugins(plugins)
    detector = _detector(method, weights, imgsz, params)
    require_packages("the export to ONNX", "deep", "torch")
    from irbench.networks.export import DEFAULT_OPSET, export_onnx

    if detector.weights is None:
        click.echo(
            "irbench: without --weights the network is untrained: its answers mean nothing.",
            err=True,
        )
    written = export_onnx(
        detector,
        out or _default_path(detector, format_),
        batch=batch,
        opset=DEFAULT_OPSET if opset is None else opset,
        nms=nms,
        check=check,
    )
    _describe(written, detector, batch, nms)
    return 0


def _detector(
    method: str, weights: str | None, imgsz: int | None, params: tuple[str, ...]
) -> NetworkDetector:
    from irbench.networks.detector import NetworkDetector
    from irbench.parameters import parse_parameters
    from irbench.registry import catalogue, method_class

    cls: type[Detector] = method_class(method)
    if not issubclass(cls, NetworkDetector):
        known = catalogue("methods").classes
        names = [name for name, one in known.items() if issubclass(one, NetworkDetector)]
        raise UsageError(
            f"{method} cannot be exported: it is a {cls.kind} detector that is no network. "
            f"Networks: {', '.join(names) or 'none'}."
        )
    texts = parse_assignments(p if p.startswith(f"{method}.") else f"{method}.{p}" for p in params)
    values: dict[str, Any] = parse_parameters(cls, texts.get(method, {}))
    if weights is not None:
        values["weights"] = weights
    if imgsz is not None:
        values["image_size"] = imgsz
    return cls(**values)


def _default_path(detector: NetworkDetector, format_: str) -> Path:
    parts = [detector.info.name, str(detector.input_size)]
    if detector.weights is not None:
        parts.insert(1, Path(detector.weights).stem)
    return Path(f"{'-'.join(parts)}.{format_}")


def _describe(
    written: ExportedFile, detector: NetworkDetector, batch: int | None, nms: bool
) -> None:
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
        click.echo(
            f"  checked: onnxruntime differs from torch by at most {scores:.1e} in scores, "
            f"{boxes:.1e} of the canvas' side in boxes"
        )
    snippet = (_LETTERBOX + (_SELECT if nms else _SUPPRESS) + _PRINT).format(
        size=detector.input_size,
        batch=batch or 1,
        path=str(written.path),
        confidence=detector.confidence,
        nms_iou=detector.nms_iou,
    )
    note(f"\nTo run it:\n\n{snippet}")
