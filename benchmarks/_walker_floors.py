"""Floors of the methods with a random walker at each candidate."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import cv2
import numpy as np
from _filter_floors import FILTER_FLOORS
from _floor_model import FloatArray, Floor, Recipe

from irbench.plugins.registry import load_method


def walker_solves(n_windows: int, size: int) -> Callable[[], Any]:
    """The solution of the random walker's systems on so many windows.

    Together they are one banded positive definite system; the time does not depend on
    its values.
    """
    from scipy.linalg import solveh_banded

    side = size - 2
    source = np.ones(n_windows * side**2)
    band = np.zeros((side + 1, source.size), order="F")
    band[0], band[1], band[side] = 4.01, -1.0, -1.0
    if n_windows == 0:
        return lambda: None
    return lambda: solveh_banded(band, source, lower=True, check_finite=False)


def _fkrw(method: Any, image: FloatArray) -> Floor:
    fkrw = import_module("irbench.methods.background.fkrw")
    smoothed = fkrw.smooth(image / 255.0)
    response = fkrw.facet_response(smoothed)
    threshold = fkrw.candidate_threshold(response, method.k)
    n_candidates = int(np.count_nonzero(response >= threshold))
    solve = walker_solves(n_candidates, method.patch)

    def run() -> None:
        cv2.filter2D(smoothed, cv2.CV_64F, fkrw.FACET_KERNEL, dst=response)
        solve()

    return Floor(run, n_candidates, "candidates")


def _gswlcm(method: Any, image: FloatArray) -> Floor:
    gswlcm = import_module("irbench.methods.hvs.gswlcm")
    contrast = gswlcm.local_contrast(image, method.background_floor)
    rows, _ = gswlcm.find_candidates(gswlcm.smooth(image), contrast, method.k, method.spacing)
    solve = walker_solves(rows.size, method.patch)
    rlcm = FILTER_FLOORS["rlcm"].build(load_method("rlcm"), image)

    def run() -> None:
        rlcm.run()
        solve()

    return Floor(run, rows.size, "candidates")


WALKER_FLOORS = {
    "fkrw": Recipe("facet filter; banded 9x9 lattice solves at the candidates", _fkrw),
    "gswlcm": Recipe("that of rlcm; banded 9x9 lattice solves at the candidates", _gswlcm),
}
"""By name of the method."""
