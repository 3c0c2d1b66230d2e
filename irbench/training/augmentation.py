"""Augmented training images and their targets, from a cache of images.

Mosaic, scale, shift and flips as YOLO has them, with settings for targets of a few
pixels; see :class:`Augmentation`. All numbers of an epoch are drawn at once, on the
CPU, so that what a position gets depends neither on the batch that it is in nor on the
device that makes it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from irbench.errors import UsageError
from irbench.training.augmentation_settings import Augmentation
from irbench.training.crop_windows import choose_windows
from irbench.training.draws import ImageDraws, draw
from irbench.training.image_cache import ImageCache
from irbench.training.placement import Placement
from irbench.training.resampling import resample, upload
from irbench.training.targets import place_boxes

__all__ = ["Augmentation", "Augmenter", "ImageDraws"]


class Augmenter:
    """Makes training batches of a cache.

    Parameters
    ----------
    cache : ImageCache
    settings : Augmentation
    crop : int
        Side V of the window of each image that is made, in pixels; 0 for the whole side S.

    Raises
    ------
    UsageError
        For a cache without images, or windows larger than they are.

    Examples
    --------
    >>> from irbench.networks.letterbox import letterbox
    >>> canvases, letterboxes = letterbox([torch.rand(24, 32)], 32)
    >>> cache = ImageCache(
    ...     canvases[:, 0].half(),
    ...     torch.tensor([[4.0, 8.0, 9.0, 12.0]]),
    ...     torch.tensor([0, 1]),
    ...     tuple(letterboxes),
    ...     ("one",),
    ... )
    >>> augmenter = Augmenter(cache, Augmentation.none())
    >>> draws = augmenter.draw(torch.tensor([0, 0]), torch.Generator().manual_seed(1))
    >>> images, targets = augmenter(draws)
    >>> tuple(images.shape), targets.tolist()
    ((2, 1, 32, 32), [[0.0, 0.0, 4.0, 8.0, 9.0, 12.0], [1.0, 0.0, 4.0, 8.0, 9.0, 12.0]])
    """

    def __init__(self, cache: ImageCache, settings: Augmentation, *, crop: int = 0) -> None:
        if len(cache) == 0:
            raise UsageError("a cache to augment must hold at least one image.")
        if not 0 <= crop <= cache.size:
            raise UsageError(f"crop must be in [0, {cache.size}] px, got {crop}.")
        self.cache = cache
        self.settings = settings
        self.crop = crop or cache.size
        # Boxes are so few that their arithmetic is not worth a wait for the device.
        self._boxes = cache.boxes.cpu().double()
        self._contents = torch.tensor(
            [
                (w.left, w.top, w.left + w.resized[1], w.top + w.resized[0])
                for w in cache.letterboxes
            ],
            dtype=torch.float64,
        )
        extremes = (cache.images.amin((1, 2)), cache.images.amax((1, 2)))
        self._extremes = torch.stack(extremes, 1).double().cpu()

    def begin_epoch(self, augmentation: Augmentation, epoch: int) -> None:
        """Take what changes in the course of a training."""
        self.settings = augmentation

    def draw(self, indices: Tensor, generator: torch.Generator) -> ImageDraws:
        """Draw all random numbers for P positions, of a whole epoch for example.

        Parameters
        ----------
        indices : (P,) Tensor of int64
            The image of each position, on the CPU.
        generator : torch.Generator
            Of the CPU.

        Raises
        ------
        UsageError
            For indices of no image.
        """
        return draw(self.settings, indices, self._extremes, generator)

    def __call__(self, draws: ImageDraws) -> tuple[Tensor, Tensor]:
        """Make a batch.

        Parameters
        ----------
        draws : ImageDraws
            Of B positions.

        Returns
        -------
        images : (B, 1, V, V) Tensor of float32
            In [0, 1], contiguous, on the device of the cache.
        targets : (M, 6) Tensor of float32
            Row in the batch, class 0, ``x0, y0, x1, y1`` in pixels of the image; in
            order of the row; on the same device.
        """
        placement = Placement.of(draws, self._contents, self.cache.size)
        if self.crop < self.cache.size:
            origin = choose_windows(
                placement, self._boxes, self.cache.starts, draws.window, self.crop
            )
            placement = placement.seen_at(origin, self.crop)
        images = resample(self.cache.images, placement, draws.gain, draws.offset)
        rows, boxes = place_boxes(placement, self._boxes, self.cache.starts)
        targets = torch.zeros((len(boxes), 6), dtype=torch.float32)
        targets[:, 0] = rows
        targets[:, 2:] = boxes
        return images, upload(targets, images.device)
