"""``irbench export``: the file, the printed program that runs it, and refusals."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import irbench  # noqa: E402
from irbench.cli.main import main  # noqa: E402
from irbench.networks.card import Card  # noqa: E402
from irbench.networks.weights import save_weights  # noqa: E402

PLUGIN = '''
import torch
from irbench.detector import MethodInfo
from irbench.networks.detector import NetworkDetector


class Cells(NetworkDetector):
    """A box and a score for each cell of 8 pixels."""

    info = MethodInfo(
        name="cells", title="Cells", group="Test", year=2025, reference="none", default=False
    )

    def build(self):
        torch.manual_seed(11)
        return torch.nn.Conv2d(3, 5, 8, 8)

    def decode(self, network, outputs):
        flat = outputs.flatten(2).transpose(1, 2)
        rows, columns = torch.meshgrid(*(torch.arange(n) for n in outputs.shape[2:]), indexing="ij")
        centres = torch.stack((columns, rows), -1).view(1, -1, 2) * 8 + 4
        sides = flat[..., :4].exp() * 5
        boxes = torch.cat((centres - sides[..., :2], centres + sides[..., 2:]), -1)
        return boxes, (flat[..., 4:] * 4 + 1).sigmoid()
'''


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "cells.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture
def export(capfd, tmp_path, monkeypatch):
    """Run ``irbench export`` in an empty folder; what it printed, or its error."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*arguments, status=0):
        with pytest.raises(SystemExit) as exit_:
            main(["export", *map(str, arguments)])
        printed = capfd.readouterr()
        assert exit_.value.code == status, printed.err
        return printed.err if status else printed.out

    call.folder = folder
    return call


def ramp(shape):
    """A noisy image, smooth enough to be scaled."""
    rows, columns = np.indices(shape)
    wave = 90 + 60 * np.sin(rows / 5) * np.cos(columns / 7)
    return (wave + np.random.default_rng(4).normal(0, 9, shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("more", [(), ("--nms", "--batch", "2")])
def test_the_printed_program_finds_what_irbench_finds(export, plugin, more):
    thresholds = ("--param", "confidence=0.45", "--param", "cells.nms_iou=0.3")
    out = export("cells", "--plugin", plugin, "--imgsz", 64, *thresholds, *more)
    batch = "2" if more else "batch"
    assert [one.name for one in export.folder.iterdir()] == ["cells-64.onnx"]
    assert out.startswith("cells-64.onnx: 0.0 MB, ONNX opset 18, weights: none")
    assert re.search(rf"in +images +\({batch}, 1, 64, 64\)", out)
    assert re.search(rf"out +boxes +\({batch}, 64, 4\)", out)
    assert re.search(rf"out +scores +\({batch}, 64, 1\)", out)
    assert ("selected" in out) == bool(more)
    assert re.search(r"at most \d\.\de[+-]\d\d in scores, \d\.\de[+-]\d\d of the canvas", out)
    program = out.split("To run it:")[1].replace("print(", "answer = (")
    detector = irbench.load_method("cells", image_size=64, confidence=0.45, nms_iou=0.3)
    for height, width in ((48, 90), (131, 77)):
        image = ramp((height, width))
        assert cv2.imwrite("frame.png", image)
        scope = {}
        exec(program, scope)
        boxes, scores = scope["answer"]
        expected = detector.detect(image)
        assert 3 < len(expected) < 60
        # irbench clips, and drops boxes in the grey margin.
        boxes = boxes.clip(0, (width, height, width, height))
        inside = (boxes[:, 2:] - boxes[:, :2] >= 1e-3).all(1)
        np.testing.assert_allclose(boxes[inside], expected.boxes, atol=1e-2)
        np.testing.assert_allclose(scores[inside], expected.scores, atol=1e-4)


def test_weights_are_those_of_the_file_and_named_in_it(export, plugin):
    irbench.plugins.registry.load_plugin(plugin)
    network = irbench.load_method("cells").network
    with torch.no_grad():
        network.weight.mul_(-2)
    metrics = {"val": {"threshold": 0.375}, "test": None}
    part = {"train": "0" * 16, "val": "0" * 16}
    card = Card(
        method="cells", title="Cells", architecture="0" * 16, dataset="nudt", scheme="60-20-20",
        manifests=part, images={"train": {}, "val": {}}, image_size=64, settings={}, seed=0,
        epochs=1, best_epoch=1, steps=1, seconds=1.0, hardware="a machine", versions={},
        metrics=metrics, licence="for research",
    )  # fmt: skip
    card = save_weights("mine.safetensors", network, card, "float32")
    out = export("cells", "--weights", "mine.safetensors", "--out", "a.onnx")
    assert "weights: nudt" in out
    session = onnxruntime.InferenceSession("a.onnx")
    stored = session.get_modelmeta().custom_metadata_map
    assert stored["weights"] == "nudt"
    assert stored["weights_sha256"] == card.sha256
    assert stored["weights_licence"] == "for research"
    assert stored["threshold_of_best_f1"].startswith("0.375")
    images = np.random.default_rng(2).random((2, 1, 64, 64), dtype=np.float32)
    expected = network(torch.from_numpy(images).expand(-1, 3, -1, -1)).detach()
    scores = (expected.flatten(2)[:, 4] * 4 + 1).sigmoid().numpy()
    np.testing.assert_allclose(session.run(["scores"], {"images": images})[0][..., 0], scores,
                               atol=1e-5)  # fmt: skip


def test_refusals(export, plugin):
    assert "'onnx'" in export("cells", "--plugin", plugin, "--format", "tflite", status=2)
    irbench.plugins.registry.load_plugin(plugin)
    error = export("tophat", status=2)
    assert "tophat cannot be exported: it is a score-map detector that is no network" in error
    assert "le-irstd" in error
    assert "unknown method 'le-irst'. Did you mean le-irstd" in export("le-irst", status=2)
    assert "multiple of 32" in export("cells", "--imgsz", 50, status=2)
    assert "'dynamic' or a number from 1 on" in export("cells", "--batch", "0", status=2)
    assert "weights of cells" in export("cells", "--weights", "nowhere", status=2)
    (export.folder / "file").write_text("")
    error = export("cells", "--imgsz", 64, "--out", "file/x.onnx", status=2)
    assert "cannot write file/x.onnx" in error
    assert "it is a folder" in export("cells", "--out", ".", status=2)
    assert [one.name for one in export.folder.iterdir()] == ["file"]
