"""The number format that a network is trained in."""

from __future__ import annotations

import torch

from irbench.training.settings import Precision


def training_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """The format of the network's activations in training.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
    device : torch.device

    Returns
    -------
    torch.dtype
        For ``auto`` bfloat16 where the device multiplies it faster than float32. Its
        exponent is float32's, so that no loss has to be scaled.
    """
    if precision == "float32":
        return torch.float32
    if precision == "bfloat16":
        return torch.bfloat16
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        facts = torch.backends.cpu.get_cpu_capability()
        fast = _cpu_multiplies_bfloat16() and "AVX512" in facts
    return torch.bfloat16 if fast else torch.float32


def _cpu_multiplies_bfloat16() -> bool:
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, check, lambda: False)()) for check in checks)
