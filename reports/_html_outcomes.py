"""The outcomes of every image as the script of the page reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from irbench.figures.outcomes import ImageOutcome, disagreement, method_outcomes
from irbench.pictures.styles import MethodStyle
from irbench.statistics.scored_group import ScoredGroup

MOST_FALSE_ALARMS = 25
"""Of one method on one image are drawn; all are counted."""


def gallery_images(
    scored: ScoredGroup,
    styles: Mapping[str, MethodStyle],
    most_false_alarms: int | None = MOST_FALSE_ALARMS,
) -> list[dict[str, Any]]:
    """Every image with what each method found on it.

    Parameters
    ----------
    scored : ScoredGroup
    styles : mapping of str to MethodStyle
        Of the page; methods are named by their position in it.
    most_false_alarms : int or None
        That are drawn, of one method on one image; None for all.

    Returns
    -------
    list of dict
        In order of disagreement, most first. ``id``, ``w``, ``h``, ``t`` (boxes of the
        targets), ``d`` (disagreement) and ``m``, by method: ``h`` (target and box of each
        hit), ``f`` (boxes of the best-scored false alarms) and ``n`` (number of them all).
    """
    positions = {method: position for position, method in enumerate(styles)}
    kept = {
        positions[method]: outcomes
        for method, one in scored.methods.items()
        if (outcomes := method_outcomes(one, scored)) is not None
    }
    images = []
    for position, truth in enumerate(scored.truths):
        here = {str(method): of_images[position] for method, of_images in kept.items()}
        height, width = truth.shape
        images.append(
            {
                "id": truth.id,
                "w": width,
                "h": height,
                "t": [_rounded(box) for box in truth.boxes],
                "m": {name: _drawn(one, most_false_alarms) for name, one in here.items()},
                "d": round(disagreement(list(here.values())), 4),
            }
        )
    return sorted(images, key=lambda image: -image["d"])


def _drawn(outcome: ImageOutcome, most_false_alarms: int | None) -> dict[str, Any]:
    return {
        "h": [[target, *_rounded(box)] for target, box in outcome.hits.items()],
        "f": [_rounded(box) for box in outcome.false_alarms[:most_false_alarms]],
        "n": len(outcome.false_alarms),
    }


def _rounded(box: Any) -> list[float]:
    return [int(side) if side == int(side) else round(side, 1) for side in map(float, box)]
