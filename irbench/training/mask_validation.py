"""How good a segmentation network is on the validation images, by the benchmark's evaluator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import ClassVar

import torch
from torch import Tensor, nn

from irbench.detections import Detections
from irbench.metrics.pixels import count_pixels
from irbench.networks.segmentation import PaddedImage, SegmentationNetworkDetector
from irbench.training.mask_cache import MaskCache
from irbench.training.validation import BaseValidator, ValidationScores

PROBABILITY = 0.5
"""Above which a pixel is target, for nIoU and the parts of the probability map."""


class MaskValidator(BaseValidator[SegmentationNetworkDetector, MaskCache]):
    """Validates segmentation networks, on images of their own sizes, padded."""

    columns: ClassVar[tuple[str, ...]] = (*BaseValidator.columns, "val_niou")

    @torch.inference_mode()
    def probabilities(self, network: nn.Module) -> Iterator[Tensor]:
        """The ``(H, W)`` probability map of each image, on the CPU, in float32."""
        for _, of_one_shape in groupby(self.cache.images, key=lambda image: image.shape):
            images = list(of_one_shape)
            for start in range(0, len(images), self.batch):
                padded = self.detector.pad(torch.stack(images[start : start + self.batch])[:, None])
                canvas = padded.canvas.contiguous(memory_format=torch.channels_last)
                probabilities = self.detector.cut(
                    self.detector.decode(network, network(canvas)),
                    PaddedImage(canvas, padded.shape, padded.native),
                )
                yield from probabilities[:, 0].float().clamp(0, 1).cpu()

    def __call__(self, network: nn.Module) -> ValidationScores:
        """Score a network in evaluation mode; images of one shape go through it together."""
        maps = [probability.numpy() for probability in self.probabilities(network)]
        scores = self.score([Detections.from_probability(probability) for probability in maps])
        masks = [mask.bool().cpu().numpy() for mask in self.cache.masks]
        counts = count_pixels((p > PROBABILITY, mask) for p, mask in zip(maps, masks, strict=True))
        return replace(scores, niou=float(counts.iou_per_image.mean()))
