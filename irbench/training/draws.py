"""What chance decides about each training image, drawn for a whole epoch at once."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from irbench.errors import UsageError
from irbench.training.augmentation_settings import Augmentation


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageDraws:
    """What chance decided about P training images; ``draws[rows]`` are some of them.

    All on the CPU. "Before flips" means of the composed image, which is flipped last.

    Attributes
    ----------
    images : (P, 4) Tensor of int64
        Indices of the tiles: top left, top right, bottom left, bottom right. The first
        is the image that was asked for.
    mosaic : (P,) Tensor of bool
        Whether the four are used, or the first alone.
    meeting : (P, 2) Tensor of float64
        Where the four meet, ``(x, y)``, in sides from the middle of the mosaic, in
        [-0.5, 0.5).
    factor : (P,) Tensor of float64
        Enlargement.
    shift : (P, 2) Tensor of float64
        ``(x, y)``, in sides, before flips.
    flips : (P, 2) Tensor of bool
        Left to right, upside down.
    gain, offset : (P,) Tensor of float64
        Of the grey levels in [0, 1].
    window : (P, 4) Tensor of float64
        In [0, 1), for a window of the composed image: whether it holds a target, which one,
        and where it lies, ``(x, y)``.
    """

    images: Tensor
    mosaic: Tensor
    meeting: Tensor
    factor: Tensor
    shift: Tensor
    flips: Tensor
    gain: Tensor
    offset: Tensor
    window: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: Any) -> ImageDraws:
        """Some of the positions: a slice, or a Tensor or list of indices."""
        return ImageDraws(**{f.name: getattr(self, f.name)[rows] for f in dataclasses.fields(self)})


def draw(
    settings: Augmentation, indices: Tensor, extremes: Tensor, generator: torch.Generator
) -> ImageDraws:
    """Draw for P training images.

    Parameters
    ----------
    settings : Augmentation
    indices : (P,) Tensor of int64
        The images that are asked for, in [0, N).
    extremes : (N, 2) Tensor
        Least and greatest grey level of each image, in [0, 1].
    generator : torch.Generator
        Of the CPU. The same amount is taken from it whatever the settings, so what is
        switched off changes nothing of the rest.

    Raises
    ------
    UsageError
        For indices that are not such.
    """
    n_images = len(extremes)
    if indices.ndim != 1 or indices.dtype != torch.int64:
        raise UsageError(
            f"indices must be (P,) int64, got {tuple(indices.shape)} of {indices.dtype}."
        )
    if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < n_images:
        raise UsageError(
            f"indices must be in [0, {n_images}), got {int(indices.min())} to {int(indices.max())}."
        )
    uniform = torch.rand((len(indices), 13), generator=generator, dtype=torch.float64)
    # Apart, for what was there first keeps its numbers.
    window = torch.rand((len(indices), 4), generator=generator, dtype=torch.float64)
    # A product just below N may round to N.
    others = (uniform[:, 1:4] * n_images).long().clamp_max(n_images - 1)
    images = torch.cat((indices[:, None], others), 1)
    mosaic = uniform[:, 0] < settings.mosaic
    gain, offset = _tone(settings, uniform[:, 11], uniform[:, 12], extremes[images], mosaic)
    return ImageDraws(
        images=images,
        mosaic=mosaic,
        meeting=uniform[:, 4:6] - 0.5,
        factor=(1 + settings.scale) ** (2 * uniform[:, 6] - 1),
        shift=settings.translate * (2 * uniform[:, 7:9] - 1),
        flips=uniform[:, 9:11] < torch.tensor((settings.flip_lr, settings.flip_ud)),
        gain=gain,
        offset=offset,
        window=window,
    )


def _tone(
    settings: Augmentation, first: Tensor, second: Tensor, extremes: Tensor, mosaic: Tensor
) -> tuple[Tensor, Tensor]:
    # Alone, the first of the four counts for all.
    levels = torch.where(mosaic[:, None, None], extremes, extremes[:, :1]).double()
    low, high = levels[..., 0].amin(1), levels[..., 1].amax(1)
    gain = 1 + settings.brightness * (2 * first - 1)
    gain = torch.minimum(gain, 1 / high.clamp_min(1e-3))
    offset = settings.offset * (2 * second - 1)
    offset = torch.minimum(torch.maximum(offset, -low * gain), (1 - high * gain).clamp_min(0))
    return gain, offset
