"""How good a segmentation network is on the validation images, by the benchmark's evaluator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import ClassVar

import torch
from torch import Tensor, nn

from irbench.calibration import calibrate
from irbench.dataset import Dataset
from irbench.detections import Detections
from irbench.ground_truth import GroundTruth
from irbench.metrics.ignored_regions import without_ignored_of
from irbench.metrics.pixels import count_pixels
from irbench.networks.segmentation import PaddedImage, SegmentationNetworkDetector
from irbench.progress import Progress
from irbench.protocol import TABLE1, Protocol
from irbench.training.mask_cache import MaskCache
from irbench.training.validation import ValidationScores

PROBABILITY = 0.5
"""Above which a pixel is target, for nIoU and the parts of the probability map."""


class MaskValidator:
    """Validates segmentation networks of one detector on one set of images.

    Parameters
    ----------
    detector : SegmentationNetworkDetector
        Its padding, scaling and decoding apply.
    cache : MaskCache
    truths : sequence of GroundTruth
        Of the images of the cache, in their order.
    batch : int
        Images of one shape that go through the network together.
    protocol : Protocol

    Attributes
    ----------
    columns : tuple of str
        What a row of the history has of it.
    """

    columns: ClassVar[tuple[str, ...]] = ("val_ap50", "val_f1", "val_niou")

    def __init__(
        self,
        detector: SegmentationNetworkDetector,
        cache: MaskCache,
        truths: Sequence[GroundTruth],
        *,
        batch: int = 16,
        protocol: Protocol = TABLE1,
    ) -> None:
        self.detector, self.cache, self.truths = detector, cache, truths
        self.batch, self.protocol = batch, protocol

    @classmethod
    def of(
        cls,
        detector: SegmentationNetworkDetector,
        dataset: Dataset,
        *,
        device: torch.device,
        batch: int = 16,
        progress: Progress | None = None,
    ) -> MaskValidator:
        """Read a split."""
        cache = MaskCache.of(dataset, device=device, progress=progress)
        truths = [GroundTruth.of(dataset.load(sample_id)) for sample_id in cache.ids]
        return cls(detector, cache, truths, batch=batch)

    @torch.inference_mode()
    def probabilities(self, network: nn.Module) -> Iterator[Tensor]:
        """The ``(H, W)`` probability map of each image, on the CPU, in float32."""
        for _, some in groupby(self.cache.images, key=lambda image: image.shape):
            images = list(some)
            for start in range(0, len(images), self.batch):
                padded = self.detector.pad(torch.stack(images[start : start + self.batch])[:, None])
                canvas = padded.canvas.contiguous(memory_format=torch.channels_last)
                found = self.detector.cut(
                    self.detector.decode(network, network(canvas)),
                    PaddedImage(canvas, padded.shape, padded.native),
                )
                yield from found[:, 0].float().clamp(0, 1).cpu()

    def __call__(self, network: nn.Module) -> ValidationScores:
        """Score a network.

        Parameters
        ----------
        network : torch.nn.Module
            In evaluation mode.

        Returns
        -------
        ValidationScores
        """
        maps = [one.numpy() for one in self.probabilities(network)]
        found = [Detections.from_probability(one) for one in maps]
        counted = without_ignored_of(found, self.truths, self.protocol)
        chosen = calibrate({None: counted}, self.truths, self.protocol)
        masks = [mask.bool().cpu().numpy() for mask in self.cache.masks]
        counts = count_pixels((m > PROBABILITY, mask) for m, mask in zip(maps, masks, strict=True))
        return ValidationScores(
            chosen.map50 or 0.0, chosen.f1 or 0.0, float(counts.iou_per_image.mean())
        )
