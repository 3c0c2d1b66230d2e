"""Recall by what targets are like, from what was found anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.breakdown import AREA_BINS, SCR_BINS, UNDEFINED_RATIO, Bin
from irbench.statistics.scored_group import ScoredGroup


@dataclass(frozen=True, eq=False)
class RecallByBin:
    """Recall of each method by bins of the targets.

    Attributes
    ----------
    by : {"area", "scr"}
    title : str
    bins : tuple of (str, int)
        Label, and number of targets in it.
    methods : dict of str to tuple of (float or None)
        Recall of each bin in [0, 1]; None for a bin without targets.
    """

    by: str
    title: str
    bins: tuple[tuple[str, int], ...]
    methods: dict[str, tuple[float | None, ...]]


def recall_by_bins(scored: ScoredGroup, scr: NDArray[np.float64] | None) -> list[RecallByBin]:
    """Recall by the area of the target, and by its signal-to-clutter ratio where known.

    Parameters
    ----------
    scored : ScoredGroup
    scr : (n_targets,) ndarray of float64, or None
        NaN where undefined.

    Returns
    -------
    list of RecallByBin
        Empty without targets, and without any method that has a threshold.
    """
    found = {
        method: one.output.found["overlap"]
        for method, one in scored.methods.items()
        if "overlap" in one.output.found
    }
    areas = np.concatenate([np.zeros(0), *(truth.areas for truth in scored.truths)])
    if not found or not len(areas):
        return []
    tables = [_by("area", "Recall by area of the target, in px", found, areas, AREA_BINS)]
    if scr is not None:
        title = "Recall by signal-to-clutter ratio of the target"
        tables.append(_by("scr", title, found, scr, SCR_BINS))
    return tables


def _by(
    by: str,
    title: str,
    found: Mapping[str, NDArray[np.bool_]],
    values: NDArray[np.float64],
    bins: Sequence[Bin],
) -> RecallByBin:
    parts = [(one.label, one.holds(values)) for one in bins]
    if np.isnan(values).any():
        parts.append((UNDEFINED_RATIO, np.isnan(values)))
    return RecallByBin(
        by,
        title,
        tuple((label, int(inside.sum())) for label, inside in parts),
        {
            method: tuple(
                float(hit[inside].mean()) if inside.any() else None for _, inside in parts
            )
            for method, hit in found.items()
        },
    )
