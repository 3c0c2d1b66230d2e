"""Clocks of how long the parts of a computation take, on the CPU and on CUDA."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any


class Stopwatch:
    """Marks, and the time between neighbouring ones, on the clock of the host.

    For a device that works at the call.
    """

    def __init__(self) -> None:
        self._marks: list[Any] = []

    def mark(self) -> None:
        """Note the time now, without waiting for anything."""
        self._marks.append(time.perf_counter())

    def lap(self) -> list[float]:
        """Milliseconds between neighbouring marks; forgets them."""
        marks, self._marks = self._marks, []
        return [1e3 * (b - a) for a, b in pairwise(marks)]


class CudaStopwatch(Stopwatch):
    """Time on a CUDA device's own clock.

    The host runs ahead of the device. A mark is therefore an event in the stream, which the
    device notes when it gets there; waiting at every mark would slow down what is measured.
    Work of the host shows, too: the device idles over it, between two events.

    Parameters
    ----------
    device : str
        Such as ``"cuda:0"``.
    """

    def __init__(self, device: str) -> None:
        import torch

        super().__init__()
        self._device = torch.device(device)

    def mark(self) -> None:
        """Put an event into the device's current stream."""
        import torch

        if not self._marks:
            # Nothing of before is to be timed with what comes now.
            torch.cuda.synchronize(self._device)
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self._device))
        self._marks.append(event)

    def lap(self) -> list[float]:
        """Wait for the device; milliseconds between neighbouring marks; forgets them."""
        import torch

        torch.cuda.synchronize(self._device)
        marks, self._marks = self._marks, []
        return [float(a.elapsed_time(b)) for a, b in pairwise(marks)]


def stopwatch_for(device: str) -> Stopwatch:
    """The stopwatch that suits a device, such as ``"cpu"`` or ``"cuda:0"``."""
    return CudaStopwatch(device) if device.startswith("cuda") else Stopwatch()
