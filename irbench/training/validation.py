"""How good a network is on the validation images, by the benchmark's own evaluator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import torch
from torch import nn

from irbench.dataset import Dataset
from irbench.detections import Detections
from irbench.ground_truth import GroundTruth
from irbench.metrics.ignored_regions import without_ignored_of
from irbench.networks.detector import NetworkDetector, to_detections
from irbench.networks.neural import NeuralDetector
from irbench.protocol import TABLE1
from irbench.scoring.calibration import calibrate
from irbench.training.image_cache import ImageCache
from irbench.training.mask_cache import MaskCache


@dataclass(frozen=True)
class ValidationScores:
    """Quality on the validation split, in [0, 1].

    Attributes
    ----------
    ap50 : float
    f1 : float
        At the threshold of greatest F1.
    niou : float or None
        Of networks of masks: mean over images of the IoU at a probability above 0.5.
    """

    ap50: float
    f1: float
    niou: float | None = None

    def as_row(self) -> dict[str, float]:
        """Its columns of the history."""
        row = {"val_ap50": self.ap50, "val_f1": self.f1}
        return row if self.niou is None else {**row, "val_niou": self.niou}


NetworkT = TypeVar("NetworkT", bound=NeuralDetector)
CacheT = TypeVar("CacheT", bound=ImageCache | MaskCache)


class BaseValidator(ABC, Generic[NetworkT, CacheT]):
    """Validates networks of one detector on one set of images.

    Parameters
    ----------
    detector : NeuralDetector
        Its decoding applies, and all that it does before and after the network.
    cache : ImageCache or MaskCache
        The readable images of ``dataset``, on the device of the networks.
    dataset : Dataset
        Gives their ground truth.
    batch : int
        Images that go through the network together.

    Attributes
    ----------
    columns : tuple of str
        What a row of the history has of it.
    """

    columns: ClassVar[tuple[str, ...]] = ("val_ap50", "val_f1")

    def __init__(self, detector: NetworkT, cache: CacheT, dataset: Dataset, *, batch: int) -> None:
        self.detector, self.cache, self.batch = detector, cache, batch
        self.truths = [GroundTruth.of(dataset.load(sample_id)) for sample_id in cache.ids]

    @abstractmethod
    def __call__(self, network: nn.Module) -> ValidationScores:
        """Score a network.

        Parameters
        ----------
        network : torch.nn.Module
            In evaluation mode.
        """

    def score(self, detections: Sequence[Detections]) -> ValidationScores:
        """Score the detections of each image."""
        counted = without_ignored_of(detections, self.truths, TABLE1)
        chosen = calibrate({None: counted}, self.truths, TABLE1)
        return ValidationScores(chosen.map50 or 0.0, chosen.f1 or 0.0)


class Validator(BaseValidator[NetworkDetector, ImageCache]):
    """Validates networks that return boxes, at the detector's input size."""

    @torch.inference_mode()
    def detect(self, network: nn.Module) -> list[Detections]:
        """The detections of a network in evaluation mode, per image, in float32."""
        detections: list[Detections] = []
        for start in range(0, len(self.cache), self.batch):
            batch = slice(start, start + self.batch)
            canvases = self.cache.images[batch, None].float()
            images = canvases.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
            output = self.detector.decode(network, network(images))
            shapes = [
                letterbox.shape for letterbox in self.cache.letterboxes[start : start + self.batch]
            ]
            detections += [to_detections(kept) for kept in self.detector.suppress(output, shapes)]
        return detections

    def __call__(self, network: nn.Module) -> ValidationScores:
        """Score a network in evaluation mode."""
        return self.score(self.detect(network))
