"""The device that ``--device`` stands for."""

from __future__ import annotations

import os
import re

from irbench.errors import UsageError


def check_device(device: str) -> None:
    """Refuse what is no name of a device; without torch, so before anything else.

    Raises
    ------
    UsageError
    """
    if re.fullmatch(r"auto|cpu|cuda(:\d+)?", device) is None:
        raise UsageError(f"--device must be auto, cpu, cuda or cuda:N, got {device!r}.")


def resolve_device(device: str) -> str:
    """The device that ``--device`` stands for; loads torch.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "cuda:N"}
        ``auto`` is ``cuda`` where torch sees a GPU.

    Returns
    -------
    str

    Raises
    ------
    UsageError
        If it does not exist here.
    """
    check_device(device)
    if device == "cpu":
        return device
    import torch

    n_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda" if n_devices else "cpu"
    if not n_devices:
        raise UsageError(
            f"--device {device}: torch {torch.__version__} sees no CUDA device; use --device cpu."
        )
    number = int(device.partition(":")[2] or 0)
    if number >= n_devices:
        raise UsageError(
            f"--device {device}: there are {n_devices} CUDA devices, cuda:0 to "
            f"cuda:{n_devices - 1}."
        )
    return device


def gpu_slots(device: str) -> tuple[str | None, ...]:
    """The GPUs that ``device`` lets processes be spread over; loads torch.

    Parameters
    ----------
    device : {"cuda", "cuda:N"}

    Returns
    -------
    tuple of (str or None)
        For each process what it has to set ``CUDA_VISIBLE_DEVICES`` to; a single None, for as
        it is, where one GPU was named or there is only one.
    """
    if device != "cuda":
        return (None,)
    import torch

    n_devices = torch.cuda.device_count()
    if n_devices < 2:
        return (None,)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [str(number) for number in range(n_devices)] if visible is None else visible.split(",")
    return tuple(name.strip() for name in names[:n_devices])
