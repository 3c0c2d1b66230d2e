"""A method against its floor."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from _aims import aim_of
from _floors import FLOORS
from _images import benchmark_image
from _timing import Quartiles, in_turn, on_copies

SIDE, N_IMAGES = 256, 5
"""Height and width of the images, and how many there are, where nothing else is asked for."""

_ROUNDS_PER_IMAGE = 20
_SECONDS_PER_IMAGE = 0.3


@dataclass(frozen=True)
class Comparison:
    """A method and its floor on images of one size.

    Attributes
    ----------
    ms : Quartiles
    floor_ms, ratio : Quartiles or None
        None without a floor. The ratio is that of runs next to each other.
    n_runs : int
    work : str
        What the time is proportional to, such as "45 iterations" (a median); or empty.
    floor : str
        What it consists of, or why there is none.
    aim : str
    met : bool or None
    """

    ms: Quartiles
    floor_ms: Quartiles | None
    ratio: Quartiles | None
    n_runs: int
    work: str
    floor: str
    aim: str
    met: bool | None


@dataclass(frozen=True)
class Sampling:
    """On what a method and its floor are run, and how often.

    Attributes
    ----------
    n_runs : int
        At least so many; quick methods run more often.
    n_images : int
    side : int
        Height and width of the images, in pixels.
    clock : callable
        Seconds by it.
    """

    n_runs: int
    n_images: int = N_IMAGES
    side: int = SIDE
    clock: Callable[[], float] = time.perf_counter


def compare_with_floor(method: Any, sampling: Sampling) -> Comparison:
    """Measure a method and its floor in turn, over several images.

    Parameters
    ----------
    method : ScoreMapDetector
    sampling : Sampling
    """
    recipe = FLOORS.get(method.info.name)
    contents = recipe.contents if recipe else "none is defined"
    n_least = -(-sampling.n_runs // sampling.n_images)
    pairs: list[tuple[float, float]] = []
    counts: list[int] = []
    unit = ""

    def n_rounds(seconds: float) -> int:
        return max(n_least, min(_ROUNDS_PER_IMAGE, int(_SECONDS_PER_IMAGE / seconds)))

    for index in range(sampling.n_images):
        image = method.preprocess(benchmark_image(index, sampling.side))
        floor = None
        if recipe:
            try:
                floor = recipe.build(method, image.copy())
            # A floor looks into its method; where that has changed, the rest goes on.
            except Exception as error:
                recipe, contents = None, f"none: {type(error).__name__}: {error}"
        run = on_copies(method.compute, image, 1 + max(n_least, _ROUNDS_PER_IMAGE))
        pairs += in_turn(run, floor.run if floor else _nothing, n_rounds, sampling.clock)
        if floor and floor.count is not None:
            counts.append(floor.count)
            unit = floor.unit

    ms = Quartiles.of([1e3 * own for own, _ in pairs])
    floor_ms = Quartiles.of([1e3 * floor for _, floor in pairs]) if recipe else None
    ratio = Quartiles.of([own / floor for own, floor in pairs]) if recipe else None
    aim = aim_of(method)
    return Comparison(
        ms=ms,
        floor_ms=floor_ms,
        ratio=ratio,
        n_runs=len(pairs),
        work=f"{median(counts):.0f} {unit}" if counts else "",
        floor=contents,
        aim=str(aim) if aim else "",
        met=aim.met(ms.median, ratio.median if ratio else None) if aim else None,
    )


def _nothing() -> None:
    """What runs in place of a floor that there is not."""
