"""Recall by what targets are like, from what was found anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.ground_truth import GroundTruth
from irbench.metrics.breakdown import AREA_BINS, SCR_BINS, Bin

from ._html_scoring import ScoredGroup
from ._html_style import MethodStyle


@dataclass(frozen=True)
class Breakdown:
    """Recall of each method by bins of the targets.

    Attributes
    ----------
    title : str
    bins : tuple of (str, int)
        Label, and number of targets in it.
    rows : tuple of (MethodStyle, tuple of (float or None))
        Recall of each bin in [0, 1]; None for a bin without targets.
    """

    title: str
    bins: tuple[tuple[str, int], ...]
    rows: tuple[tuple[MethodStyle, tuple[float | None, ...]], ...]


def breakdowns(
    scored: ScoredGroup,
    scr: NDArray[np.float64] | None,
    styles: Mapping[str, MethodStyle],
) -> list[Breakdown]:
    """Recall by the area of the target, and by its signal-to-clutter ratio where known.

    Parameters
    ----------
    scored : ScoredGroup
    scr : (n_targets,) ndarray of float64, or None
    styles : mapping of str to MethodStyle

    Returns
    -------
    list of Breakdown
    """
    found = {
        styles[method]: one.output.found["overlap"]
        for method, one in scored.methods.items()
        if "overlap" in one.output.found
    }
    areas = np.concatenate([np.zeros(0), *(_areas(truth) for truth in scored.truths)])
    if not found or not len(areas):
        return []
    tables = [_breakdown("Recall by area of the target, in px", found, areas, AREA_BINS)]
    if scr is not None:
        title = "Recall by signal-to-clutter ratio of the target"
        tables.append(_breakdown(title, found, scr, SCR_BINS))
    return tables


def _breakdown(
    title: str,
    found: Mapping[MethodStyle, NDArray[np.bool_]],
    values: NDArray[np.float64],
    bins: Sequence[Bin],
) -> Breakdown:
    parts = [(one.label, one.holds(values)) for one in bins]
    if np.isnan(values).any():
        parts.append(("undefined", np.isnan(values)))
    return Breakdown(
        title,
        tuple((label, int(inside.sum())) for label, inside in parts),
        tuple(
            (
                style,
                tuple(float(hit[inside].mean()) if inside.any() else None for _, inside in parts),
            )
            for style, hit in found.items()
        ),
    )


def _areas(truth: GroundTruth) -> NDArray[np.float64]:
    if truth.targets is not None:
        return truth.targets.areas.astype(np.float64)
    sides = truth.boxes[:, 2:].astype(np.float64) - truth.boxes[:, :2]
    return np.asarray(sides[:, 0] * sides[:, 1])
