"""What a checkpoint keeps, and which files are none."""

from __future__ import annotations

import copy
import pickle

import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from irbench.training.checkpoint import (  # noqa: E402
    CheckpointError,
    TrainingState,
    TrainingTensors,
    load_checkpoint,
    read_header,
    save_checkpoint,
)
from irbench.training.optimizer import make_optimizer  # noqa: E402

KEY = {"method": "net", "settings": {"epochs": 3, "lr": 0.1}, "weights": None}
STATE = TrainingState(2, 17, 1.5, 1, 0.1 + 0.2, [{"epoch": 1, "cls": 1 / 3, "val_ap50": None}])


@pytest.fixture
def make_tensors(make_settings):
    def make(seed, width=3):
        torch.manual_seed(seed)
        networks = [
            torch.nn.Sequential(torch.nn.Conv2d(1, width, 3), torch.nn.BatchNorm2d(width))
            for _ in range(3)
        ]
        networks[0].to(memory_format=torch.channels_last)
        # Never used, so that the optimiser knows nothing of it.
        networks[0].register_parameter("idle", torch.nn.Parameter(torch.randn(2)))
        networks[1].register_parameter("idle", torch.nn.Parameter(torch.randn(2)))
        networks[2].register_parameter("idle", torch.nn.Parameter(torch.randn(2)))
        tensors = TrainingTensors(*networks, make_optimizer(networks[0], make_settings()))
        step(tensors)
        return tensors

    return make


def step(tensors):
    x = torch.arange(50.0).view(2, 1, 5, 5)
    tensors.network(x).square().mean().backward()
    tensors.optimizer.step()
    tensors.optimizer.zero_grad()


def contents(tensors):
    found = {name: t.clone() for name, t in tensors.by_name().items()}
    for number, state in enumerate(tensors.optimizer.state.values()):
        found.update({f"{number}.{name}": t.clone() for name, t in state.items()})
    return found


def same(one, other):
    return one.keys() == other.keys() and all(one[name].equal(other[name]) for name in one)


def test_everything_comes_back_and_goes_on_alike(make_tensors, tmp_path):
    path = tmp_path / "folder" / "last.safetensors"
    saved, other = make_tensors(1), make_tensors(2)
    save_checkpoint(path, KEY, STATE, saved)
    assert not same(contents(saved), contents(other))
    state = load_checkpoint(path, copy.deepcopy(KEY), other)
    assert state == STATE  # Floats to the bit, through JSON.
    assert same(contents(saved), contents(other))
    for tensors in (saved, other):
        step(tensors)
    assert same(contents(saved), contents(other))


def test_it_holds_nothing_but_tensors_and_json(make_tensors, tmp_path):
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, KEY, STATE, make_tensors(1))
    with safe_open(path, "pt") as file:
        assert list(file.metadata()) == ["irbench"]
        parts = {name.split(".")[0] for name in file.keys()}  # noqa: SIM118
    assert parts == {"network", "average", "best", "optimizer"}


def damage(path, how):
    content = path.read_bytes()
    if how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "pickle":
        path.write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    elif how == "other":
        save_file({"x": torch.zeros(2)}, path)
    elif how == "json":
        save_file({"x": torch.zeros(2)}, path, metadata={"irbench": "[1]"})
    elif how == "schema":
        save_file({"x": torch.zeros(2)}, path, metadata={"irbench": '{"schema": 99}'})
    elif how == "missing":
        path.unlink()


@pytest.mark.parametrize(
    "how", ["truncated", "empty", "pickle", "other", "json", "schema", "missing"]
)
def test_a_damaged_one_is_refused_and_changes_nothing(make_tensors, tmp_path, how):
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, KEY, STATE, make_tensors(1))
    damage(path, how)
    tensors = make_tensors(2)
    before = contents(tensors)
    with pytest.raises(CheckpointError, match=r"last\.safetensors is .*another --out") as caught:
        load_checkpoint(path, KEY, tensors)
    assert caught.value.exit_code == 2
    assert same(before, contents(tensors))


def test_one_of_another_network_changes_nothing(make_tensors, tmp_path):
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, KEY, STATE, make_tensors(1))
    tensors = make_tensors(2, width=4)
    before = contents(tensors)
    with pytest.raises(CheckpointError, match="of another network"):
        load_checkpoint(path, KEY, tensors)
    assert same(before, contents(tensors))


def test_one_of_another_training_says_how_it_differs(make_tensors, tmp_path):
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, KEY, STATE, make_tensors(1))
    wanted = {"method": "net", "settings": {"epochs": 4, "lr": 0.1, "new": 1}, "weights": None}
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path, wanted, make_tensors(1))
    assert "settings.epochs: 3 there, 4 now; settings.new: None there, 1 now" in str(caught.value)


def test_a_failed_write_leaves_the_former(make_tensors, tmp_path, monkeypatch):
    import safetensors.torch
    from safetensors import SafetensorError

    path = tmp_path / "last.safetensors"
    save_checkpoint(path, KEY, STATE, make_tensors(1))
    before = path.read_bytes()

    def full(tensors, file, metadata):
        file.write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(OSError, match="No space left on device"):
        save_checkpoint(path, KEY, STATE, make_tensors(2))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert read_header(path) == (KEY, STATE)
