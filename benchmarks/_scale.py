"""Time over the size of the image, and memory on a large one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from _aims import MEMORY_BOUND_BYTES
from _images import benchmark_image
from _peak_memory import measure_peak
from _timing import exponent, on_copies, predicted, repeated

MEMORY_SIDE = 1024
"""Height and width of the image that the memory is measured on."""

_N_REPEATS = 5
_SECONDS_PER_SIZE = 1.5

_CUT_SHORT: dict[str, dict[str, Any]] = {
    # mu is at its floor by the second iteration, so that ranks are as high as in a full run.
    # At 512x512 this takes 7 % less memory than one.
    "ipi": {"mu_decay": 0.01, "max_rank_share": 1.0, "max_iterations": 4},
}
"""Parameters under which a method that is too slow to finish still shows its memory."""


@dataclass(frozen=True)
class Scaling:
    """Time over the size of the image, and memory at 1024x1024 pixels.

    Attributes
    ----------
    ms : dict of int to float or None
        Median by side; None where it was skipped.
    exponent : float or None
        In the number of pixels.
    peak_bytes : int or None
    peak_note : str
        What is to be said of the memory, such as why there is none.
    fits : bool or None
        Whether the memory is within the bound.
    """

    ms: dict[int, float | None]
    exponent: float | None
    peak_bytes: int | None
    peak_note: str
    fits: bool | None


def scale(method: Any, sides: Sequence[int], budget_s: float, memory: bool) -> Scaling:
    """Measure a method on images of several sizes, and its memory on a large one.

    Parameters
    ----------
    method : ScoreMapDetector
    sides : sequence of int
        Heights and widths of the images, ascending.
    budget_s : float
        A size at which a run is expected to take longer than this is skipped.
    memory : bool
        Whether to measure the memory, too.
    """
    measured: dict[int, list[float]] = {}

    def expected(side: int) -> float:
        pixels = [known**2 for known in measured]
        return predicted(pixels, [median(times) for times in measured.values()], side**2)

    peak = _Peak(None, "")
    for side in sides:
        if expected(side) > budget_s:
            continue
        if memory and side == MEMORY_SIDE:
            peak, seconds = _peak_of(method, {})
            if seconds is not None and seconds >= _SECONDS_PER_SIZE:
                # Too long for a second run here; a process that starts costs little beside it.
                measured[side] = [seconds]
                continue
        image = method.preprocess(benchmark_image(0, side))
        run = on_copies(method.compute, image, 1 + _N_REPEATS)
        measured[side] = repeated(run, _N_REPEATS, _SECONDS_PER_SIZE)
    if memory and MEMORY_SIDE not in measured:
        peak = _peak_of_slow(method, expected(MEMORY_SIDE) > budget_s)
    return Scaling(
        ms={side: 1e3 * median(measured[side]) if side in measured else None for side in sides},
        exponent=exponent([s**2 for s in measured], [median(t) for t in measured.values()]),
        peak_bytes=peak.bytes,
        peak_note=peak.note,
        fits=None if peak.bytes is None else peak.bytes <= MEMORY_BOUND_BYTES,
    )


class _Peak(NamedTuple):
    bytes: int | None
    note: str


def _peak_of(method: Any, parameters: dict[str, Any]) -> tuple[_Peak, float | None]:
    """The memory in a fresh process, and the seconds it took."""
    try:
        peak = measure_peak(method.info.name, MEMORY_SIDE, parameters)
    except RuntimeError as error:
        return _Peak(None, f"failed: {error}"), None
    return _Peak(peak.bytes, "" if peak.bytes else "this system does not tell"), peak.seconds


def _peak_of_slow(method: Any, too_slow: bool) -> _Peak:
    """The memory at a size whose time is not measured."""
    parameters = _CUT_SHORT.get(method.info.name) if too_slow else {}
    if parameters is None:
        return _Peak(None, "skipped (> budget)")
    peak, _ = _peak_of(method, parameters)
    return peak._replace(note="cut short") if parameters and peak.bytes else peak
