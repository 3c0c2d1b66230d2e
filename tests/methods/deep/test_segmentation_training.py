"""Each segmentation network learns one image by its loss, until the benchmark finds its targets."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from irbench import Sample, evaluate, load_method  # noqa: E402
from irbench.ground_truth import GroundTruth  # noqa: E402
from irbench.methods.deep._mshnet import MSHNetwork  # noqa: E402
from irbench.networks.mask_losses import MaskTargets  # noqa: E402
from irbench.training.settings import TrainingSettings  # noqa: E402
from irbench.training.tasks import check_recipe  # noqa: E402

pytestmark = pytest.mark.slow

SIDE = 64

QUICK = ["acm-unet", "acm-fpn", "acm-basic", "alcnet-basic", "rdian", "mshnet"]
HEAVY = ["alcnet", "rpcanet", "dnanet", "uiunet", "agpcnet", "sctransnet", "l2sknet"]

NARROW = (16, 16, 32, 32, 32)
"""Widths of MSHNet, the only quick one whose step at full width takes a second."""

STEPS_BETWEEN = 20


def scene(side):
    rng = np.random.default_rng(0)
    image = rng.integers(40, 70, (side, side)).astype(np.uint8)
    mask = np.zeros(image.shape, bool)
    mask[20:26, 30:37] = mask[46:51, 10:15] = True
    image[mask] = 220
    return Sample("scene", image, mask)


def settled(network, images):
    """A copy whose running statistics are those of its weights as they are now."""
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    with torch.no_grad():
        network.train()(images)
    return network.eval()


def assert_learns(name, n_steps, rate, monkeypatch, n_starts=1, **masks):
    """The network finds both targets of one image, from one of `n_starts` random starts."""
    found = []
    for seed in range(n_starts):
        found.append(trained(name, n_steps, rate, monkeypatch, seed, masks))
        if found[-1]["map50"] == 1.0 and found[-1]["niou"] > 0.6:
            return
    reached = [f"AP@50 {result['map50']}, nIoU {result['niou']}" for result in found]
    pytest.fail(f"after {n_steps} steps from each start: {'; '.join(reached)}")


def trained(name, n_steps, rate, monkeypatch, seed, masks):
    """Metrics of the image at the step at which it was learnt, or else at the last one."""
    torch.manual_seed(seed)
    detector = load_method(name)
    if name == "mshnet":
        build = lambda self: MSHNetwork(self.in_channels, NARROW)  # noqa: E731
        monkeypatch.setattr(type(detector), "build", build)
    sample = scene(max(SIDE, detector.least))
    settings = TrainingSettings().changed({**detector.training_defaults, "crop": len(sample.mask)})
    settings = settings.changed({"masks": masks})
    check_recipe(detector, settings)
    image = detector.preprocess(sample.image).canvas
    mask = torch.from_numpy(sample.mask).float()[None, None]
    images, masks_ = (torch.cat((one, one.flip(3))) for one in (image, mask))
    network = detector.network.train()
    loss = detector.loss(network, settings)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], rate)
    for step in range(1, n_steps + 1):
        terms, weight = loss(network(images), MaskTargets(masks_, images, epoch=step))
        optimizer.zero_grad()
        (sum(terms.values()) / weight).backward()
        optimizer.step()
        if step % STEPS_BETWEEN == 0:
            monkeypatch.setitem(detector.__dict__, "_ready", settled(network, images))
            found = {"scene": detector.detect(sample.image)}
            result = evaluate(found, [GroundTruth.of(sample)], threshold=0.5)
            if result["map50"] == 1.0 and result["niou"] > 0.6:
                break
    return result


@pytest.mark.parametrize("name", QUICK)
def test_it_learns_one_image(name, monkeypatch):
    assert_learns(name, 200, 0.02, monkeypatch)


@pytest.mark.parametrize("masks", [{"loss": "sls"}, {"loss": "soft-iou"}], ids=str)
def test_it_learns_by_the_other_losses(masks, monkeypatch):
    # SLS falls to "nothing anywhere" from about one start in six; from which, rounding decides.
    assert_learns("acm-fpn", 300, 0.01, monkeypatch, n_starts=5, **masks)


@pytest.mark.stress
@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_one_learns_one_image(name, monkeypatch):
    # Half of RPCANet's convolutions are not normalised: published at 1e-4, it is lost at 0.005.
    assert_learns(name, 300, 0.001 if name == "rpcanet" else 0.005, monkeypatch)
