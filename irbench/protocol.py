"""Protocols: everything that decides what a number means."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from irbench.errors import UnknownNameError, UsageError

OperatingPointRule = Literal["val-f1", "fixed", "mean-kstd", "oracle"]
OPERATING_POINT_RULES = ("val-f1", "fixed", "mean-kstd", "oracle")

EXTENTS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.5, 0.7)
"""The extents that calibration chooses from, ``components/1``."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What a number means. Part of the key of every row.

    Parameters
    ----------
    name : str
    scheme : str
        Split scheme, for datasets that have it; others use their own.
    score_map_conversion : {"components/1", "basicirstd/1"}
        How a score map becomes detections.
    probability_conversion : {"segments/1"}
    score : {"standardised", "raw"}
        ``components/1`` scores: in standard deviations of the map, or its values.
    operating_point : {"val-f1", "fixed", "mean-kstd", "oracle"}
        How the score threshold for P, R, F1, Pd and Fa is found.
    fixed_threshold : float or None
        For ``"fixed"``.
    n_std : float
        For ``"mean-kstd"``: keep scores of at least so many standard deviations. It needs
        ``components/1`` with standardised scores, and says nothing of methods that
        return no score maps.
    iou_threshold : float
        IoU from which a box is a hit, for P, R and F1.
    distance_px : float
        Centroid distance under which a component is a hit, for Pd and Fa.
    ap_estimator : {"coco-101"}
    max_detections : int
        The best-scored so many count, per image.
    squash : int or None
        Side in pixels of the square that every image and its mask are scaled to before
        anything else, so that all is measured there; see :mod:`irbench.images.squashing`.

    Raises
    ------
    UsageError, UnknownNameError
        If two of them contradict each other, or the rule is unknown.
    """

    name: str = "table1"
    scheme: str = "60-20-20"
    score_map_conversion: str = "components/1"
    probability_conversion: str = "segments/1"
    score: Literal["standardised", "raw"] = "standardised"
    operating_point: OperatingPointRule = "val-f1"
    fixed_threshold: float | None = None
    n_std: float = 5.0
    iou_threshold: float = 0.5
    distance_px: float = 3.0
    ap_estimator: str = "coco-101"
    max_detections: int = 300
    squash: int | None = None

    def __post_init__(self) -> None:
        if self.operating_point not in OPERATING_POINT_RULES:
            raise UnknownNameError(
                "operating-point rule", self.operating_point, OPERATING_POINT_RULES
            )
        if (self.operating_point == "fixed") != (self.fixed_threshold is not None):
            raise UsageError(
                "fixed_threshold goes with operating_point='fixed' and only with it, got "
                f"fixed_threshold={self.fixed_threshold} and "
                f"operating_point={self.operating_point!r}."
            )
        if self.fixed_threshold is not None and math.isnan(self.fixed_threshold):
            raise UsageError("fixed_threshold must be a number, got NaN.")
        if self.squash is not None and self.squash < 1:
            raise UsageError(f"squash must be a side of at least 1 px, got {self.squash}.")
        if self.operating_point == "mean-kstd" and not self.standardises:
            raise UsageError(
                "operating_point='mean-kstd' compares standard deviations, so it needs "
                "score='standardised' and score_map_conversion='components/1', got "
                f"score={self.score!r} and score_map_conversion={self.score_map_conversion!r}; "
                "take operating_point='fixed' and a threshold."
            )

    @property
    def standardises(self) -> bool:
        """Whether scores of score-map methods are in standard deviations of the map."""
        return self.score_map_conversion == "components/1" and self.score == "standardised"

    @property
    def calibrates(self) -> bool:
        """Whether extent and threshold are to be found on validation data."""
        return self.score_map_conversion == "components/1"

    def as_dict(self) -> dict[str, Any]:
        """All fields, as they enter the run's key."""
        fields = dataclasses.asdict(self)
        # Left out where nothing is squashed, as in runs of before there was a choice.
        if self.squash is None:
            del fields["squash"]
        return fields


TABLE1 = Protocol()
"""The default: as the paper's Table I, with every choice on validation data."""

BASICIRSTD = Protocol(
    name="basicirstd",
    scheme="official",
    score_map_conversion="basicirstd/1",
    operating_point="fixed",
    fixed_threshold=0.5,
)
"""BasicIRSTD's: official split, probability > 0.5, score maps at map / max > 0.5."""

SQUASHED = tuple(
    dataclasses.replace(BASICIRSTD, name=f"squash-{side}", squash=side) for side in (256, 512)
)
"""As published for ACM, ALCNet and RDIAN (512), for RPCANet, DNANet and MSHNet (256)."""

PROTOCOLS = {protocol.name: protocol for protocol in (TABLE1, BASICIRSTD, *SQUASHED)}


def get_protocol(name: str) -> Protocol:
    """The protocol called ``name``."""
    if name not in PROTOCOLS:
        raise UnknownNameError("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]
