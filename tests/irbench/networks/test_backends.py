"""Networks in ONNX Runtime and OpenVINO: the boxes of torch, and nothing left to the machine."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import irbench  # noqa: E402
from irbench.errors import ParameterError, UsageError  # noqa: E402
from irbench.networks.backends import row_suffix  # noqa: E402
from irbench.networks.export import export_onnx  # noqa: E402

BACKENDS = ["onnxruntime", "openvino"]


@pytest.fixture(scope="module")
def image():
    rng = np.random.default_rng(3)
    image = rng.normal(90, 4, (96, 128))
    for row, column in ((20, 30), (60, 100), (80, 11)):
        image[row : row + 3, column : column + 3] += 90
    return image.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def network():
    return irbench.load_method("yolov8n", weights="nudt", image_size=160, confidence=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_returns_the_boxes_of_torch(network, image, backend):
    pytest.importorskip(backend)
    pytest.importorskip("onnxscript")
    expected = network.detect(image)
    assert len(expected)
    engine = dataclasses.replace(network, backend=backend)
    for found in (engine.detect(image), *engine.detect_batch([image, image[:64, :64], image])[::2]):
        np.testing.assert_allclose(found.boxes, expected.boxes, atol=5e-3)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)


def test_title_says_what_computes_it(network):
    assert network.title == "YOLOv8-n"
    assert dataclasses.replace(network, backend="openvino").title == "YOLOv8-n (OpenVINO, fp32)"
    assert row_suffix("onnxruntime", "int8") == " (ONNX Runtime, int8)"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"precision": "bf16"}, "precision=bf16 needs backend="),
        ({"backend": "onnxruntime", "precision": "bf16"}, "no bf16"),
        ({"backend": "openvino", "precision": "int8"}, "needs exported=FILE"),
        ({"exported": "a.onnx"}, "exported needs backend="),
        ({"backend": "tensorrt"}, "tensorrt"),
    ],
)
def test_what_does_not_go_together_is_refused(values, message):
    with pytest.raises(ParameterError, match=message):
        irbench.load_method("yolov8n", **values)


def test_a_graphics_card_is_not_promised(network):
    with pytest.raises(UsageError, match="computes on the CPU"):
        dataclasses.replace(network, backend="onnxruntime").to("cuda")


@pytest.mark.slow
def test_precision_is_asked_for_where_the_processor_would_choose(network, image):
    openvino = pytest.importorskip("openvino")
    pytest.importorskip("onnxscript")
    half = dataclasses.replace(network, backend="openvino", precision="bf16")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(UsageError, match="does not multiply bf16"):
            half.detect(image)
        return
    exact = network.detect(image)
    rounded = half.detect(image)
    difference = abs(float(rounded.scores.max()) - float(exact.scores.max()))
    assert 0 < difference < 0.1


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    path = tmp_path_factory.mktemp("exported") / "yolo.onnx"
    export_onnx(network, path, nms=True, check=False)
    return path


def test_reads_the_file_of_export(network, image, exported):
    engine = dataclasses.replace(network, backend="onnxruntime", exported=str(exported))
    np.testing.assert_allclose(engine.detect(image).boxes, network.detect(image).boxes, atol=5e-3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"image_size": 192}, "input_size 160, the row 192"),
        ({"weights": "nuaa"}, "weights_sha256"),
        ({"precision": "int8"}, "precision fp32, the row int8"),
    ],
)
def test_a_file_of_another_row_is_refused(network, image, exported, values, message):
    engine = dataclasses.replace(network, backend="onnxruntime", exported=str(exported), **values)
    with pytest.raises(UsageError, match=message):
        engine.detect(image)


def test_a_file_that_is_none_is_refused(network, image, tmp_path):
    (tmp_path / "none.onnx").write_bytes(b"\x00not onnx")
    engine = dataclasses.replace(
        network, backend="onnxruntime", exported=str(tmp_path / "none.onnx")
    )
    with pytest.raises(UsageError, match="cannot be read as ONNX"):
        engine.detect(image)


def test_only_convolutions_are_quantised(network, image, exported, tmp_path):
    import onnx

    from irbench.networks.quantization import (
        calibration_samples,
        letterboxed,
        quantize_convolutions,
    )

    path = tmp_path / "int8.onnx"
    samples = calibration_samples(irbench.load_dataset("synth"), 4)
    quantize_convolutions(exported, path, letterboxed(network), samples)
    model = onnx.load_model(path)
    assert {e.value for e in model.metadata_props if e.key == "precision"} == {"int8"}
    producers = {output: node for node in model.graph.node for output in node.output}
    quantised = {
        producers[node.input[0]].op_type if node.input[0] in producers else "input"
        for node in model.graph.node
        if node.op_type == "QuantizeLinear"
    }
    # What goes into a convolution or comes out of one; boxes and scores stay as they are.
    assert quantised
    assert all(producers[o.name].op_type != "DequantizeLinear" for o in model.graph.output)
    assert path.stat().st_size < 0.5 * exported.stat().st_size
    engine = dataclasses.replace(
        network, backend="onnxruntime", precision="int8", exported=str(path)
    )
    scores = engine.detect(image).scores
    # Of a graph quantised as a whole every score is 0.
    assert len(np.unique(scores)) > 1


def test_no_test_image_sets_a_range(tmp_path):
    from irbench.networks.quantization import calibration_samples

    class OnlyTest:
        splits = ("test",)
        info = irbench.load_dataset("synth").info

    with pytest.raises(UsageError, match="neither training nor validation"):
        calibration_samples(OnlyTest())
