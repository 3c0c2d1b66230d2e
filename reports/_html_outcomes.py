"""What each method made of each image: hits, false alarms and misses, for the gallery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._html_scoring import ScoredGroup, ScoredMethod
from ._html_style import MethodStyle

MOST_FALSE_ALARMS = 25
"""Of one method on one image are drawn; all are counted."""


def gallery_images(scored: ScoredGroup, styles: Mapping[str, MethodStyle]) -> list[dict[str, Any]]:
    """Every image with what each method found on it.

    Parameters
    ----------
    scored : ScoredGroup
    styles : mapping of str to MethodStyle
        Of the page; methods are named by their position in it.

    Returns
    -------
    list of dict
        In order of disagreement, most first. ``id``, ``w``, ``h``, ``t`` (boxes of the
        targets), ``d`` (disagreement) and ``m``, by method: ``h`` (target and box of each
        hit), ``f`` (boxes of the best-scored false alarms) and ``n`` (number of them all).
    """
    positions = {method: place for place, method in enumerate(styles)}
    kept = {
        positions[method]: _outcomes(one, one.threshold, len(scored.truths))
        for method, one in scored.methods.items()
        if one.threshold is not None
    }
    images = []
    for place, truth in enumerate(scored.truths):
        outcomes = {str(method): of_images[place] for method, of_images in kept.items()}
        height, width = truth.shape
        images.append(
            {
                "id": truth.id,
                "w": width,
                "h": height,
                "t": [_rounded(box) for box in truth.boxes],
                "m": outcomes,
                "d": round(disagreement(list(outcomes.values()), len(truth.boxes)), 4),
            }
        )
    return sorted(images, key=lambda image: -image["d"])


def disagreement(outcomes: Sequence[Mapping[str, Any]], n_targets: int) -> float:
    """How far methods disagree about an image.

    For each target, and for whether there is any false alarm, ``4 p (1 - p)`` of the share
    ``p`` of methods: 1 where half of them say so, 0 where all agree.

    Parameters
    ----------
    outcomes : sequence of mapping
        As in :func:`gallery_images`.
    n_targets : int

    Examples
    --------
    >>> hit, miss = {"h": [[0, 1, 1, 4, 4]], "n": 0}, {"h": [], "n": 0}
    >>> disagreement([hit, miss], 1), disagreement([hit, hit], 1)
    (1.0, 0.0)
    """
    if not outcomes:
        return 0.0
    shares = [
        sum(any(hit[0] == target for hit in one["h"]) for one in outcomes) / len(outcomes)
        for target in range(n_targets)
    ]
    shares.append(sum(one["n"] > 0 for one in outcomes) / len(outcomes))
    return float(sum(4 * share * (1 - share) for share in shares))


def _outcomes(one: ScoredMethod, threshold: float, n_images: int) -> list[dict[str, Any]]:
    outcomes: list[dict[str, Any]] = [{"h": [], "f": [], "n": 0} for _ in range(n_images)]
    table = one.table
    # The rows of an image stand best score first.
    for row in np.flatnonzero(table.scores >= threshold):
        image = int(table.image_index[row])
        box = _rounded(one.images[image].boxes[table.detection_index[row]])
        target = int(table.target_index[row, one.column])
        mine = outcomes[image]
        if target >= 0:
            mine["h"].append([target, *box])
            continue
        mine["n"] += 1
        if len(mine["f"]) < MOST_FALSE_ALARMS:
            mine["f"].append(box)
    return outcomes


def _rounded(box: Any) -> list[float]:
    return [int(side) if side == int(side) else round(side, 1) for side in map(float, box)]
