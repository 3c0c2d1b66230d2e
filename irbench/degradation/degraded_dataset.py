"""A dataset whose images are made worse as they are read; its ground truth stays."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np

from irbench.dataset import Dataset, Sample
from irbench.degradation.models import WHITE, Degradation, degrade
from irbench.images import to_grey_levels


class DegradedDataset(Dataset):
    """Another dataset's samples with degraded images.

    Parameters
    ----------
    clean : Dataset
        Opened at its split.
    degradations : tuple of Degradation
        One after another.
    """

    def __init__(self, clean: Dataset, degradations: tuple[Degradation, ...]) -> None:
        self.clean, self.degradations = clean, degradations
        self.info = clean.info  # type: ignore[misc]
        self.conventions = clean.conventions
        self.scheme, self.split, self.root = clean.scheme, clean.split, clean.root

    @property
    def splits(self) -> tuple[str, ...]:
        """Those of the clean data."""
        return self.clean.splits

    def split_ids(self, split: str) -> list[str]:
        """Those of the clean data."""
        return self.clean.split_ids(split)

    def load(self, sample_id: str) -> Sample:
        """A sample with its image as grey levels 0 to 255, made worse, of float32."""
        sample = self.clean.load(sample_id)
        grey = to_grey_levels(sample.image, sample.value_range)
        worse = degrade(grey, sample_id, self.degradations).astype(np.float32)
        return replace(sample, image=worse, value_range=(0.0, WHITE))

    def with_split(self, split: str) -> DegradedDataset:
        """Another split, degraded likewise."""
        other = copy.copy(self)
        vars(other).pop("ids", None)
        other.clean, other.split = self.clean.with_split(split), split
        return other
