"""Devices by name, and several processes that train as one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from irbench.errors import UsageError  # noqa: E402
from irbench.training.processes import TrainingProcesses, choose_device  # noqa: E402

PLUGIN = Path(__file__).with_name("trainable_plugin.py")

SUMS = """
import torch
from irbench.training.processes import TrainingProcesses

processes = TrainingProcesses.join("cpu")
rank = processes.rank
# The first parameter has a gradient in both, the second in one, the third in none.
parameters = [torch.nn.Parameter(torch.zeros(2)) for _ in range(3)]
parameters[0].grad = torch.tensor([1.0, 2.0]) * (rank + 1)
if rank == 1:
    parameters[1].grad = torch.tensor([5.0, 7.0])
weight = torch.tensor(10.0 ** rank)
processes.add_up_gradients(parameters, weight)
assert parameters[0].grad.tolist() == [3, 6], parameters[0].grad
assert parameters[1].grad.tolist() == [5, 7], parameters[1].grad
assert parameters[2].grad is None
assert weight == 11
network = torch.nn.BatchNorm2d(1)
network.running_mean.fill_(rank)
network.num_batches_tracked.fill_(4)
network.weight.data.fill_(rank + 8)
processes.average_buffers(network)
assert network.running_mean == 0.5 and network.num_batches_tracked == 4
processes.copy_from_first(network)
assert network.weight == 8
assert processes.agree(rank == 0) is True and processes.agree(rank == 1) is False
assert [processes.part(8).start, processes.part(8).stop] == [4 * rank, 4 * rank + 4]
processes.leave()
print("fine")
"""


def torchrun(folder, *arguments):
    """What two processes on this machine print."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--standalone", "--local-addr", "127.0.0.1", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.mark.slow
def test_what_two_processes_tell_each_other(tmp_path):
    script = tmp_path / "sums.py"
    script.write_text(SUMS)
    assert torchrun(tmp_path, script).count("fine") == 2


@pytest.mark.slow
def test_two_processes_train_as_one(make_job, make_settings, standing, tmp_path):
    """Without normalisation, a batch in two processes is the batch in one."""
    settings = {"batch": 8, "epochs": 3, "momentum": 0.5}
    make_job("one", method="plain-net", **settings).execute()
    options = [f"--set={name}={value}" for name, value in settings.items()]
    torchrun(
        tmp_path, "-m", "irbench", "train", "plain-net", "--plugin", PLUGIN, "--dataset",
        "trap-scenes", "--out", "two", "--imgsz", 32, "--device", "cpu", "--threads", 1,
        "--precision", "float32", "--set", "warmup_epochs=1.0", *options,
    )  # fmt: skip
    (one, state), (two, state2) = standing(tmp_path / "one"), standing(tmp_path / "two")
    assert one.keys() == two.keys()
    for name in one:
        assert two[name].numpy() == pytest.approx(one[name].numpy(), rel=1e-3, abs=1e-5), name
    assert state2["step"] == state["step"]
    for row, row2 in zip(state["history"], state2["history"], strict=True):
        assert row2["cls"] == pytest.approx(row["cls"], rel=1e-4)


def test_one_process_is_alone():
    alone = TrainingProcesses(0, 1, torch.device("cpu"))
    value = torch.ones(2)
    alone.add_up(value)
    parameter = torch.nn.Parameter(torch.ones(1))
    alone.add_up_gradients([parameter], value)
    assert value.tolist() == [1, 1]
    assert parameter.grad is None
    assert alone.first
    assert alone.agree(True)
    assert alone.part(5) == slice(0, 5)


def test_devices_by_name(monkeypatch):
    assert choose_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(UsageError, match="sees no CUDA device"):
        choose_device("cuda")
    for name in ("tpu", "mps", ""):
        with pytest.raises(UsageError, match="must be auto, cpu, cuda or cuda:N"):
            choose_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("auto", 1) == torch.device("cuda", 1)
    assert choose_device("cuda:0", 1) == torch.device("cuda", 0)
    with pytest.raises(UsageError, match="there are 2 CUDA devices"):
        choose_device("cuda:2")
