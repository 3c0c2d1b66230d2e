"""The images of a split in memory at their native size, each with its mask."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from irbench.dataset import Dataset
from irbench.errors import UsageError
from irbench.messages.progress import Progress
from irbench.networks.segmentation import InputScaling
from irbench.training.readable_samples import SampleReader


@dataclass(frozen=True, eq=False)
class MaskCache:
    """Images and masks of any sizes; made by :meth:`of`.

    Attributes
    ----------
    images : tuple of (H, W) Tensor of float16
        In [0, 1].
    masks : tuple of (H, W) Tensor of uint8
        0 or 1, on the device of the images.
    ids : tuple of str
        Of the samples.

    Raises
    ------
    UsageError
        For images and masks that differ in number or shape.
    """

    images: tuple[Tensor, ...]
    masks: tuple[Tensor, ...]
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        shapes = [[tensor.shape for tensor in tensors] for tensors in (self.images, self.masks)]
        if shapes[0] != shapes[1] or len(self.ids) != len(self.images):
            raise UsageError(
                f"{len(self.images)} images need as many masks of their shapes and as many ids, "
                f"got {len(self.masks)} masks and {len(self.ids)} ids."
            )

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        *,
        device: torch.device | str = "cpu",
        progress: Progress | None = None,
    ) -> MaskCache:
        """Read every sample of a split that has a mask.

        Parameters
        ----------
        dataset : Dataset
        device : torch.device or str
            Where to keep images and masks.
        progress : Progress, optional

        Raises
        ------
        MissingDataError
            If no sample can be read.
        UsageError
            If no sample has a target.
        """
        reader = SampleReader(dataset, progress or Progress(), with_masks=True)
        images: list[Tensor] = []
        masks: list[Tensor] = []
        ids: list[str] = []
        n_targets = 0
        for sample in reader:
            images.append(torch.from_numpy(sample.image).to(device, torch.float16))
            masks.append(torch.as_tensor(sample.mask).to(device, torch.uint8))
            ids.append(sample.id)
            n_targets += len(sample.boxes)
        reader.finish(len(ids), n_targets)
        return cls(tuple(images), tuple(masks), tuple(ids))

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def pixels(self) -> tuple[Tensor, ...]:
        """The ``(K, 2)`` pixels ``(row, column)`` of the targets of each image, on the CPU."""
        return tuple(mask.cpu().nonzero() for mask in self.masks)

    @cached_property
    def scaling(self) -> InputScaling:
        """Mean of the images' means, and of their standard deviations, of one channel."""
        means = torch.stack([image.float().mean() for image in self.images])
        deviations = torch.stack([image.float().std(correction=0) for image in self.images])
        deviation = max(float(deviations.mean()), 1 / 255)
        return InputScaling((float(means.mean()),), (deviation,))
