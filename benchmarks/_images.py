"""The images that are measured: generated ones, so that no data are needed."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

import irbench

_SIDE = 256


@cache
def benchmark_image(index: int, side: int) -> NDArray[np.uint8]:
    """An image of any size, made of images of ``synth256``, the training split.

    Parameters
    ----------
    index : int
        Which one, from 0.
    side : int
        Height and width in pixels. Up to 256, the upper left part of sample ``index``;
        beyond, a mosaic of as many samples as it takes, that one first.

    Returns
    -------
    (side, side) ndarray of uint8
        Not to be modified.
    """
    dataset = irbench.load_dataset("synth256", split="train")
    n_across = -(-side // _SIDE)
    rows = [
        np.hstack(
            [
                dataset[(index + row * n_across + column) % len(dataset)].image
                for column in range(n_across)
            ]
        )
        for row in range(n_across)
    ]
    mosaic = np.ascontiguousarray(np.vstack(rows)[:side, :side])
    mosaic.setflags(write=False)
    return mosaic
