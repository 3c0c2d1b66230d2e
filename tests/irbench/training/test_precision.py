"""The number format of the forward pass."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from irbench.training import step  # noqa: E402
from irbench.training.step import training_dtype  # noqa: E402

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("device", [CPU, GPU], ids=str)
def test_what_was_asked_for_is_taken(device):
    assert training_dtype("float32", device) == torch.float32
    assert training_dtype("bfloat16", device) == torch.bfloat16


@pytest.mark.parametrize("fast", [True, False])
def test_auto_asks_a_gpu(monkeypatch, fast):
    def supported(including_emulation=True):
        return fast or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    expected = torch.bfloat16 if fast else torch.float32
    assert training_dtype("auto", GPU) == expected


@pytest.mark.parametrize(
    ("multiplies", "capability", "expected"),
    [
        (True, "AVX512", torch.bfloat16),
        (False, "AVX512", torch.float32),
        (True, "AVX2", torch.float32),
    ],
)
def test_auto_asks_a_cpu(monkeypatch, multiplies, capability, expected):
    monkeypatch.setattr(step, "_cpu_multiplies_bfloat16", lambda: multiplies)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert training_dtype("auto", CPU) == expected
