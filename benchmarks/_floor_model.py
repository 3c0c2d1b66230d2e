"""What a floor is: the least work that a method's equations ask of the libraries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Floor:
    """The floor of one method on one image, ready to run.

    Attributes
    ----------
    run : callable
        Does the work, on memory that was allocated before. Where the floor is a
        filter's, the result is its score map, except near the border.
    count, unit : int, str
        How often the method did on this image what its time is proportional to, such as
        45 ``"iterations"``. None and empty where that follows from the image's size.
    """

    run: Callable[[], Any]
    count: int | None = None
    unit: str = ""


@dataclass(frozen=True)
class Recipe:
    """How to make the floor of a method.

    Attributes
    ----------
    contents : str
        What the floor consists of, for the table.
    build : callable
        Takes the method and an ``(H, W)`` float64 image, and returns the :class:`Floor`.
    """

    contents: str
    build: Callable[[Any, FloatArray], Floor]
