"""How a network of masks is taught; known without torch, as the other settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from irbench.errors import UnknownNameError, UsageError

MaskLoss = Literal["soft-iou", "soft-iou-batch", "sls", "bce"]
Join = Literal["mean", "sum"]
Sampling = Literal["native", "long-side", "squash"]


@dataclass(frozen=True, kw_only=True)
class MaskSettings:
    """What a segmentation network learns from, and by which loss.

    The defaults are those of the toolkit BasicIRSTD, which trains all its networks alike.

    Parameters
    ----------
    loss : {"soft-iou-batch", "soft-iou", "sls", "bce"}
        See :mod:`irbench.networks.mask_losses`. Papers call the first two by one name.
    join : {"mean", "sum"}
        How the losses of several supervised maps are joined.
    warm_up_epochs : int
        First epochs of ``"sls"``: its IoU alone, on the finest map alone where a network has
        several.
    sampling : {"native", "long-side", "squash"}
        What patches are cut from: the image as it is; one whose longer side is drawn anew from
        half to twice ``image_size``; one that is squashed to a square of ``image_size``.
    on_target : float
        Share of patches that are placed such that they hold a target, in [0, 1].
    transpose : float
        Probability that rows and columns are exchanged, in [0, 1].
    blur : float
        Half of the patches are blurred by a Gaussian whose standard deviation is drawn from 0
        to this, in pixels, in [0, 8].

    Raises
    ------
    UsageError, UnknownNameError
    """

    loss: MaskLoss = "soft-iou-batch"
    join: Join = "mean"
    warm_up_epochs: int = 5
    sampling: Sampling = "native"
    on_target: float = 0.5
    transpose: float = 0.5
    blur: float = 0.0

    def __post_init__(self) -> None:
        for name, known in (("loss", MaskLoss), ("join", Join), ("sampling", Sampling)):
            if getattr(self, name) not in get_args(known):
                raise UnknownNameError(f"masks.{name}", str(getattr(self, name)), get_args(known))
        limits = {"on_target": 1.0, "transpose": 1.0, "blur": 8.0, "warm_up_epochs": math.inf}
        for name, limit in limits.items():
            # NaN fails the comparison.
            if not 0 <= getattr(self, name) <= limit:
                raise UsageError(
                    f"masks.{name} must be in [0, {limit:g}], got {getattr(self, name)!r}."
                )
