"""Engines that run a network on the processor in torch's place: ONNX Runtime and OpenVINO.

Both read the network as it is exported: canvases in, boxes and scores before suppression out. What
comes before and after, the letterbox and the suppression, is the same code for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from irbench.errors import ParameterError, UsageError
from irbench.extras import require_packages

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

    from irbench.networks.detector import NetworkDetector

    Engine = Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]
    """From ``(B, 1, S, S)`` canvases in [0, 1] to boxes ``(B, N, 4)`` and scores ``(B, N, C)``."""

Backend = Literal["torch", "onnxruntime", "openvino"]
Precision = Literal["fp32", "bf16", "int8"]
BACKENDS: tuple[str, ...] = get_args(Backend)
PRECISIONS: tuple[str, ...] = get_args(Precision)

TITLES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}

_OPENVINO_PRECISIONS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
"""What is asked of OpenVINO; of a quantised file, for what is left in floating point."""

_COMPILED_SHAPES = 4
"""Batch sizes that OpenVINO holds a compiled network for, each with memory of its own: of one
image, a whole batch and its remainder, and one more; frames in tiles make many."""


def backend_values(backend: str | None, precision: str | None) -> dict[str, str]:
    """The parameters that ``--backend`` and ``--precision`` set."""
    given = {"backend": backend, "precision": precision}
    return {name: value for name, value in given.items() if value is not None}


def check_backend(name: str, backend: str, precision: str, exported: str | None) -> None:
    """Refuse parameters that do not go together.

    Parameters
    ----------
    name : str
        Of the method, for the message.
    backend, precision : str
    exported : str or None
        Path of an exported file.

    Raises
    ------
    ParameterError
    """
    if backend == "torch" and precision != "fp32":
        raise ParameterError(
            f"{name}.precision={precision} needs backend=onnxruntime or backend=openvino; "
            "torch computes fp32 here."
        )
    if backend == "torch" and exported is not None:
        raise ParameterError(
            f"{name}.exported needs backend=onnxruntime or backend=openvino, got backend=torch."
        )
    if backend == "onnxruntime" and precision == "bf16":
        raise ParameterError(
            f"{name}.precision=bf16 needs backend=openvino: ONNX Runtime has no bf16 convolutions "
            "on a processor."
        )
    if precision == "int8" and exported is None:
        raise ParameterError(
            f"{name}.precision=int8 needs exported=FILE, a file of irbench export {name} "
            "--precision int8 --calibrate DATASET."
        )


def backend_extra(backend: str) -> str:
    """The extra that brings a backend."""
    return "onnx" if backend == "onnxruntime" else backend


def check_processor(detector: NetworkDetector, device: str) -> str:
    """The device of a detector whose backend is not torch: the CPU.

    Raises
    ------
    UsageError
        If a GPU was asked for.
    """
    if device not in ("auto", "cpu"):
        raise UsageError(
            f"{detector.info.name}.backend={detector.backend} computes on the CPU, got --device "
            f"{device}: take --device cpu."
        )
    return "cpu"


def open_engine(detector: NetworkDetector) -> Engine:
    """Export a detector, or read its exported file, and load it into its backend.

    Parameters
    ----------
    detector : NetworkDetector
        Its ``backend``, ``precision`` and ``exported`` say what is opened; as many threads are
        used as torch would take.

    Returns
    -------
    callable
        From canvases ``(B, 1, S, S)`` in [0, 1] to boxes ``(B, N, 4)`` and scores ``(B, N, C)``.

    Raises
    ------
    MissingLibraryError
        If the backend, or what exports, is not installed.
    UsageError
        For a file of another network, weights, size or precision; for a precision that this
        processor does not have.
    ExportError
        If the network cannot be exported.
    """
    backend = detector.backend
    who = f"backend={backend}"
    require_packages(who, backend_extra(backend), backend)
    if detector.exported is not None:
        content = _stored(detector, Path(detector.exported))
    else:
        require_packages(who, "onnx", "onnx", "onnxscript")
        from irbench.networks.export import DEFAULT_OPSET
        from irbench.networks.onnx_graph import CanvasesToBoxes, onnx_graph

        module = CanvasesToBoxes(detector)
        model = onnx_graph(module, detector.input_size, batch=None, opset=DEFAULT_OPSET)
        content = model.SerializeToString()
    return _OPENERS[backend](content, detector.precision)


def _stored(detector: NetworkDetector, path: Path) -> bytes:
    """The content of an exported file that is the detector's own."""
    require_packages(f"exported={path}", "onnx", "onnx")
    import onnx

    from irbench.networks.onnx_graph import facts_of

    try:
        model = onnx.load_model(path)
    # A file that is none raises what the parser of protocol buffers raises.
    except Exception as error:
        raise UsageError(
            f"exported={path} cannot be read as ONNX: {error or type(error).__name__}; "
            f"irbench export {detector.info.name} writes such a file."
        ) from error
    facts = facts_of(model)
    file = detector.weights_file
    expected = {
        "method": detector.info.name,
        "weights_sha256": None if file is None else file.card.sha256,
        "input_size": str(detector.input_size),
        "precision": "int8" if detector.precision == "int8" else "fp32",
    }
    for key, value in expected.items():
        found = facts.get(key, "fp32" if key == "precision" else None)
        if found != value:
            raise UsageError(
                f"exported={path} has {key} {found}, the row {value}: export it again, by "
                f"irbench export {detector.info.name}."
            )
    _only_boxes(model)
    return bytes(model.SerializeToString())


def _only_boxes(model: onnx.ModelProto) -> None:
    """Drop the output of a suppression inside the graph: suppression is irbench's own."""
    from irbench.networks.onnx_graph import BOXES, SCORES

    kept = [output for output in model.graph.output if output.name in (BOXES, SCORES)]
    del model.graph.output[:]
    model.graph.output.extend(kept)


def _open_onnxruntime(content: bytes, precision: str) -> Engine:
    import onnxruntime
    import torch

    from irbench.networks.onnx_graph import BOXES, INPUT, SCORES

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(canvases: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        boxes, scores = session.run([BOXES, SCORES], {INPUT: canvases})
        return boxes, scores

    return run


def _open_openvino(content: bytes, precision: str) -> Engine:
    import openvino
    import torch

    from irbench.networks.onnx_graph import BOXES, SCORES

    core = openvino.Core()
    wanted = _OPENVINO_PRECISIONS[precision]
    options = {
        # Never left to the machine: unasked, processors with bf16 compute in it.
        "INFERENCE_PRECISION_HINT": wanted,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    if wanted == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise UsageError(
            "precision=bf16: this processor does not multiply bf16, and OpenVINO would compute "
            "in fp32; take precision=fp32 or int8."
        )
    model = core.read_model(content)

    @lru_cache(_COMPILED_SHAPES)
    def compiled_for(shape: tuple[int, ...]) -> Any:
        # With its batch fixed it plans memory and layouts ahead.
        fixed = model.clone()
        fixed.reshape(list(shape))
        return core.compile_model(fixed, "CPU", options)

    def run(canvases: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        compiled = compiled_for(canvases.shape)
        found = compiled(canvases)
        return found[compiled.output(BOXES)], found[compiled.output(SCORES)]

    return run


_OPENERS: dict[str, Callable[[bytes, str], Engine]] = {
    "onnxruntime": _open_onnxruntime,
    "openvino": _open_openvino,
}


def row_suffix(backend: str, precision: str) -> str:
    """What a row's title adds for an engine: empty for torch.

    Examples
    --------
    >>> row_suffix("openvino", "bf16")
    ' (OpenVINO, bf16)'
    """
    return "" if backend == "torch" else f" ({TITLES[backend]}, {precision})"
