"""The segmentation networks: counts of the literature, outputs of the published code."""

from __future__ import annotations

import json
import zlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from irbench import load_method  # noqa: E402
from irbench.images import to_unit_range  # noqa: E402
from irbench.networks.detector import NetworkDetector  # noqa: E402
from irbench.testing import check_detector  # noqa: E402

TOLERANCE = 1e-5

# Parameters, modules, GMAC at 256: see the oracle's README for the first column.
COUNTS = {
    "acm_torch_unet": ("acm-unet", {}, 519_843, 239, 0.442),
    "acm_torch_fpn": ("acm-fpn", {}, 387_187, 171, 0.276),
    "acm_basic": ("acm-basic", {}, 397_823, 163, 0.343),
    "rpcanet": ("rpcanet", {}, 679_896, 290, 44.166),
    "rdian": ("rdian", {}, 216_758, 112, 3.690),
    "mshnet3": ("mshnet", {}, 4_065_513, 301, 6.002),
    "mshnet1": ("mshnet", {"in_channels": 1}, 4_065_481, 301, None),
    "dnanet3": ("dnanet", {}, 4_696_888, 496, 13.930),
    "dnanet1": ("dnanet", {"in_channels": 1}, 4_696_568, 496, None),
}
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


@pytest.mark.parametrize("key", COUNTS)
def test_parameters_modules_and_macs_are_those_of_the_literature(key):
    name, params, parameters, modules, gmac = COUNTS[key]
    cost = load_method(name, **params).cost(256)
    assert (cost.parameters, cost.modules) == (parameters, modules)
    if gmac is not None:
        assert round(cost.macs / 1e9, 3) == gmac


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


@pytest.mark.parametrize("name", ["acm-unet", "acm-fpn", "acm-basic", "rdian"])
def test_it_keeps_the_contract(name):
    torch.manual_seed(0)
    detector = load_method(name)
    assert not isinstance(detector, NetworkDetector)
    check_detector(detector)


@pytest.mark.parametrize("name", ["rpcanet", "mshnet", "dnanet"])
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
