"""The segmentation networks as ONNX files, and why Faster R-CNN is none."""

from __future__ import annotations

import copy

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")

import irbench  # noqa: E402
from irbench.cli.main import main  # noqa: E402
from irbench.dataset import Sample  # noqa: E402
from irbench.errors import UnknownNameError, UsageError  # noqa: E402
from irbench.figures.grad_cam_maps import score_grad_cams  # noqa: E402
from irbench.networks.export import export_onnx  # noqa: E402
from irbench.networks.onnx_graph import ExportError  # noqa: E402

SLOW = (
    *("acm-unet", "acm-basic", "alcnet", "alcnet-basic", "rpcanet", "rdian", "mshnet"),
    *("dnanet", "uiunet", "agpcnet", "sctransnet", "l2sknet"),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["acm-fpn", *(pytest.param(name, marks=pytest.mark.stress) for name in SLOW)]
)
def test_the_file_returns_what_the_network_returns_for_any_batch(name, tmp_path):
    torch.manual_seed(0)
    detector = irbench.load_method(name, squash=96)
    written = export_onnx(detector, tmp_path / "net.onnx")
    assert 0 <= written.difference.scores <= 1e-5
    assert written.difference.boxes is None
    channels = detector.in_channels_used
    assert written.inputs == {"images": ("batch", channels, 96, 96)}
    assert written.outputs == {"probabilities": ("batch", 1, 96, 96)}
    session = onnxruntime.InferenceSession(written.path)
    exact = copy.deepcopy(detector.network).double().eval()
    images = np.random.default_rng(1).normal(size=(2, channels, 96, 96)).astype(np.float32)
    with torch.no_grad():
        expected = detector.decode(exact, exact(torch.from_numpy(images).double())).numpy()
    (found,) = session.run(None, {"images": images})
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.slow
def test_the_printed_program_finds_what_irbench_finds(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(3)
    with pytest.raises(SystemExit) as exit_:
        main(["export", "acm-fpn", "--imgsz", "64", "--batch", "1"])
    printed = capfd.readouterr()
    assert exit_.value.code == 0, printed.err
    assert "in probabilities" in printed.out
    image = np.random.default_rng(0).integers(0, 256, (40, 57), dtype=np.uint8)
    assert cv2.imwrite("frame.png", image)
    scope = {}
    exec(printed.out.split("To run it:")[1].replace("print(", "answer = ("), scope)
    torch.manual_seed(3)
    probabilities = irbench.load_method("acm-fpn").probability_map(image)
    found = np.zeros(image.shape, bool)
    found[tuple(scope["answer"].T)] = True
    sure = np.abs(probabilities - 0.5) > 1e-3
    np.testing.assert_array_equal(found[sure], probabilities[sure] > 0.5)


def test_what_cannot_be_exported_names_the_operator(tmp_path):
    with pytest.raises(ExportError, match=r"faster-rcnn .* non-maximum suppression between"):
        export_onnx(irbench.load_method("faster-rcnn"), tmp_path / "net.onnx")
    with pytest.raises(UsageError, match="acm-fpn returns no boxes"):
        export_onnx(irbench.load_method("acm-fpn"), tmp_path / "net.onnx", nms=True)
    assert not list(tmp_path.iterdir())


def test_grad_cam_of_a_segmentation_network():
    torch.manual_seed(0)
    detector = irbench.load_method("acm-fpn")
    image = np.random.default_rng(0).integers(0, 256, (40, 57), dtype=np.uint8)
    sample = Sample("one", image, np.zeros(image.shape, bool))
    maps = score_grad_cams(detector, sample, ["layer1", "fuse12"])
    assert list(maps) == ["layer1", "fuse12"]
    for values in maps.values():
        assert values.shape == image.shape
        assert (values >= 0).all()
        assert values.any()
    with pytest.raises(UnknownNameError, match="layer1"):
        score_grad_cams(detector, sample, ["layer9"])


def test_a_profile_of_a_segmentation_network_separates_network_and_rest():
    from irbench.networks.profiling import profile_detector

    image = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    sample = Sample("one", image, np.zeros(image.shape, bool))
    found = profile_detector(irbench.load_method("acm-fpn", squash=64), [sample])
    assert (found.cost.parameters, found.cost.input_size) == (387_187, 64)
    assert found.dtype == "float32"
    stages = (found.preprocess.median, found.compute.median, found.postprocess.median)
    assert min(stages) > 0
    assert sum(stages) == pytest.approx(found.total.median)


def test_options_of_other_networks_are_refused():
    from irbench.cli.network_options import make_detector
    from irbench.plugins.registry import method_class

    with pytest.raises(UsageError, match="--tile is for networks of boxes; acm-fpn returns maps"):
        make_detector(method_class("acm-fpn"), {}, tile=64)
    with pytest.raises(UsageError, match="acm-fpn needs --weights"):
        make_detector(method_class("acm-fpn"), {})
