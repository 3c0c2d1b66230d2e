"""Losses of segmentation networks: soft IoU in its two forms, SLS, and cross-entropy.

Sums over images with the number of images as their weight, so that those of two half batches
add up to that of the whole; ``"soft-iou-batch"`` alone is a ratio of sums over the images that
go through the network together, and differs where a batch is cut into parts.

References
----------
.. [1] M. A. Rahman, Y. Wang, "Optimizing intersection-over-union in deep neural networks for
   image segmentation", ISVC 2016.
.. [2] Q. Liu, R. Liu, B. Zheng, H. Wang, Y. Fu, "Infrared small target detection with scale and
   location sensitivity", CVPR 2024.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from irbench.errors import UsageError
from irbench.networks.loss_sums import LossSums

if TYPE_CHECKING:
    from irbench.training.mask_settings import MaskSettings

SMOOTH = 1.0
"""Added to both sides of soft IoU, so that an empty mask has a gradient."""

_EPSILON = 1e-8


@dataclass(frozen=True, eq=False)
class MaskTargets:
    """What a segmentation network is taught with.

    Attributes
    ----------
    masks : (B, 1, H, W) Tensor of float32
        1 on targets, 0 elsewhere; of the input's size.
    images : (B, C, H, W) Tensor of float32
        The input, for losses that compare with it.
    epoch : int
        From 0, for losses that change in the course of a training.
    """

    masks: Tensor
    images: Tensor
    epoch: int = 0

    def to(self, device: torch.device) -> MaskTargets:
        """The same on another device."""
        return MaskTargets(self.masks.to(device), self.images.to(device), self.epoch)


def mask_loss(
    maps: Sequence[Tensor],
    targets: MaskTargets,
    settings: MaskSettings,
    *,
    is_probability: bool = False,
) -> LossSums:
    """The loss of one or several supervised maps.

    Parameters
    ----------
    maps : sequence of (B, 1, H / k, W / k) Tensor
        Logits, or probabilities; a map of a k-th of the size is compared with the mask
        max-pooled by k.
    targets : MaskTargets
    settings : MaskSettings
    is_probability : bool
        Whether the sigmoid is a part of the network.

    Returns
    -------
    LossSums
        The terms summed over images; their number is the weight.

    Raises
    ------
    UsageError
        For no map, or one whose size is no whole part of the mask's.
    """
    if not maps:
        raise UsageError("a segmentation network must return at least one map to supervise.")
    terms: dict[str, Tensor] = {}
    for one in maps:
        values = one.float()
        masks = _pooled(targets.masks, values)
        for name, sums in _terms(values, masks, targets.epoch, settings, is_probability).items():
            terms[name] = terms[name] + sums if name in terms else sums
    share = 1 / len(maps) if settings.join == "mean" else 1.0
    return LossSums({name: share * sums for name, sums in terms.items()}, len(targets.masks))


def _terms(
    values: Tensor, masks: Tensor, epoch: int, settings: MaskSettings, is_probability: bool
) -> dict[str, Tensor]:
    if settings.loss == "bce":
        entropy = F.binary_cross_entropy if is_probability else F.binary_cross_entropy_with_logits
        return {"bce": entropy(values, masks, reduction="none").mean((1, 2, 3)).sum()}
    probabilities = values if is_probability else values.sigmoid()
    if settings.loss == "soft-iou-batch":
        return {"iou": len(masks) * (1 - soft_iou(probabilities[None], masks[None])[0])}
    if settings.loss == "soft-iou":
        return {"iou": (1 - soft_iou(probabilities, masks)).sum()}
    if epoch < settings.warm_up_epochs:
        # Under the same names as later, for the history.
        overlap = soft_iou(probabilities, masks, 0.0)
        return {"iou": (1 - overlap).sum(), "location": overlap.new_zeros(())}
    scale, location = scale_and_location(probabilities, masks)
    return {"iou": (1 - scale).sum(), "location": location.sum()}


def soft_iou(probabilities: Tensor, masks: Tensor, smooth: float = SMOOTH) -> Tensor:
    """``Σpg / (Σp + Σg - Σpg)``, both sides plus ``smooth``; equation (3) of [1]_.

    Parameters
    ----------
    probabilities, masks : (N, ...) Tensor
        In [0, 1].
    smooth : float

    Returns
    -------
    (N,) Tensor
        0 for an empty mask without ``smooth``.
    """
    both, either = _overlap(probabilities, masks)
    return (both + smooth) / (either + smooth).clamp_min(_EPSILON)


def scale_and_location(probabilities: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """The parts of the scale and location sensitive loss, per image [2]_.

    Parameters
    ----------
    probabilities, masks : (B, 1, H, W) Tensor
        In [0, 1].

    Returns
    -------
    scale : (B,) Tensor
        IoU weighed down by the difference of the areas.
    location : (B,) Tensor
        Difference of two points in polar coordinates. As its authors compute it, a point is
        the mean over all pixels of position times value, not divided by the area, so that it
        measures size too.
    """
    both, either = _overlap(probabilities, masks)
    area, true_area = (one.flatten(1).sum(1) for one in (probabilities, masks))
    spread = ((area - true_area) / 2) ** 2
    low, high = torch.minimum(area, true_area), torch.maximum(area, true_area)
    weight = (low + spread) / (high + spread).clamp_min(_EPSILON)
    x, y = _moments(probabilities)
    true_x, true_y = _moments(masks)
    angle = torch.atan(y / (x + _EPSILON)) - torch.atan(true_y / (true_x + _EPSILON))
    radius = (x**2 + y**2 + _EPSILON).sqrt()
    true_radius = (true_x**2 + true_y**2 + _EPSILON).sqrt()
    ratio = torch.minimum(radius, true_radius) / (torch.maximum(radius, true_radius) + _EPSILON)
    location = 1 - ratio + 4 / math.pi**2 * angle**2
    return weight * both / either.clamp_min(_EPSILON), location


def _overlap(probabilities: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    both = (probabilities * masks).flatten(1).sum(1)
    return both, probabilities.flatten(1).sum(1) + masks.flatten(1).sum(1) - both


def _moments(values: Tensor) -> tuple[Tensor, Tensor]:
    """``(B,)`` means over pixels of ``x · value`` and ``y · value``, x and y in [0, 1)."""
    height, width = values.shape[2], values.shape[3]
    x = torch.arange(width, device=values.device, dtype=values.dtype) / width
    y = torch.arange(height, device=values.device, dtype=values.dtype) / height
    return (x * values).mean((1, 2, 3)), (y[:, None] * values).mean((1, 2, 3))


def _pooled(masks: Tensor, like: Tensor) -> Tensor:
    factor = masks.shape[2] // max(like.shape[2], 1)
    pooled = F.max_pool2d(masks, factor) if factor > 1 else masks
    if pooled.shape != like.shape:
        raise UsageError(
            f"a supervised map must be (B, 1, H / k, W / k) of masks {tuple(masks.shape)}, got "
            f"{tuple(like.shape)}."
        )
    return pooled
