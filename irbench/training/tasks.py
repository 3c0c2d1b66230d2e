"""What a network is taught with, boxes or masks: its images, its batches, its validation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, cast

import torch
from torch import Tensor

from irbench.data.manifest import ManifestEntry
from irbench.dataset import Dataset
from irbench.errors import UsageError
from irbench.messages.progress import Progress
from irbench.networks.detector import NetworkDetector
from irbench.networks.neural import NeuralDetector
from irbench.networks.segmentation import SCALING, SegmentationNetworkDetector
from irbench.training.augmentation import Augmenter
from irbench.training.augmentation_settings import Augmentation
from irbench.training.image_cache import ImageCache, estimate_bytes
from irbench.training.mask_cache import MaskCache
from irbench.training.mask_validation import MaskValidator
from irbench.training.patches import PatchAugmenter
from irbench.training.settings import TrainingSettings
from irbench.training.validation import BaseValidator, Validator

Cache = ImageCache | MaskCache

AnyValidator = BaseValidator[Any, Any]


class BatchMaker(Protocol):
    """Makes training batches; see :class:`irbench.training.augmentation.Augmenter`."""

    def begin_epoch(self, augmentation: Augmentation, epoch: int) -> None:
        """Take what changes in the course of a training."""

    def draw(self, indices: Tensor, generator: torch.Generator) -> Any:
        """Draw all random numbers for P positions; what is returned can be sliced."""

    def __call__(self, draws: Any) -> tuple[Tensor, Any]:
        """The images of a batch and what is true of them."""


def check_recipe(detector: NeuralDetector, settings: TrainingSettings) -> None:
    """Check that a recipe is for this kind of network.

    Raises
    ------
    UsageError
    """
    is_of_masks = isinstance(detector, SegmentationNetworkDetector)
    if is_of_masks == (settings.masks is None):
        theirs, other = ("masks", "boxes") if is_of_masks else ("boxes", "masks")
        raise UsageError(
            f"{detector.info.name} is a network of {theirs}, and the recipe is for one of "
            f"{other}; leave out --recipe for its own."
        )
    side = settings.crop or settings.image_size
    if is_of_masks and side != detector.legal_side(side):
        raise UsageError(
            f"patches of {detector.info.name} must have a side (crop) that is a multiple of "
            f"{detector.multiple} px and at least {detector.least} px, got {side}."
        )
    if settings.crop % detector.multiple:
        raise UsageError(
            f"crop must be a multiple of {detector.multiple} px for {detector.info.name}, got "
            f"{settings.crop}."
        )


def read_images(
    detector: NeuralDetector,
    dataset: Dataset,
    settings: TrainingSettings,
    *,
    device: torch.device,
    progress: Progress | None = None,
) -> Cache:
    """Read a training split into memory, as the network needs it."""
    if isinstance(detector, SegmentationNetworkDetector):
        cache = MaskCache.of(dataset, device=device, progress=progress)
        detector.learn_scaling(dataset.info.name, cache.scaling)
        return cache
    return ImageCache.of(dataset, settings.image_size, device=device, progress=progress)


def bytes_needed(
    detector: NeuralDetector, entries: Iterable[ManifestEntry], settings: TrainingSettings
) -> int:
    """Memory of the images of a training split, in bytes."""
    shapes = [entry.shape for entry in entries if entry.shape is not None]
    if isinstance(detector, SegmentationNetworkDetector):
        per_pixel = torch.float16.itemsize + torch.uint8.itemsize
        return sum(height * width for height, width in shapes) * per_pixel
    return estimate_bytes(len(shapes), settings.image_size)


def make_batches(detector: NeuralDetector, cache: Cache, settings: TrainingSettings) -> BatchMaker:
    """What makes the batches of a training."""
    if isinstance(cache, ImageCache):
        return Augmenter(cache, settings.augmentation, crop=settings.crop)
    assert settings.masks is not None
    network = cast("SegmentationNetworkDetector", detector)
    return PatchAugmenter(
        cache,
        settings.augmentation,
        settings.masks,
        base=settings.image_size,
        patch=settings.crop or settings.image_size,
        scaling=network.applied_scaling,
        channels=network.in_channels_used,
    )


def make_validator(
    detector: NeuralDetector,
    dataset: Dataset,
    settings: TrainingSettings,
    *,
    device: torch.device,
    progress: Progress | None = None,
) -> AnyValidator:
    """What scores the network after an epoch."""
    if isinstance(detector, SegmentationNetworkDetector):
        masks = MaskCache.of(dataset, device=device, progress=progress)
        return MaskValidator(detector, masks, dataset, batch=settings.batch)
    of_boxes = cast("NetworkDetector", detector)
    images = ImageCache.of(dataset, of_boxes.input_size, device=device, progress=progress)
    return Validator(of_boxes, images, dataset, batch=2 * settings.batch)


def input_side(detector: NeuralDetector, settings: TrainingSettings) -> int:
    """Side of the input that the network is trained at, for its card, in pixels."""
    if isinstance(detector, SegmentationNetworkDetector):
        return settings.crop or settings.image_size
    return settings.image_size


def card_settings(detector: NeuralDetector, settings: TrainingSettings) -> dict[str, Any]:
    """The recipe as the card has it, with the input's scaling where training images decide it."""
    recipe = settings.as_dict()
    if isinstance(detector, SegmentationNetworkDetector) and detector.scaling is None:
        scaling = detector.applied_scaling
        recipe[SCALING] = {"mean": list(scaling.mean), "std": list(scaling.std)}
    return recipe
