"""Exported networks: what onnxruntime computes from the file is what torch computed."""

from __future__ import annotations

import copy
import logging
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

import irbench  # noqa: E402
from irbench.detector import MethodInfo  # noqa: E402
from irbench.errors import UsageError  # noqa: E402
from irbench.networks.detector import NetworkDetector  # noqa: E402
from irbench.networks.export import DEFAULT_OPSET, export_onnx  # noqa: E402
from irbench.networks.onnx_check import check_file  # noqa: E402
from irbench.networks.onnx_graph import CanvasesToBoxes, ExportError  # noqa: E402

SIZE = 64


class TinyNet(torch.nn.Module):
    """A box and two scores for each cell of 8 pixels."""

    def __init__(self, odd="", n_classes=2):
        super().__init__()
        self.odd = odd
        self.body = torch.nn.Sequential(
            torch.nn.Conv2d(3, 6, 8, 8), torch.nn.BatchNorm2d(6), torch.nn.Tanh()
        )
        self.head = torch.nn.Conv2d(6, 4 + n_classes, 1)

    def forward(self, images):
        if self.odd == "branches" and images.mean() > 0.5:
            images = 1 - images
        y = self.head(self.body(images))
        if torch.onnx.is_in_onnx_export():
            y = y + 0.5 * (self.odd == "shifts")
        return y


class Tiny(NetworkDetector):
    info = MethodInfo(name="tiny", title="Tiny", group="Test", year=2025, reference="none")
    odd = ""

    def build(self):
        torch.manual_seed(5)
        network = TinyNet(self.odd)
        with torch.no_grad():
            network.head.weight.mul_(4)
            network.body[1].running_mean.uniform_(-0.5, 0.5)
        return network

    def decode(self, network, outputs):
        flat = outputs.flatten(2).transpose(1, 2)
        rows, columns = torch.meshgrid(*(torch.arange(n) for n in outputs.shape[2:]), indexing="ij")
        centres = torch.stack((columns, rows), -1).view(1, -1, 2) * 8 + 4
        sides = flat[..., :4].exp() * 6
        boxes = torch.cat((centres - sides[..., :2], centres + sides[..., 2:]), -1)
        return boxes, flat[..., 4:].sigmoid()


def tiny(odd="", **params):
    detector = Tiny(image_size=SIZE, **params)
    detector.odd = odd
    return detector


def session_of(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def random_images(n_images, seed=1):
    return np.random.default_rng(seed).random((n_images, 1, SIZE, SIZE), dtype=np.float32)


def assert_equal_to_torch(path, detector, images, tolerance=1e-4):
    boxes, scores = session_of(path).run(["boxes", "scores"], {"images": images})
    expected_boxes, expected_scores = (
        one.numpy() for one in detector.compute(torch.from_numpy(images))
    )
    np.testing.assert_allclose(boxes, expected_boxes, rtol=0, atol=tolerance * SIZE)
    np.testing.assert_allclose(scores, expected_scores, rtol=0, atol=tolerance)
    # Else the comparison above would mean little.
    assert np.ptp(scores) > 0.05


def enliven(network):
    """Signals that reach the head, and samples of VKConv between the pixels and beyond them.

    Answers how many modules move their samples.
    """
    torch.manual_seed(3)
    offsets = [one for name, one in network.named_modules() if name.endswith(".offset")]
    with torch.no_grad():
        for one in offsets:
            one.weight.normal_(0, 0.1)
            one.bias.normal_(0, 2)
        for branch in network.head.class_branches:
            branch[-1].bias.zero_()
        for one in network.modules():
            if isinstance(one, torch.nn.BatchNorm2d):
                one.momentum = 1.0
        network.train()(torch.from_numpy(random_images(8, seed=0)).expand(-1, 3, -1, -1))
    return len(offsets)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["yolov8n", "le-irstd"])
def test_real_networks_answer_alike_for_any_batch(name, tmp_path):
    torch.manual_seed(0)
    detector = irbench.load_method(name, image_size=SIZE)
    assert (enliven(detector.network) > 0) == (name == "le-irstd")
    written = export_onnx(detector, tmp_path / "a folder" / "net.onnx")
    assert 0 <= written.difference.scores <= 1e-4
    assert 0 <= written.difference.boxes <= 1e-4
    exact = copy.deepcopy(detector.network).double().eval()
    for n_images in (1, 2, 5):
        images = random_images(n_images)
        answer = session_of(written.path).run(["boxes", "scores"], {"images": images})
        single = detector.compute(torch.from_numpy(images))
        with torch.inference_mode():
            wide = torch.from_numpy(images).double().expand(-1, 3, -1, -1)
            truth = detector.decode(exact, exact(wide))
        for ours, torchs, true, unit in zip(answer, single, truth, (SIZE, 1), strict=True):
            # Random weights amplify rounding, so torch's own is the measure, to a factor.
            error, own = (np.abs(one - true.numpy()).max() / unit for one in (ours, torchs.numpy()))
            assert error <= 4 * own + 1e-6
            assert own < 2e-4
        assert np.ptp(answer[1]) > 0.05
    content = written.path.read_bytes()
    assert written.n_bytes == len(content)
    # Folders of the machine that exported are nobody's business.
    for trace in (b"site-packages", b"_network.py", b"forward("):
        assert trace not in content
    assert [one.name for one in written.path.parent.iterdir()] == ["net.onnx"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The tiny network for any batch."""
    detector = tiny(confidence=0.25, nms_iou=0.5, max_detections=7)
    return export_onnx(detector, tmp_path_factory.mktemp("onnx") / "tiny.onnx")


@pytest.fixture
def traced_before(written, monkeypatch):
    """The tiny network's graph without tracing it again, which takes a second."""

    def graph(*_, **__):
        model = onnx.load(written.path)
        model.ClearField("metadata_props")
        return model

    monkeypatch.setattr("irbench.networks.export.onnx_graph", graph)


def test_shapes_opset_and_metadata_of_the_file(written):
    model = onnx.load(written.path)
    assert [(one.domain, one.version) for one in model.opset_import] == [("", DEFAULT_OPSET)]
    assert (model.producer_name, model.producer_version) == ("irbench", irbench.__version__)
    session = session_of(written.path)
    assert {one.name: tuple(one.shape) for one in session.get_inputs()} == written.inputs
    assert {one.name: tuple(one.shape) for one in session.get_outputs()} == written.outputs
    assert written.inputs == {"images": ("batch", 1, SIZE, SIZE)}
    assert written.outputs == {"boxes": ("batch", 64, 4), "scores": ("batch", 64, 2)}
    stored = session.get_modelmeta().custom_metadata_map
    assert stored == written.metadata
    for key, value in {
        "irbench_version": irbench.__version__,
        "method": "tiny",
        "input_size": "64",
        "confidence": "0.25",
        "nms_iou": "0.5",
        "max_detections": "7",
    }.items():
        assert stored[key] == value
    assert stored["weights"].startswith("none")
    assert str(114 / 255) in stored["letterbox"]


def test_the_detector_is_left_as_it_is_and_nothing_is_said(tmp_path, capfd):
    detector = tiny(fused=False)
    network = detector.network.train()
    before = {name: one.clone() for name, one in network.state_dict().items()}
    written = export_onnx(detector, tmp_path / "two.onnx", batch=2, opset=20)
    assert detector.network is network
    assert network.training
    assert all(one.requires_grad for one in network.parameters())
    for name, one in network.state_dict().items():
        assert torch.equal(one, before[name])
    assert capfd.readouterr() == ("", "")
    assert logging.root.manager.disable == logging.NOTSET
    assert written.opset == onnx.load(written.path).opset_import[0].version == 20
    assert_equal_to_torch(written.path, detector, random_images(2))
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        session_of(written.path).run(None, {"images": random_images(1)})


def test_what_does_not_fit_is_refused_by_the_file(written):
    session = session_of(written.path)
    bad = {
        "another side": np.zeros((1, 1, 96, 96), np.float32),
        "not square": np.zeros((1, 1, 64, 32), np.float32),
        "three channels": np.zeros((1, 3, 64, 64), np.float32),
        "no batch": np.zeros((1, 64, 64), np.float32),
        "bytes": np.zeros((1, 1, 64, 64), np.uint8),
        "double": np.zeros((1, 1, 64, 64), np.float64),
    }
    for images in bad.values():
        with pytest.raises(Exception, match="INVALID_ARGUMENT"):
            session.run(None, {"images": images})


def greedy(boxes, scores, confidence, iou_threshold, limit):
    """Non-maximum suppression as one would write it first."""
    kept = []
    for index in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if scores[index] <= confidence or len(kept) == limit:
            continue
        a = boxes[index]
        for other in kept:
            b = boxes[other]
            width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
            height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
            areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
            if width * height / (areas - width * height) > iou_threshold:
                break
        else:
            kept.append(index)
    return kept


def test_suppression_in_the_graph_is_the_greedy_rule_per_class(traced_before, tmp_path):
    limit = 8
    detector = tiny(confidence=0.4, nms_iou=0.2, max_detections=limit)
    written = export_onnx(detector, tmp_path / "tiny.onnx", nms=True)
    assert written.outputs["selected"] == ("n_selected", 3)
    boxes, scores, selected = session_of(written.path).run(None, {"images": random_images(3)})
    boxes, scores = boxes.astype(float), scores.astype(float)
    found = {
        (image, label): greedy(boxes[image], scores[image, :, label], 0.4, 0.2, limit)
        for image in range(3)
        for label in range(2)
    }
    rows = [[*place, index] for place, indices in found.items() for index in indices]
    assert selected.tolist() == rows
    counts = [len(indices) for indices in found.values()]
    assert min(counts) < limit == max(counts)
    assert len(rows) < (scores > 0.4).sum()


def test_a_file_that_answers_otherwise_is_not_kept(tmp_path):
    path = tmp_path / "tiny.onnx"
    path.write_text("the old one")
    with pytest.raises(ExportError, match="computes otherwise than the network, and was not kept"):
        export_onnx(tiny("shifts"), path)
    assert path.read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("parameter", "by"), [(0, 1e-2), (2, 1e-2), (5, 1e-3), (5, float("nan"))])
def test_the_check_sees_small_differences_and_nan(written, parameter, by):
    module = CanvasesToBoxes(tiny())
    shape = module.detector.network.head.bias.new_zeros(6)
    shape[parameter] = by
    check_file(written.path, module, SIZE, None)
    module.network.head.bias += shape
    with pytest.raises(ExportError, match="computes otherwise"):
        check_file(written.path, module, SIZE, None)


def test_the_check_sees_a_damaged_file_and_another_suppression(traced_before, tmp_path):
    path = tmp_path / "tiny.onnx"
    detector = tiny(confidence=0.4, nms_iou=0.2)
    export_onnx(detector, path, nms=True)
    with pytest.raises(ExportError, match="are not common"):
        check_file(path, CanvasesToBoxes(tiny(confidence=0.4, nms_iou=0.6)), SIZE, None)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ExportError, match="is refused"):
        check_file(path, CanvasesToBoxes(detector), SIZE, None)


def test_a_network_that_cannot_be_traced_is_named_with_a_reason(tmp_path, capfd):
    with pytest.raises(ExportError, match=r"^tiny cannot be written as ONNX: \w+: ") as caught:
        export_onnx(tiny("branches"), tmp_path / "tiny.onnx")
    assert "data-dependent" in str(caught.value)
    assert len(str(caught.value)) < 400
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_an_opset_that_the_exporter_would_quietly_replace_is_refused(tmp_path):
    with pytest.raises(ExportError, match="opset 11, only in 18"):
        export_onnx(tiny(), tmp_path / "tiny.onnx", opset=11)
    with pytest.raises(UsageError, match="opset must be 1 to"):
        export_onnx(tiny(), tmp_path / "tiny.onnx", opset=999)
    with pytest.raises(UsageError, match="batch must be at least 1"):
        export_onnx(tiny(), tmp_path / "tiny.onnx", batch=0)
    assert list(tmp_path.iterdir()) == []


def test_missing_packages_are_named(traced_before, tmp_path, monkeypatch):
    path = tmp_path / "tiny.onnx"
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match=r'onnxruntime: pip install "irbench\[onnx\]".*--no-check'):
        export_onnx(tiny(), path)
    assert export_onnx(tiny("shifts"), path, check=False).difference is None
    assert path.exists()
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError, match=r'needs onnx: pip install "irbench\[onnx\]"$'):
        export_onnx(tiny(), path, check=False)


def test_paths_that_cannot_be_written(traced_before, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write .*file/net\.onnx"):
        export_onnx(tiny(), tmp_path / "file" / "net.onnx")
    with pytest.raises(UsageError, match="is a folder"):
        export_onnx(tiny(), tmp_path)
