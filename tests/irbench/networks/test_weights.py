from __future__ import annotations

import hashlib
import json
import pickle
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from irbench.errors import WeightsError  # noqa: E402
from irbench.networks.weights import (  # noqa: E402
    WeightsFile,
    architecture_fingerprint,
    load_weights,
    save_weights,
)


@pytest.fixture
def network(tiny_net):
    torch.manual_seed(3)
    network = tiny_net().build()
    network[1].running_mean.normal_()
    network[1].num_batches_tracked.fill_(77)
    return network


@pytest.fixture
def fresh(tiny_net):
    """Another network of the same kind, to load into."""
    torch.manual_seed(4)
    return tiny_net().build()


@pytest.fixture
def saved(tmp_path, network, make_card):
    save_weights(tmp_path / "net.safetensors", network, make_card())
    return WeightsFile.open(tmp_path / "net.safetensors")


def stamp(file):
    """Make the card fit the file's content, and read it again."""
    card = json.loads(file.path.with_suffix(".json").read_text())
    card["sha256"] = hashlib.sha256(file.path.read_bytes()).hexdigest()
    file.path.with_suffix(".json").write_text(json.dumps(card))
    return WeightsFile.open(file.path)


def refused(network, file, match):
    before = {name: one.clone() for name, one in network.state_dict().items()}
    with pytest.raises(WeightsError, match=match) as raised:
        load_weights(network, file)
    assert raised.value.exit_code == 2
    after = network.state_dict()
    assert all(torch.equal(one, after[name]) for name, one in before.items())


def test_what_was_saved_is_loaded_rounded_to_half_precision(network, fresh, saved):
    load_weights(fresh, saved)
    loaded = fresh.state_dict()
    for name, one in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            assert loaded[name] == 0
        elif one.is_floating_point():
            assert loaded[name].dtype == torch.float32
            assert torch.equal(loaded[name], one.half().float())
        else:
            assert loaded[name].dtype == one.dtype
            assert torch.equal(loaded[name], one)


def test_full_precision_is_exact(tmp_path, network, fresh, make_card):
    path = tmp_path / "full.safetensors"
    save_weights(path, network, make_card(), "float32")
    load_weights(fresh, WeightsFile.open(tmp_path / "full.safetensors"))
    assert torch.equal(fresh[0].weight, network[0].weight)


def test_weights_go_into_the_types_of_the_network(fresh, saved):
    load_weights(fresh.double(), saved)
    assert fresh[0].weight.dtype == torch.float64


def test_tensors_in_any_layout_can_be_saved(tmp_path, network, fresh, make_card):
    network.to(memory_format=torch.channels_last)
    network[1].bias = network[1].weight
    save_weights(tmp_path / "net.safetensors", network, make_card())
    load_weights(fresh, WeightsFile.open(tmp_path))
    assert torch.equal(fresh[1].bias, network[1].weight.half().float())


def test_the_card_says_what_was_written(saved, network):
    assert saved.card.sha256 == hashlib.sha256(saved.path.read_bytes()).hexdigest()
    assert saved.card.architecture == architecture_fingerprint(network)
    assert saved.name == "net"


def test_saving_twice_gives_the_same_bytes(tmp_path, network, make_card, saved):
    save_weights(tmp_path / "again.safetensors", network, make_card())
    assert (tmp_path / "again.safetensors").read_bytes() == saved.path.read_bytes()


def test_the_fingerprint_is_of_names_and_shapes(network, fresh, tiny_net):
    assert architecture_fingerprint(network) == architecture_fingerprint(fresh)
    fresh[3] = torch.nn.Conv2d(4, 2, 1)
    assert architecture_fingerprint(network) != architecture_fingerprint(fresh)


def test_a_tensor_beyond_half_precision_stays_in_full(tmp_path, network, fresh, make_card):
    with torch.no_grad():
        network[3].bias.fill_(1e6 + 0.125)
    save_weights(tmp_path / "net.safetensors", network, make_card())
    load_weights(fresh, WeightsFile.open(tmp_path))
    assert torch.equal(fresh[3].bias, network[3].bias)
    assert torch.equal(fresh[1].weight, network[1].weight.half().float())


@pytest.mark.parametrize(
    ("value", "match"), [(1e300, "does not fit float32"), (float("nan"), "is not finite")]
)
def test_values_that_cannot_be_kept_are_not_written(tmp_path, network, make_card, value, match):
    network[3].double()
    with torch.no_grad():
        network[3].bias.fill_(value)
    with pytest.raises(WeightsError, match=f"3.bias {match}"):
        save_weights(tmp_path / "net.safetensors", network, make_card())
    assert list(tmp_path.glob("*.safetensors")) == []


def test_a_bad_card_is_not_written(tmp_path, network, make_card):
    with pytest.raises(WeightsError, match="epochs"):
        save_weights(tmp_path / "net.safetensors", network, make_card(epochs=-1))
    with pytest.raises(WeightsError, match=r"NAME\.safetensors, got net\.pt"):
        save_weights(tmp_path / "net.pt", network, make_card())
    assert [one for one in tmp_path.iterdir() if one.is_file()] == []


def test_another_network_is_named_by_what_differs(saved, tiny_plugin):
    from irbench.plugins.registry import load_method

    other = load_method("tiny-net-wide").build()
    refused(
        other,
        saved,
        r"another network: 0\.bias is \(4,\), not \(8,\), 0\.stride_px is in the file only, "
        r"0\.weight is \(4, 3, 3, 3\), not \(8, 3, 3, 3\) and 6 more.*for the method tiny-net\.",
    )


def test_a_number_of_another_kind_is_another_network(saved, fresh):
    fresh[0].stride_px = fresh[0].stride_px.float()
    refused(fresh, saved, r"0\.stride_px is torch\.int64, not torch\.float32")


def test_a_file_that_is_not_the_cards_is_refused(saved, fresh):
    content = bytearray(saved.path.read_bytes())
    content[-1] ^= 1
    saved.path.write_bytes(content)
    refused(fresh, saved, "not the file of its card: its sha256 begins with")


def test_nan_is_refused_even_if_the_card_fits(saved, fresh):
    content = bytearray(saved.path.read_bytes())
    length = struct.unpack("<Q", content[:8])[0]
    start = json.loads(content[8 : 8 + length])["3.weight"]["data_offsets"][0]
    content[8 + length + start : 8 + length + start + 2] = b"\x00\x7e"
    saved.path.write_bytes(content)
    refused(fresh, stamp(saved), r"3\.weight holds NaN or infinity")


def test_a_file_that_went_away(saved, fresh):
    saved.path.unlink()
    refused(fresh, saved, "cannot be read")


class Bomb:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        import pathlib

        return pathlib.Path.touch, (pathlib.Path(self.trace),)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5, "zip"])
def test_a_pickle_is_refused_and_never_executed(tmp_path, saved, fresh, protocol):
    trace = tmp_path / "executed"
    if protocol == "zip":
        torch.save({"model": Bomb(trace)}, saved.path)
    else:
        saved.path.write_bytes(pickle.dumps(Bomb(trace), protocol))
    refused(fresh, stamp(saved), "refused, never executed")
    saved.path.rename(saved.path.with_suffix(".pt"))
    with pytest.raises(WeightsError, match="refused, never executed"):
        WeightsFile.open(saved.path.with_suffix(".pt"))
    assert not trace.exists()


def test_a_header_whose_length_looks_like_a_pickle_is_fine(saved, fresh):
    content = saved.path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    padded = 0x0480  # Little-endian: 80 04, as a pickle of protocol 4 begins.
    assert length <= padded
    header = content[8 : 8 + length].ljust(padded)
    saved.path.write_bytes(struct.pack("<Q", padded) + header + content[8 + length :])
    load_weights(fresh, stamp(saved))


_FUZZ = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_FUZZ
@given(data=st.data())
def test_every_truncated_file_is_refused(saved, fresh, data):
    content = saved.path.read_bytes()
    length = data.draw(st.integers(0, len(content) - 1))
    saved.path.write_bytes(content[:length])
    try:
        refused(fresh, stamp(saved), "truncated, damaged or no safetensors file")
    finally:
        saved.path.write_bytes(content)


@_FUZZ
@given(data=st.data())
def test_a_damaged_header_is_refused_or_harmless(saved, fresh, data):
    """Whatever stands in the header, the answer is an error of ours or a network of its shape."""
    content = saved.path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, 7 + length))] = data.draw(st.integers(0, 255))
    saved.path.write_bytes(damaged)
    try:
        load_weights(fresh, stamp(saved))
    except WeightsError:
        pass
    finally:
        saved.path.write_bytes(content)
    assert fresh[0].weight.shape == (4, 3, 3, 3)


@_FUZZ
@given(content=st.binary(max_size=64))
def test_bytes_of_any_kind_are_refused(saved, fresh, content):
    before = saved.path.read_bytes()
    saved.path.write_bytes(content)
    try:
        refused(fresh, stamp(saved), "truncated, damaged|never executed")
    finally:
        saved.path.write_bytes(before)


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F16", "shape": [10**9, 10**9], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F16", "shape": [-1], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F16", "shape": [2], "data_offsets": [4, 0]}},
        {"a": {"dtype": "F4", "shape": [8], "data_offsets": [0, 4]}},
        {"a": {"dtype": "X", "shape": [2], "data_offsets": [0, 4]}},
        {"a": 3},
        [],
    ],
)
def test_hostile_headers_are_refused(saved, fresh, header):
    text = json.dumps(header).encode()
    saved.path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0\0\0\0")
    refused(fresh, stamp(saved), "truncated, damaged|another network")


def test_a_missing_or_damaged_card(saved):
    card = saved.path.with_suffix(".json")
    text = card.read_text()
    card.write_text(text[: len(text) // 2])
    with pytest.raises(WeightsError, match=r"net\.json cannot be read"):
        WeightsFile.open(saved.path)
    card.unlink()
    with pytest.raises(WeightsError, match=r"has no card: net\.json is missing"):
        WeightsFile.open(saved.path)


def test_a_fingerprint_that_does_not_fit(saved, fresh):
    card = saved.path.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), "architecture": "f" * 16}))
    refused(fresh, WeightsFile.open(saved.path), "fingerprint of the architecture")


def test_a_detector_loads_its_weights(saved, tiny_net, network):
    detector = tiny_net(weights=str(saved.path))
    assert detector.input_size == 64
    assert torch.equal(detector.network[0].weight, network[0].weight.half().float())
