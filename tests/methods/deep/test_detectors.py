"""The networks of this folder as detectors: load, detect, fold, begin; by name."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from irbench import load_method  # noqa: E402
from irbench.methods.deep._variants import RECIPES, build_network  # noqa: E402
from irbench.methods.deep._yolo_detector import YoloDetector  # noqa: E402
from irbench.networks.detector import NetworkDetector  # noqa: E402
from irbench.plugins.registry import catalogue  # noqa: E402
from irbench.testing import check_detector  # noqa: E402
from irbench.training.settings import TrainingSettings  # noqa: E402

VARIANTS = [name for name in RECIPES if name not in ("yolov8n", "le-irstd")]
BOX_TOLERANCE_PX = 2e-3
SCORE_TOLERANCE = 2e-5
"""Of float32 sums of some hundred products in another order, layer after layer."""


@pytest.fixture(autouse=True)
def _one_thread():
    # On small images threads cost more than they give, tenfold on a busy machine.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def enliven(network):
    """Running statistics as after a training, and scores that differ from cell to cell."""
    rng = torch.Generator().manual_seed(1)

    def uniform(tensor, low, high):
        tensor.copy_(low + (high - low) * torch.rand(tensor.shape, generator=rng))

    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                uniform(module.weight, 0.8, 1.5)
                uniform(module.bias, -0.3, 0.3)
                uniform(module.running_mean, -0.3, 0.3)
                uniform(module.running_var, 0.3, 1.2)
        for branch in network.head.class_branches:
            branch[-1].weight.mul_(4)
            branch[-1].bias.fill_(-1)
        network.head.expect_distances(1.0)


def lived_in(name, **params):
    torch.manual_seed(0)
    detector = load_method(name, image_size=64, confidence=0.05, **params)
    enliven(detector.network)
    return detector


def scenes(n=18):
    rng = np.random.default_rng(0)
    sizes = [(64, 64), (40, 70), (90, 31)]
    return [rng.integers(0, 256, sizes[i % 3], dtype=np.uint8) for i in range(n)]


def assert_alike(ours, expected):
    assert len(ours) == len(expected)
    for one, other in zip(ours, expected, strict=True):
        assert len(one) == len(other)
        np.testing.assert_allclose(one.boxes, other.boxes, rtol=0, atol=BOX_TOLERANCE_PX)
        np.testing.assert_allclose(one.scores, other.scores, rtol=0, atol=SCORE_TOLERANCE)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("name", ["yolov8n", "le-irstd"])
def test_the_batch_and_the_order_do_not_matter(name, fused):
    detector, images = lived_in(name, fused=fused), scenes()
    alone = [detector.detect(image) for image in images]
    assert min(map(len, alone)) >= 3
    assert min(np.ptp(found.scores) for found in alone) > 0.05
    assert_alike(detector.detect_batch(images, batch_size=1), alone)
    assert_alike(detector.detect_batch(images, batch_size=16), alone)
    backwards = detector.detect_batch(images[::-1], batch_size=16)
    assert_alike(backwards[::-1], alone)


@pytest.mark.parametrize("name", ["yolov8n", "le-irstd", "le-irstd-vkconv-final"])
def test_folding_the_normalisation_does_not_matter(name):
    plain, fused, images = lived_in(name, fused=False), lived_in(name), scenes(6)
    expected = plain.detect_batch(images)
    assert_alike(fused.detect_batch(images), expected)
    norms = [
        sum(isinstance(m, nn.BatchNorm2d) for m in one._ready.modules()) for one in (plain, fused)
    ]
    assert norms[0] > 50
    assert norms[1] <= 2
    # And the statistics are such that the fold had something to do.
    torch.manual_seed(0)
    for module in plain.network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    plain.refresh()
    canvas = plain.preprocess(images[0])
    difference = plain.compute(canvas)[1] - fused.compute(canvas)[1]
    assert difference.abs().max() > 100 * SCORE_TOLERANCE


@pytest.mark.parametrize("name", ["yolov8n", "le-irstd"])
def test_it_keeps_the_contract(name):
    torch.manual_seed(0)
    check_detector(load_method(name, image_size=64))


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_detects(name):
    torch.manual_seed(0)
    detector = load_method(name, image_size=32, confidence=0)
    assert isinstance(detector, NetworkDetector)
    assert detector.info.trainable
    assert not detector.info.default
    assert repr(detector.network) == repr(build_network(name))
    found = detector.detect(scenes(2)[1])
    assert len(found) > 0
    assert np.isfinite(found.boxes).all()
    assert (found.boxes >= 0).all()
    assert (found.boxes <= (70, 40, 70, 40)).all()


def test_every_recipe_is_a_method_and_every_yolo_network_has_a_recipe():
    methods = {
        name
        for name, cls in catalogue("methods").classes.items()
        if issubclass(cls, YoloDetector) and cls.__module__.startswith("irbench.methods.deep.")
    }
    assert methods == set(RECIPES)
    default = {name for name in methods if catalogue("methods").classes[name].info.default}
    assert default == {"yolov8n", "le-irstd"}


def test_the_same_seed_is_the_same_untrained_network():
    answers = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        detector = load_method("le-irstd", weights=None, image_size=64)
        assert detector.weights_file is None
        answers.append(detector.detect(scenes(1)[0]))
        assert detector.detect(scenes(1)[0]) == answers[-1]
    assert len(answers[0]) > 0
    assert answers[0] == answers[1]
    assert answers[0] != answers[2]


@pytest.mark.parametrize("cells", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", ["yolov8n", "le-irstd"])
def test_training_begins_with_boxes_of_about_the_size_asked_for(name, cells):
    torch.manual_seed(0)
    detector = load_method(name, image_size=96)
    network = detector.network.eval()
    before = {key: tensor.shape for key, tensor in network.state_dict().items()}
    images = torch.rand(2, 3, 96, 96)

    def mean_distance():
        with torch.no_grad():
            boxes, _ = detector.decode(network, network(images))
        sides = (boxes[..., 2:] - boxes[..., :2]).mean(-1)
        strides = torch.cat([torch.full(((96 // s) ** 2,), s) for s in network.strides])
        return (sides / 2 / strides).mean().item()

    # Equal biases: the mean of the bins 0 to 15.
    assert mean_distance() == pytest.approx(7.5, rel=0.05)
    detector.begin(network, TrainingSettings(box_prior_cells=None))
    assert mean_distance() == pytest.approx(7.5, rel=0.05)
    detector.begin(network, TrainingSettings(box_prior_cells=cells))
    # A geometric distribution of this mean, cut at 16 bins, and what random weights add.
    q = cells / (1 + cells)
    cut = sum(k * q**k for k in range(16)) / sum(q**k for k in range(16))
    assert cut == pytest.approx(cells, rel=0.02)
    assert mean_distance() == pytest.approx(cut, rel=0.05)
    for branch in network.head.box_branches:
        branch[-1].weight.data.zero_()
    assert mean_distance() == pytest.approx(cut, rel=1e-5)
    assert {key: tensor.shape for key, tensor in network.state_dict().items()} == before


def test_beginning_changes_no_count():
    detector = load_method("le-irstd", image_size=64)
    before = sum(p.numel() for p in detector.network.parameters())
    detector.begin(detector.network, TrainingSettings(box_prior_cells=1.0))
    assert sum(p.numel() for p in detector.network.parameters()) == before == 2_578_175


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_listing_methods_does_not_load_torch():
    done = python(
        "import sys, irbench; from irbench.plugins.registry import catalogue; "
        "found = catalogue('methods'); assert 'le-irstd' in found.classes; "
        "assert not found.failures; assert 'torch' not in sys.modules"
    )
    assert done.returncode == 0, done.stderr


def test_without_torch_methods_are_listed_and_the_error_says_what_to_install():
    done = python(
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np, irbench\n"
        "from irbench.cli.main import main\n"
        "from irbench.errors import IrbenchError\n"
        "detector = irbench.load_method('yolov8n')\n"
        "image = np.zeros((4, 4), np.uint8)\n"
        "for use in (lambda: detector.network, lambda: detector.detect(image),\n"
        "            lambda: detector.detect_batch([image]), detector.cost):\n"
        "    try:\n"
        "        use()\n"
        "    except IrbenchError as error:\n"
        "        print(error.exit_code, error)\n"
        "main(['methods', 'list'])\n"
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:4] == ["2 yolov8n needs torch: pip install torch"] * 4
    assert any("le-irstd " in line for line in lines[4:])
    assert "not loaded" not in done.stderr
