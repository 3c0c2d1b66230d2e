"""The segmentation networks: counts of the literature, outputs of the published code."""

from __future__ import annotations

import json
import zlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from irbench import load_method  # noqa: E402
from irbench.errors import UsageError  # noqa: E402
from irbench.images import to_unit_range  # noqa: E402
from irbench.methods.deep._local_contrast import _greatest_contrast, local_contrast  # noqa: E402
from irbench.networks.detector import NetworkDetector  # noqa: E402
from irbench.testing import check_detector  # noqa: E402

TOLERANCE = 1e-5

# Method, its parameters; parameters, modules, GMAC at 256 and at 640 of the network, None where
# the literature does not say. The keys are those of the oracle's files.
COUNTS = {
    "acm_torch_unet": ("acm-unet", {}, 519_843, 239, 0.442, 2.763),
    "acm_torch_fpn": ("acm-fpn", {}, 387_187, 171, 0.276, 1.728),
    "acm_basic": ("acm-basic", {}, 397_823, 163, 0.343, 2.146),
    "alcnet_basic": ("alcnet-basic", {}, 519_889, 194, 0.295, 1.844),
    "rpcanet": ("rpcanet", {}, 679_896, 290, 44.166, 276.038),
    "rdian": ("rdian", {}, 216_758, 112, 3.690, 23.066),
    "mshnet3": ("mshnet", {}, 4_065_513, 301, 6.002, 37.509),
    "mshnet1": ("mshnet", {"in_channels": 1}, 4_065_481, 301, None, None),
    "dnanet3": ("dnanet", {}, 4_696_888, 496, 13.930, 87.063),
    "dnanet1": ("dnanet", {"in_channels": 1}, 4_696_568, 496, None, None),
    "uiunet3": ("uiunet", {}, 50_541_461, 596, 54.298, 339.358),
    "uiunet1": ("uiunet", {"in_channels": 1}, 50_540_309, 596, None, None),
    "agpcnet": ("agpcnet", {}, 12_429_447, 167, 43.053, 269.168),
    "sctransnet": ("sctransnet", {}, 11_325_939, 518, 10.494, 65.586),
    "l2sk_unet": ("l2sknet", {}, 898_913, 233, 7.149, 44.683),
}
WITHOUT_ORACLE = {"alcnet": ("alcnet", {}, 372_573, None, 3.611, 22.566)}
PUBLIC = {
    "acm_unet": "acm-unet",
    "acm_fpn": "acm-fpn",
    "rdian": "rdian",
    "rpcanet_nudt": "rpcanet",
    "rpcanet_sirst": "rpcanet",
}


def outputs(network, images):
    with torch.no_grad():
        found = network.eval()(torch.from_numpy(images))
    return [one.numpy() for one in ([found] if isinstance(found, torch.Tensor) else found)]


def assert_close(ours, reference):
    assert ours.shape == reference.shape
    assert np.abs(ours - reference).max() / max(1, np.abs(reference).max()) < TOLERANCE


@pytest.mark.parametrize("key", [*COUNTS, *WITHOUT_ORACLE])
def test_parameters_modules_and_macs_are_those_of_the_literature(key):
    name, params, parameters, modules, *gmacs = (COUNTS | WITHOUT_ORACLE)[key]
    detector = load_method(name, **params)
    cost = detector.cost(256)
    for side, gmac in zip((256, 640), gmacs, strict=True):
        if gmac is not None:
            macs = cost.macs if side == 256 else detector.cost(side).macs
            assert macs / 1e9 == pytest.approx(gmac, abs=6e-4)
    assert cost.parameters == parameters
    assert cost.uncounted == ()
    if modules is not None:
        assert cost.modules == modules


@pytest.mark.parametrize("key", COUNTS)
def test_filled_weights_give_the_outputs_of_the_published_code(key, oracle_root):
    name, params, *_ = COUNTS[key]
    facts = json.loads((oracle_root / "filled" / f"{key}.json").read_text())
    reference = np.load(oracle_root / "filled" / f"{key}.npz")
    network = load_method(name, **params).network
    state = network.state_dict()
    assert {n: list(t.shape) for n, t in state.items()} == dict(facts["state_dict"])
    for tensor, shape in facts["state_dict"]:
        last = tensor.rpartition(".")[2]
        if last == "num_batches_tracked":
            continue
        if tensor in facts["not_filled"]:
            np.testing.assert_array_equal(state[tensor].numpy(), reference[f"fixed::{tensor}"])
            continue
        x = np.random.default_rng(zlib.crc32(tensor.encode())).standard_normal(shape)
        if last == "running_var":
            x = 1 + 0.1 * np.abs(x)
        elif last == "running_mean":
            x = 0.1 * x
        elif len(shape) <= 1:
            x = 0.1 * x + (last == "weight")
        else:
            x = x / np.sqrt(np.prod(shape[1:]))
        state[tensor].copy_(torch.from_numpy(np.asarray(x)))
    images = np.random.default_rng(0).random((1, facts["channels"], 96, 96)).astype(np.float32)
    for index, ours in enumerate(outputs(network, images)):
        assert_close(ours, reference[f"output{index}"])


@pytest.mark.parametrize("folder", PUBLIC)
def test_public_weights_give_the_outputs_of_the_published_code(folder, oracle_root):
    where = oracle_root / folder
    if (where / "weights.npz").is_file():
        with np.load(where / "weights.npz") as arrays:
            state = {name: torch.from_numpy(arrays[name]) for name in arrays}
    else:
        (path,) = (p for p in where.iterdir() if p.suffix in (".pth", ".pkl"))
        state = torch.load(path, weights_only=True, map_location="cpu")
    network = load_method(PUBLIC[folder]).network
    network.load_state_dict(state)
    with np.load(where / "outputs.npz") as arrays:
        name = next(n for n in arrays if n.endswith("_input")).removesuffix("_input")
        images = arrays[f"{name}_input"]
        images = images.reshape(-1, *images.shape[-3:]) if images.ndim >= 3 else images[None, None]
        found = outputs(network, images)
        for index, ours in enumerate(found):
            key = f"{name}_output{index}" if f"{name}_output{index}" in arrays else f"{name}_output"
            assert_close(ours.reshape(arrays[key].shape), arrays[key])


@pytest.mark.parametrize("name", ["acm-unet", "acm-fpn", "acm-basic", "alcnet-basic", "rdian"])
def test_it_keeps_the_contract(name):
    torch.manual_seed(0)
    detector = load_method(name)
    assert not isinstance(detector, NetworkDetector)
    check_detector(detector)


@pytest.mark.parametrize("name", ["alcnet", "rpcanet", "mshnet", "dnanet", "l2sknet"])
def test_images_are_padded_and_the_map_is_cut_back(name):
    torch.manual_seed(0)
    detector = load_method(name)
    image = np.random.default_rng(0).integers(0, 256, (20, 33), dtype=np.uint8)
    found = detector.probability_map(image)
    assert found.shape == image.shape
    canvas, shape, native = detector.preprocess(image)
    assert shape == native == image.shape
    assert canvas.shape[2] % detector.multiple == canvas.shape[3] % detector.multiple == 0
    assert not canvas[..., 20:, :].any()
    assert not canvas[..., 33:].any()
    with torch.no_grad():
        network = detector.network.eval()
        whole = detector.decode(network, network(canvas))[0, 0].numpy()
    np.testing.assert_allclose(found, whole[:20, :33], atol=1e-6)


def test_the_published_squash_is_a_parameter_and_the_map_is_of_the_image():
    torch.manual_seed(0)
    detector = load_method("acm-unet", squash=64)
    image = np.random.default_rng(0).integers(0, 256, (40, 90), dtype=np.uint8)
    assert detector.preprocess(image).canvas.shape == (1, 3, 64, 64)
    assert detector.probability_map(image).shape == (40, 90)
    assert detector.input_size == 64


def test_the_input_is_scaled_as_published():
    image = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    grey = to_unit_range(image)
    rdian = load_method("rdian").preprocess(image).canvas.numpy()
    np.testing.assert_allclose(rdian[0, 0], (grey + 0.1246) / 1.0923, rtol=1e-5)
    acm = load_method("acm-unet").preprocess(image).canvas.numpy()
    np.testing.assert_allclose(acm[0, 2], (grey - 0.406) / 0.225, rtol=1e-4, atol=1e-5)
    basic = load_method("acm-basic").preprocess(image).canvas.numpy()
    np.testing.assert_allclose(basic[0, 0], (image - 107.80905) / 33.02275, rtol=1e-4, atol=1e-5)


def test_the_cost_of_a_side_that_the_network_does_not_take():
    with pytest.raises(UsageError, match=r"multiples of 32 and at least 96 pixels, got 64; 96"):
        load_method("agpcnet").cost(64)


def test_a_weighting_by_the_greatest_value_keeps_a_black_image_black():
    image = np.zeros((40, 40), np.uint8)
    black = load_method("uiunet").preprocess(image).canvas
    assert torch.allclose(black[..., :40, :40], torch.tensor(-0.485 / 0.229))
    image[3, 4] = 51
    lit = load_method("uiunet").preprocess(image).canvas
    assert torch.allclose(lit[0, :, 3, 4], torch.tensor((1 - 0.485) / 0.229))


@pytest.mark.parametrize("shape", [(9, 40), (8, 5)])
def test_the_gradient_of_local_contrast_is_that_of_its_steps(shape):
    x = torch.randn(2, 3, *shape, dtype=torch.float64, requires_grad=True)
    outer = torch.randn(2, 3, *shape, dtype=torch.float64)
    (expected,) = torch.autograd.grad(_greatest_contrast(x, (3, 7)), x, outer)
    (found,) = torch.autograd.grad(local_contrast(x, (3, 7)), x, outer)
    torch.testing.assert_close(found, expected)
    half = x.detach().bfloat16().contiguous(memory_format=torch.channels_last).requires_grad_()
    (rough,) = torch.autograd.grad(local_contrast(half, (3, 7)), half, outer.bfloat16())
    assert rough.dtype == torch.bfloat16
    assert torch.equal(local_contrast(x, (3, 7)), _greatest_contrast(x, (3, 7)))


@pytest.mark.parametrize(("shape", "shift"), [((40, 33), 13), ((8, 5), 17), ((13, 26), 13)])
def test_local_contrast_neighbour_by_neighbour(shape, shift):
    x = torch.randn(2, 3, *shape, dtype=torch.float64)
    found = local_contrast(x, [shift])
    several = local_contrast(x, [shift, 3])
    assert torch.equal(several, torch.maximum(found, local_contrast(x, [3])))
    height, width = shape
    for i, j in np.ndindex(shape):
        products = []
        for dy, dx in ((1, 1), (1, 0), (1, -1), (0, 1)):
            two = [
                x[:, :, (i + sign * dy * shift) % height, (j + sign * dx * shift) % width]
                for sign in (1, -1)
            ]
            products.append((two[0] - x[:, :, i, j]) * (two[1] - x[:, :, i, j]))
        assert torch.equal(found[:, :, i, j], torch.stack(products).amin(0))
