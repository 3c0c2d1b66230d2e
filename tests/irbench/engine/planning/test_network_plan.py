from __future__ import annotations

import dataclasses
import importlib.util
import json

import pytest

from irbench.engine.planning.choices import default_methods, unweighted_methods
from irbench.engine.planning.plan import plan_methods
from irbench.errors import UnknownNameError, UsageError, WeightsError
from irbench.networks.devices import resolve_device
from irbench.plugins.registry import load_dataset, method_class
from irbench.protocol import get_protocol

torch = pytest.importorskip("torch")


@pytest.fixture
def planned(tiny_plugin):
    """Plans the tiny network for a dataset."""

    def plan(dataset="tiny-scenes", device="cpu", scheme=None, **params):
        data = load_dataset(dataset, scheme=scheme)
        texts = {"tiny-net": params} if params else {}
        return plan_methods(["tiny-net"], texts, dataset=data, device=device)[0]

    return plan


def facts(method):
    return method.facts(get_protocol("table1"))


def test_the_weights_of_the_dataset_are_chosen(save_tiny, planned):
    saved = save_tiny()
    method = planned()
    assert method.network.weights.path == saved.path
    assert method.network.obstacle is None
    assert method.params["weights"] == "tiny-net-tiny-scenes"
    assert dict(method.spec.params)["weights"] == str(saved.path)
    assert method.spec.weights_sha256 == saved.card.sha256


def test_the_key_holds_the_hash_and_no_place(save_tiny, planned, tmp_path):
    saved = save_tiny()
    found = facts(planned())
    assert found["weights_sha256"] == saved.card.sha256
    assert str(tmp_path) not in json.dumps(found)
    assert facts(planned(weights="tiny-scenes")) == found
    assert facts(planned(weights=str(saved.path))) == found
    save_tiny(seed=1)
    assert facts(planned()) != found


def test_methods_without_a_network_keep_their_key(tiny_plugin):
    (method,) = plan_methods(["tophat"], dataset=load_dataset("synth"))
    assert set(facts(method)) == {"params", "code", "conversion"}
    assert method.network is None


def test_without_weights_the_row_is_skipped_with_the_command(planned, save_tiny):
    method = planned()
    assert method.network.obstacle.state == "skipped"
    assert "irbench train tiny-net --dataset tiny-scenes" in method.network.obstacle.reason
    save_tiny("tiny-net-elsewhere", dataset="elsewhere")
    assert "--param tiny-net.weights=elsewhere" in planned().network.obstacle.reason


def test_untrained_on_purpose(planned, save_tiny):
    save_tiny()
    method = planned(weights="none")
    assert method.network.weights is None
    assert method.network.obstacle is None
    assert facts(method)["weights_sha256"] is None


def test_damaged_weights_of_the_dataset_fail_alone(planned, save_tiny):
    saved = save_tiny()
    saved.path.with_suffix(".json").write_text("{")
    obstacle = planned().network.obstacle
    assert obstacle.state == "failed"
    assert "cannot be read" in obstacle.reason


def test_weights_asked_for_must_exist(planned):
    with pytest.raises(UnknownNameError):
        planned(weights="nothing")
    with pytest.raises(WeightsError, match="there are no weights"):
        planned(weights="./nothing.safetensors")


@pytest.mark.parametrize("missing", [{"torch"}, {"torch", "safetensors"}])
def test_without_torch_the_row_is_skipped_with_the_remedy(planned, save_tiny, monkeypatch, missing):
    save_tiny()
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name in missing else find(name, *a)
    )
    obstacle = planned(device="cuda").network.obstacle
    assert obstacle.state == "skipped"
    assert all(name in obstacle.reason.partition("pip install")[2] for name in missing)


def test_the_threshold_of_the_card(planned, save_tiny):
    save_tiny()
    calibration = planned().network.calibration
    assert (calibration.threshold, calibration.extent) == (0.4, None)
    assert calibration.source == "card of tiny-net-tiny-scenes"
    save_tiny(metrics={"val": {}, "test": None})
    assert planned().network.calibration is None


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cpu:0", ""])
def test_no_name_of_a_device(planned, device):
    with pytest.raises(UsageError, match="--device must be auto, cpu, cuda or cuda:N"):
        planned(device=device)
    with pytest.raises(UsageError, match="--device must be"):
        plan_methods(["tophat"], device=device)


@pytest.mark.parametrize(
    ("n_devices", "device", "resolved"),
    [(0, "auto", "cpu"), (2, "auto", "cuda"), (2, "cuda:1", "cuda:1"), (1, "cpu", "cpu")],
)
def test_devices(monkeypatch, n_devices, device, resolved):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_devices > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_devices)
    assert resolve_device(device) == resolved


@pytest.mark.parametrize(
    ("n_devices", "device", "match"),
    [(0, "cuda", "sees no CUDA device"), (2, "cuda:2", "cuda:0 to cuda:1")],
)
def test_devices_that_are_not_there(monkeypatch, n_devices, device, match):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_devices > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_devices)
    with pytest.raises(UsageError, match=match):
        resolve_device(device)


def test_the_number_of_a_gpu_is_not_in_the_key(planned, save_tiny, monkeypatch):
    save_tiny()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert facts(planned(device="cuda:1")) == facts(planned(device="cuda"))
    assert facts(planned(device="cuda")) != facts(planned(device="cpu"))
    assert planned(device="cuda:1").spec.device == "cuda:1"


def test_all_includes_a_network_where_it_has_weights_and_names_it_where_not(
    tiny_plugin, save_tiny, monkeypatch
):
    cls = method_class("tiny-net")
    info = dataclasses.replace(cls.info, default=False, with_weights=True)
    monkeypatch.setattr(cls, "info", info)
    data = load_dataset("tiny-scenes")

    def found(group):
        return [one.info.name for one in default_methods(group, None, data)]

    assert "tiny-net" not in found("all")
    assert "tiny-net" in unweighted_methods(["all"], None, data)
    assert "tiny-net" not in unweighted_methods(["classical"], None, data)
    assert "tiny-net" not in unweighted_methods(["all", "tiny-net"], None, data)
    save_tiny()
    assert "tiny-net" in found("all")
    assert "tiny-net" in found("deep")
    assert "tiny-net" not in found("classical")
    assert "tiny-net" not in unweighted_methods(["all"], None, data)
    # Not for other data.
    assert "tiny-net" not in [
        c.info.name for c in default_methods("all", None, load_dataset("synth"))
    ]
