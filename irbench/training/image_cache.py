"""The images of a training split in memory, letterboxed once, with their boxes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from irbench.dataset import Dataset
from irbench.errors import UsageError
from irbench.messages.progress import Progress
from irbench.networks.letterbox import Letterbox, letterbox
from irbench.training.readable_samples import SampleReader

# Enough for the device to be busy, few enough that their float32 copies do not count.
_IMAGES_AT_A_TIME = 32


@dataclass(frozen=True, eq=False)
class ImageCache:
    """Letterboxed images and their boxes.

    Made by :meth:`of`. Training reads every image once an epoch for hundreds of
    epochs, and a dataset of this field fits into memory: so files are decoded once.

    Attributes
    ----------
    images : (N, S, S) Tensor of float16
        In [0, 1], letterboxed to the side S. Half precision keeps the 256 grey levels
        of an image apart, and of 14 bits the 11 first.
    boxes : (M, 4) Tensor of float32
        ``(x0, y0, x1, y1)`` in pixels of the canvas, on the device of ``images``;
        image by image.
    starts : (N + 1,) Tensor of int64
        On the CPU; image ``i`` has ``boxes[starts[i]:starts[i + 1]]``.
    letterboxes : tuple of Letterbox
        Where each image lies on its canvas.
    ids : tuple of str
        Of the samples.

    Raises
    ------
    UsageError
        For parts that do not fit together.
    """

    images: Tensor
    boxes: Tensor
    starts: Tensor
    letterboxes: tuple[Letterbox, ...]
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.images)
        if self.images.ndim != 3 or self.images.shape[1] != self.images.shape[2]:
            raise UsageError(f"images must have shape (N, S, S), got {tuple(self.images.shape)}.")
        if self.boxes.ndim != 2 or self.boxes.shape[1] != 4:
            raise UsageError(f"boxes must have shape (M, 4), got {tuple(self.boxes.shape)}.")
        if len(self.letterboxes) != n or len(self.ids) != n or self.starts.shape != (n + 1,):
            raise UsageError(
                f"{n} images need as many letterboxes and ids and one more start, got "
                f"{len(self.letterboxes)}, {len(self.ids)} and {tuple(self.starts.shape)}."
            )
        if int(self.starts[0]) != 0 or int(self.starts[-1]) != len(self.boxes):
            raise UsageError(
                f"starts must run from 0 to the number of boxes, {len(self.boxes)}, got "
                f"{int(self.starts[0])} to {int(self.starts[-1])}."
            )

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        size: int,
        *,
        device: torch.device | str = "cpu",
        progress: Progress | None = None,
    ) -> ImageCache:
        """Read every sample of a split.

        Parameters
        ----------
        dataset : Dataset
        size : int
            Side S of the canvas.
        device : torch.device or str
            Where to keep images and boxes; see :func:`estimate_bytes`.
        progress : Progress, optional
            Reported to for each sample, and of those that cannot be used and are left out.

        Raises
        ------
        MissingDataError
            If no sample can be read.
        UsageError
            If no sample has a target, or for a size below 1.
        """
        if size < 1:
            raise UsageError(f"size must be at least 1, got {size}.")
        reader = SampleReader(dataset, progress or Progress())
        images = torch.empty((len(dataset), size, size), dtype=torch.float16, device=device)
        boxes: list[Tensor] = []
        letterboxes: list[Letterbox] = []
        ids: list[str] = []
        samples = iter(reader)
        while group := list(islice(samples, _IMAGES_AT_A_TIME)):
            canvases, placed = letterbox([sample.image for sample in group], size, device=device)
            images[len(ids) : len(ids) + len(group)] = canvases[:, 0]
            for sample, box in zip(group, placed, strict=True):
                boxes.append(box.to_canvas(torch.from_numpy(sample.boxes)).float())
                letterboxes.append(box)
                ids.append(sample.id)
        reader.finish(len(ids), sum(map(len, boxes)))
        counts = torch.tensor([0, *map(len, boxes)])
        return cls(
            images[: len(ids)],
            torch.cat(boxes).to(device),
            counts.cumsum(0),
            tuple(letterboxes),
            tuple(ids),
        )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Side S of the canvases."""
        return self.images.shape[1]

    @property
    def device(self) -> torch.device:
        """Where images and boxes are."""
        return self.images.device


def estimate_bytes(n_images: int, size: int) -> int:
    """Memory of the images of a cache, in bytes; the boxes do not count beside them.

    Parameters
    ----------
    n_images : int
    size : int
        Side of the canvas.

    Examples
    --------
    >>> estimate_bytes(1000, 640) / 2**20
    781.25
    """
    return n_images * size * size * torch.float16.itemsize
