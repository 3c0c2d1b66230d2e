"""A network detector as an ONNX model: from canvases to boxes and scores, or to probabilities."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

import irbench
from irbench.errors import IrbenchError, UsageError
from irbench.networks.detector import NetworkDetector
from irbench.networks.neural import frozen_copy
from irbench.networks.segmentation import SegmentationNetworkDetector

if TYPE_CHECKING:
    import onnx

INPUT = "images"
BOXES, SCORES, SELECTED = "boxes", "scores", "selected"
PROBABILITIES = "probabilities"


class ExportError(IrbenchError):
    """A network that cannot be written in another format, or not faithfully."""


class CanvasesToBoxes(nn.Module):
    """What is exported: a detector between its letterbox and its suppression.

    Parameters
    ----------
    detector : NetworkDetector
        Its network is copied to the CPU, in evaluation mode.
    """

    outputs = (BOXES, SCORES)
    channels = 1

    def __init__(self, detector: NetworkDetector) -> None:
        super().__init__()
        self.network = detector.copy_for_inference().cpu()
        self.detector = detector

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, 1, S, S)`` in [0, 1] to boxes ``(B, N, 4)`` and scores ``(B, N, n_classes)``."""
        return self.detector.decode(self.network, self.network(images.expand(-1, 3, -1, -1)))


class CanvasesToProbabilities(nn.Module):
    """What is exported: a segmentation network behind its scaling and padding.

    Parameters
    ----------
    detector : SegmentationNetworkDetector
        Its network is copied to the CPU, in evaluation mode.
    """

    outputs = (PROBABILITIES,)

    def __init__(self, detector: SegmentationNetworkDetector) -> None:
        super().__init__()
        self.network = frozen_copy(detector.network).cpu()
        self.detector = detector
        self.channels = detector.in_channels_used

    def forward(self, images: Tensor) -> Tensor:
        """From scaled images ``(B, C, S, S)`` to probabilities ``(B, 1, S, S)``."""
        return self.detector.decode(self.network, self.network(images))


Exported = CanvasesToBoxes | CanvasesToProbabilities


def onnx_graph(module: Exported, size: int, *, batch: int | None, opset: int) -> onnx.ModelProto:
    """Trace a detector into a graph.

    Parameters
    ----------
    module : CanvasesToBoxes or CanvasesToProbabilities
    size : int
        Side S of the canvases, in pixels; fixed in the graph.
    batch : int or None
        Images at a time, fixed in the graph; None: any number.
    opset : int

    Returns
    -------
    onnx.ModelProto
        Without the places in the source that the exporter notes: they name folders
        of the machine that it ran on.

    Raises
    ------
    UsageError
        For an opset that the installed onnx does not know.
    ExportError
        If the network cannot be traced, or not written in this opset.
    """
    import onnx

    newest = onnx.defs.onnx_opset_version()
    if not 1 <= opset <= newest:
        raise UsageError(f"opset must be 1 to {newest}, the newest of onnx here, got {opset}.")
    # Two images stand for any number: of 0 and 1 the tracer would conclude that it is fixed.
    images = torch.full((batch or 2, module.channels, size, size), 0.5)
    shapes = None if batch else {INPUT: {0: torch.export.Dim("batch", min=1)}}
    name = module.detector.info.name
    if obstacle := module.detector.export_obstacle:
        raise ExportError(f"{name} cannot be written as ONNX: {obstacle}.")
    try:
        with _silence():
            program = torch.onnx.export(
                module,
                (images,),
                dynamo=True,
                verbose=False,
                opset_version=opset,
                input_names=[INPUT],
                output_names=list(module.outputs),
                dynamic_shapes=shapes,
            )
            assert program is not None
            model: onnx.ModelProto = program.model_proto
    # The exporter raises whatever the layers, the tracer and the translation raise.
    except Exception as error:
        hint = "" if batch else " A batch of one size may work: --batch 1."
        raise ExportError(f"{name} cannot be written as ONNX: {_reason(error)}{hint}") from error
    written = {entry.domain: entry.version for entry in model.opset_import}.get("")
    if written != opset:
        # The exporter falls back to its own opset where it cannot convert, and says so in its log.
        raise ExportError(
            f"{name} cannot be written in opset {opset}, only in {written}: --opset {written}."
        )
    _forget_sources(model)
    return model


def facts_of(model: onnx.ModelProto) -> dict[str, str]:
    """The metadata that a file carries."""
    return {entry.key: entry.value for entry in model.metadata_props}


def sign(model: onnx.ModelProto, facts: Mapping[str, str]) -> None:
    """Name irbench as the producer, with these metadata in place of all others."""
    model.producer_name, model.producer_version = "irbench", irbench.__version__
    del model.metadata_props[:]
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)


def append_suppression(
    model: onnx.ModelProto, *, confidence: float, iou_threshold: float, max_detections: int
) -> None:
    """Add the operator ``NonMaxSuppression`` and its output ``selected``, ``(K, 3)`` int64.

    A row is image, class and box, best first within an image and class. The limit holds
    for each class, as the operator has it.

    Parameters
    ----------
    model : onnx.ModelProto
        With the outputs ``boxes`` and ``scores``; changed in place.
    confidence, iou_threshold, max_detections
        See :func:`irbench.networks.nms.non_maximum_suppression`.
    """
    from onnx import TensorProto, helper

    constants = {
        "nms_max_detections": (TensorProto.INT64, max_detections),
        "nms_iou_threshold": (TensorProto.FLOAT, iou_threshold),
        "nms_confidence": (TensorProto.FLOAT, confidence),
    }
    graph = model.graph
    for name, (dtype, value) in constants.items():
        graph.initializer.append(helper.make_tensor(name, dtype, [1], [value]))
    graph.node.append(
        helper.make_node("Transpose", [SCORES], ["nms_scores"], "nms_scores", perm=[0, 2, 1])
    )
    # The operator wants rows before columns; IoU is the same with both exchanged.
    inputs = [BOXES, "nms_scores", *constants]
    graph.node.append(helper.make_node("NonMaxSuppression", inputs, [SELECTED], "nms"))
    graph.output.append(
        helper.make_tensor_value_info(SELECTED, TensorProto.INT64, ["n_selected", 3])
    )


def shapes_of(values: Any) -> dict[str, tuple[int | str, ...]]:
    """Shapes of a graph's inputs or outputs by name; an axis of any length by its own."""
    return {
        value.name: tuple(d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim)
        for value in values
    }


@contextmanager
def _silence() -> Iterator[None]:
    """Keep back the exporter's remarks on packages that no network here needs."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            # Of a network that it cannot trace, torch prints the whole graph.
            redirect_stdout(io.StringIO()),
            redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _reason(error: BaseException) -> str:
    """The first line of the first cause; the exporter wraps it in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {(lines or ['no reason given'])[0].rstrip('.')}."


def _forget_sources(model: onnx.ModelProto) -> None:
    for graph in (model.graph, *model.functions):
        graph.ClearField("metadata_props")
        for entry in (*graph.node, *graph.value_info):
            entry.ClearField("metadata_props")
            entry.ClearField("doc_string")
    for entry in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        entry.ClearField("metadata_props")
        entry.ClearField("doc_string")
