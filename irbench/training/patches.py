"""Training patches of images and their masks, varied as the field varies them.

As for boxes, all numbers of an epoch are drawn at once, on the CPU, so that what a position
gets depends neither on the batch that it is in nor on the device that makes it.

References
----------
.. [1] Y. Dai, Y. Wu, F. Zhou, K. Barnard, "Asymmetric contextual modulation for infrared small
   target detection", WACV 2021: long side, blur.
.. [2] X. Ying, B. Li, L. Wang et al., BasicIRSTD: patches of the native image, on a target.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from irbench.errors import UsageError
from irbench.networks.mask_losses import MaskTargets
from irbench.networks.segmentation import InputScaling
from irbench.training.augmentation_settings import Augmentation
from irbench.training.mask_cache import MaskCache
from irbench.training.mask_settings import MaskSettings

_OF_BOXES = ("mosaic", "scale", "translate")

_N_UNIFORM = 12

# Standard deviations that a Gaussian kernel reaches.
_REACH = 3


@dataclass(frozen=True, eq=False)
class PatchDraws:
    """What chance decided about P patches; ``draws[rows]`` are some of them.

    Attributes
    ----------
    images : (P,) Tensor of int64
    uniform : (P, 12) Tensor of float64
        In [0, 1), on the CPU.
    """

    images: Tensor
    uniform: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: Any) -> PatchDraws:
        """Some of the positions: a slice, or a Tensor or list of indices."""
        return PatchDraws(self.images[rows], self.uniform[rows])


class PatchAugmenter:
    """Makes training batches of patches.

    Parameters
    ----------
    cache : MaskCache
    augmentation : Augmentation
        Flips, brightness and offset.
    masks : MaskSettings
    base : int
        Side in pixels that ``"long-side"`` and ``"squash"`` are relative to.
    patch : int
        Side V of the patches, in pixels.
    scaling : InputScaling
        Of the network's input. Where a patch reaches beyond the image it is zero after it, as
        images are padded when they are tested.
    channels : int
        Of the network's input; the grey image is repeated.

    Raises
    ------
    UsageError
        For an augmentation that only boxes have.
    """

    def __init__(
        self,
        cache: MaskCache,
        augmentation: Augmentation,
        masks: MaskSettings,
        *,
        base: int,
        patch: int,
        scaling: InputScaling,
        channels: int,
    ) -> None:
        for name in _OF_BOXES:
            if getattr(augmentation, name):
                raise UsageError(
                    f"augmentation {name} is for networks of boxes; set it to 0 for one of masks, "
                    "whose patches masks.sampling describes."
                )
        self.cache, self.masks = cache, masks
        self.base, self.patch = base, patch
        self.scaling, self.channels = scaling, channels
        # The greatest value is one of the image, not of the patch.
        self._scaling_of_patches = replace(scaling, by_maximum=False)
        self.augmentation = augmentation
        self.epoch = 0

    def begin_epoch(self, augmentation: Augmentation, epoch: int) -> None:
        """Take what changes in the course of a training."""
        self.augmentation, self.epoch = augmentation, epoch

    def draw(self, indices: Tensor, generator: torch.Generator) -> PatchDraws:
        """Draw all random numbers for P positions.

        Parameters
        ----------
        indices : (P,) Tensor of int64
            The image of each position, on the CPU.
        generator : torch.Generator
            Of the CPU. The same amount is taken from it whatever the settings.
        """
        uniform = torch.rand((len(indices), _N_UNIFORM), generator=generator, dtype=torch.float64)
        return PatchDraws(indices, uniform)

    def __call__(self, draws: PatchDraws) -> tuple[Tensor, MaskTargets]:
        """Make a batch.

        Parameters
        ----------
        draws : PatchDraws
            Of B positions.

        Returns
        -------
        images : (B, C, V, V) Tensor of float32
            Scaled, on the device of the cache.
        targets : MaskTargets
        """
        pairs = [
            self._patch(index, row)
            for index, row in zip(draws.images.tolist(), draws.uniform.tolist(), strict=True)
        ]
        images = torch.stack([image for image, _ in pairs])
        masks = torch.stack([mask for _, mask in pairs])
        return images, MaskTargets(masks, images, self.epoch)

    def _patch(self, index: int, u: list[float]) -> tuple[Tensor, Tensor]:
        """The patch of one image, ``(C, V, V)``, and of its mask, ``(1, V, V)``; float32."""
        image, mask, factor = self._resized(index, u[0])
        top, left = self._origin(index, (mask.shape[0], mask.shape[1]), factor, u[1:5])
        window = (slice(top, top + self.patch), slice(left, left + self.patch))
        if self.scaling.by_maximum:
            # A black image stays black.
            image = image / image.max().clamp_min(1 / 255)
        image, mask = image[window], mask[window]
        if self.masks.blur and u[5] < 0.5:
            image = blur(image, self.masks.blur * u[6])
        image = self._toned(image, u[7], u[8])
        image = self._scaling_of_patches.apply(image[None, None], self.channels)[0]
        missing = (0, self.patch - image.shape[2], 0, self.patch - image.shape[1])
        image = F.pad(image, missing)
        mask = F.pad(mask[None], missing)
        flips = [
            axis
            for axis, value, share in (
                (1, u[9], self.augmentation.flip_ud),
                (2, u[10], self.augmentation.flip_lr),
            )
            if value < share
        ]
        if flips:
            image, mask = image.flip(flips), mask.flip(flips)
        if u[11] < self.masks.transpose:
            image, mask = image.transpose(1, 2), mask.transpose(1, 2)
        return image, mask

    def _resized(self, index: int, u: float) -> tuple[Tensor, Tensor, tuple[float, float]]:
        """Image and mask that a patch is cut from, and how many times as large each side is."""
        image, mask = self.cache.images[index].float(), self.cache.masks[index].float()
        height, width = image.shape
        sampling = self.masks.sampling
        if sampling == "native":
            return image, mask, (1.0, 1.0)
        size = (self.base, self.base)
        if sampling == "long-side":
            low, high = self.base // 2, 2 * self.base
            share = (low + int(u * (high - low + 1))) / max(height, width)
            size = (max(1, round(share * height)), max(1, round(share * width)))
        if size != (height, width):
            image = F.interpolate(
                image[None, None], size, mode="bilinear", align_corners=False, antialias=True
            )[0, 0]
            mask = F.interpolate(mask[None, None], size, mode="nearest-exact")[0, 0]
        return image, mask, (size[0] / height, size[1] / width)

    def _origin(
        self, index: int, shape: tuple[int, int], factor: tuple[float, float], u: list[float]
    ) -> tuple[int, int]:
        """Where the patch begins, ``(top, left)``."""
        pixels = self.cache.pixels[index]
        limits = [max(0, side - self.patch) for side in shape]
        ranges = [(0, limit) for limit in limits]
        if len(pixels) and u[0] < self.masks.on_target:
            pixel = pixels[int(u[1] * len(pixels))].tolist()
            ranges = []
            for axis, limit in enumerate(limits):
                centre = int((pixel[axis] + 0.5) * factor[axis])
                ranges.append((min(max(0, centre - self.patch + 1), limit), min(centre, limit)))
        top, left = (
            low + int(value * (high - low + 1))
            for (low, high), value in zip(ranges, u[2:], strict=True)
        )
        return top, left

    def _toned(self, image: Tensor, first: float, second: float) -> Tensor:
        settings = self.augmentation
        if not settings.brightness and not settings.offset:
            return image
        gain = 1 + settings.brightness * (2 * first - 1)
        offset = settings.offset * (2 * second - 1)
        return (gain * image + offset).clamp(0, 1)


def blur(image: Tensor, deviation: float) -> Tensor:
    """Convolve with a Gaussian; beyond its border an image is as at the border.

    Parameters
    ----------
    image : (H, W) Tensor
    deviation : float
        Standard deviation, in pixels.

    Returns
    -------
    (H, W) Tensor

    Examples
    --------
    >>> blur(torch.ones(4, 5), 0.7).allclose(torch.ones(4, 5))
    True
    """
    radius = int(_REACH * deviation + 0.5)
    if radius == 0:
        return image
    steps = torch.arange(-radius, radius + 1, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-0.5 * (steps / deviation) ** 2)
    kernel /= kernel.sum()
    padded = F.pad(image[None, None], (radius,) * 4, mode="replicate")
    rows = F.conv2d(padded, kernel[None, None, :, None])
    return F.conv2d(rows, kernel[None, None, None, :])[0, 0]
