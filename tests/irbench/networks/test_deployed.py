"""A model directory: irbench and the program in it find the same boxes, without irbench's help."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import irbench  # noqa: E402
from irbench.cli.detect import detect  # noqa: E402
from irbench.dataset import Sample  # noqa: E402
from irbench.detector import MethodInfo  # noqa: E402
from irbench.errors import ImageError, IrbenchError, UsageError  # noqa: E402
from irbench.networks.deployed import DeployedModel  # noqa: E402
from irbench.networks.deployed_programs import OF_BOXES, OF_MAPS  # noqa: E402
from irbench.networks.deploying import export_model, write_int8  # noqa: E402
from irbench.networks.segmentation import InputScaling, SegmentationNetworkDetector  # noqa: E402
from irbench.plugins.registry import load_plugin  # noqa: E402
from irbench.scoring.calibration import Calibration  # noqa: E402

PLUGIN = Path(__file__).parents[1] / "tiny_network_plugin.py"
LOW, HIGH = 6500.0, 7500.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    load_plugin(PLUGIN)
    torch.manual_seed(3)
    detector = irbench.load_method("tiny-net", image_size=64, confidence=0.01)
    out = tmp_path_factory.mktemp("model")
    calibration = Calibration(None, 0.05, "camera.json")
    export_model(detector, out, value_range=(LOW, HIGH), calibration=calibration)
    return out, detector


def frame(shape, seed):
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    wave = 7000 + 250 * np.sin(rows / 5) * np.cos(columns / 7)
    return (wave + rng.normal(0, 30, shape)).clip(0, 16383).astype(np.uint16)


class Blobs(SegmentationNetworkDetector):
    """Three channels, a sharp map of what stands out from its surroundings."""

    info = MethodInfo(
        name="blobs", title="Blobs", group="None", year=2026, reference="none", default=False
    )
    channels = 3
    scaling = InputScaling((0.4, 0.5, 0.6), (0.2, 0.25, 0.3), by_maximum=True)

    def build(self):
        network = torch.nn.Conv2d(3, 1, 5, padding=2)
        weight = torch.full((1, 3, 5, 5), -0.4 / 24)
        weight[..., 2, 2] = 0.4
        network.weight.data = 40 * weight
        network.bias.data.fill_(-2.0)
        return network


def run_program(out, files):
    """Name and numbers of each line that the program of a directory prints."""
    done = subprocess.run(
        [sys.executable, "-I", out / "detect.py", *files],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    return {
        str(file): np.array([line[2:] for line in lines if line[0] == str(file)], float)
        for file in files
    }


@pytest.mark.parametrize("squash", [None, 64])
def test_the_program_of_a_segmentation_network_finds_what_irbench_finds(tmp_path, squash):
    detector, out = Blobs(squash=squash), tmp_path / "model"
    export_model(
        *(detector, out),
        value_range=(LOW, HIGH),
        calibration=Calibration(None, 0.6, "camera.json"),
        size=90,
    )
    model = DeployedModel(folder=str(out))
    assert model.facts["input_size"] == 96
    assert json.loads((out / "model.json").read_text())["kind"] == "segmentation"
    files = []
    for seed, shape in enumerate(((48, 90), (96, 96), (31, 64))):
        files.append(tmp_path / f"{seed}.png")
        assert cv2.imwrite(str(files[-1]), frame(shape, seed))
    theirs = run_program(out, files)
    n_found = 0
    for file in files:
        image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        found = model.detect(image).above(0.6)
        ours = np.column_stack([found.boxes, found.scores])
        np.testing.assert_allclose(ours, theirs[str(file)].reshape(-1, 5), rtol=1e-5)
        assert found.regions is not None
        n_found += len(ours)
        # The network itself is called at another size, and rounds elsewhere.
        probability = detector.probability_map(image, value_range=(LOW, HIGH))
        padded = model.preprocess(image)
        deployed = model._cut(model.compute(padded), image.shape)
        near = 1e-3 if squash is None else 0.05
        inner = np.s_[2:-2, 2:-2]
        np.testing.assert_allclose(deployed[inner], probability[inner], atol=near)
    assert n_found > 5
    if squash is None:
        with pytest.raises(ImageError, match="at most 96x96: export it with a greater --imgsz"):
            model.detect(frame((97, 20), 0))


@pytest.mark.parametrize("kind", ["box", "segmentation"])
def test_the_directory_in_8_bit_runs_the_same(tmp_path, kind):
    load_plugin(PLUGIN)
    torch.manual_seed(3)
    boxes = irbench.load_method("tiny-net", image_size=64, confidence=0.01)
    detector, out = boxes if kind == "box" else Blobs(), tmp_path / "model"
    export_model(detector, out, value_range=(LOW, HIGH), size=None if kind == "box" else 96)
    images = [frame((120, 64), seed) for seed in range(4)]
    samples = [
        Sample(str(n), image, np.zeros(image.shape, bool), value_range=(LOW, HIGH))
        for n, image in enumerate(images)
    ]
    # Longer than the canvas: a corner of it will do to find ranges.
    before = (out / "model.onnx").read_bytes()
    write_int8(out, samples)
    assert (out / "model.onnx").read_bytes() != before
    model = DeployedModel(folder=str(out))
    assert model.facts["precision"] == "int8"
    file = tmp_path / "0.png"
    assert cv2.imwrite(str(file), images[0][:90])
    theirs = run_program(out, [file])[str(file)].reshape(-1, 5)
    found = model.detect(images[0][:90])
    ours = np.column_stack([found.boxes, found.scores])
    order = [np.lexsort(rows.T) for rows in (ours, theirs)]
    np.testing.assert_allclose(ours[order[0]], theirs[order[1]], rtol=1e-5, atol=1e-5)
    assert len(ours)


def test_the_program_finds_what_irbench_finds(folder, tmp_path):
    out, detector = folder
    model = DeployedModel(folder=str(out))
    assert model.calibration == Calibration(None, 0.05, "camera.json")
    files = []
    for seed, shape in enumerate(((48, 90), (131, 77), (64, 64))):
        files.append(tmp_path / f"{seed}.png")
        assert cv2.imwrite(str(files[-1]), frame(shape, seed))
    printed = run_program(out, files)
    n_found = 0
    for seed, file in enumerate(files):
        image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        found = model.detect(image).above(0.05)
        theirs = printed[str(file)].reshape(-1, 5)
        ours = np.column_stack([found.boxes, found.scores])
        order = [np.lexsort(rows.T) for rows in (ours, theirs)]
        np.testing.assert_allclose(ours[order[0]], theirs[order[1]], rtol=1e-6, atol=1e-5)
        n_found += len(ours)
        # And what the network itself finds, but for rounding.
        expected = detector.detect(image, value_range=(LOW, HIGH)).above(0.05)
        assert abs(len(expected) - len(ours)) <= 1, seed
    assert n_found


@pytest.mark.parametrize("program", [OF_BOXES, OF_MAPS])
def test_the_program_is_short_and_needs_no_irbench(program):
    code = [line for line in program.splitlines() if line.strip()]
    assert len(code) <= 38
    assert max(map(len, code)) <= 100
    assert "irbench" not in program


def test_values_outside_the_range_are_clipped(folder):
    out, _ = folder
    model = DeployedModel(folder=str(out))
    image = frame((64, 64), 0)
    image[3, 3], image[5, 5] = 0, 16383
    assert model.preprocess(image).min() == 0
    assert model.preprocess(image).max() == 1


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((64, 64), np.nan, np.float32), "NaN or infinity, first at row 0, column 0"),
        (np.where(np.eye(64) > 0, np.inf, 7000.0), "NaN or infinity"),
        (np.zeros((3, 64, 64), np.uint16), r"shape \(H, W\), got \(3, 64, 64\)"),
        (np.zeros((0, 64), np.uint16), "at least one pixel"),
        ([[7000]], "a numpy array, got list"),
    ],
)
def test_what_is_no_frame_is_refused_as_by_torch(folder, image, message):
    out, detector = folder
    model = DeployedModel(folder=str(out))
    for one in (model, detector):
        with pytest.raises(ImageError, match=message):
            one.detect(image, value_range=(LOW, HIGH))


def test_a_range_that_is_guessed_is_not_clipped_to(folder, tmp_path):
    """A model without a value range took float frames of 14 bit for white all over."""
    _, detector = folder
    export_model(detector, tmp_path)
    model = DeployedModel(folder=str(tmp_path))
    image = frame((64, 64), 1)
    with pytest.raises(ImageError, match=r"value_range \(0, 1\)"):
        model.detect(image.astype(np.float32))
    unit = (image / 16383).astype(np.float32)
    assert len(model.detect(unit)) == len(model.detect(image, value_range=(0, 16383)))


@pytest.mark.parametrize("what", ["NaN", "range"])
def test_the_program_refuses_what_it_would_find_nothing_on(folder, tmp_path, what):
    out, detector = folder
    image = frame((64, 64), 2).astype(np.float32)
    message = "finite values"
    if what == "NaN":
        image[4, 4] = np.nan
    else:
        out, message = tmp_path / "model", "values outside (0, 1)"
        export_model(detector, out)
    file = tmp_path / "frame.tif"
    cv2.imwrite(str(file), image)
    done = subprocess.run(
        [sys.executable, str(out / "detect.py"), str(file)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_range_of_the_model_is_recorded(folder, tmp_path):
    np.save(tmp_path / "clip.npy", np.stack([frame((64, 64), seed) for seed in range(2)]))
    words = ["--model", folder[0], tmp_path / "clip.npy", "--out", tmp_path, "--pictures", "none"]
    done = CliRunner().invoke(detect, [*map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0
    written = json.loads((tmp_path / "detections.json").read_text())
    assert written["value_range"] == {"asked": None, "found": [LOW, HIGH]}


def test_a_threshold_that_keeps_nothing_is_not_exported(folder, tmp_path):
    calibration = Calibration(None, np.inf, "runs/camera")
    with pytest.raises(UsageError, match=r"tiny-net is infinite \(runs/camera\)"):
        export_model(folder[1], tmp_path / "model", calibration=calibration)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("content", [None, "{", '{"schema": 7}', '{"schema": 1}'])
def test_what_is_no_model_is_refused(folder, tmp_path, content):
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(b"")
        (tmp_path / "model.json").write_text(content)
    with pytest.raises(IrbenchError, match=r"no exported model|cannot be read|schema 1|export it"):
        DeployedModel(folder=str(tmp_path))
    assert json.loads((folder[0] / "model.json").read_text())["classes"] == ["target"]
