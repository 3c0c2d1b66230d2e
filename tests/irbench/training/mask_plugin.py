"""Segmentation networks of a few channels, and scenes with and without masks."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from irbench import Dataset, DatasetInfo, MethodInfo, Sample
from irbench.networks.segmentation import SegmentationNetworkDetector

IDS = {
    "train": [f"t{index:02d}" for index in range(9)],
    "val": [f"v{index}" for index in range(3)],
    "test": ["secret"],
}


def info(name):
    return MethodInfo(
        name=name,
        title=name.title(),
        group="Deep Learning Methods",
        year=2026,
        reference="none",
        default=False,
        trainable=True,
    )


class MaskNet(SegmentationNetworkDetector):
    """Two convolutions with normalisation and dropout; scaled by its training images."""

    info = info("mask-net")
    multiple = 8
    least = 16
    scaling = None

    def build(self):
        from torch import nn

        return nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2, bias=False),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Dropout2d(0.1),
            nn.Conv2d(6, 1, 3, padding=1),
        )


class PoolNet(MaskNet):
    """With a normalisation after a global pooling, which one image cannot be put through."""

    info = info("pool-net")

    def build(self):
        from torch import nn

        class Gated(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Conv2d(1, 4, 3, padding=1)
                self.gate = nn.Sequential(
                    nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.Sigmoid()
                )
                self.head = nn.Conv2d(4, 1, 1)

            def forward(self, x):
                y = self.inner(x)
                return self.head(y * self.gate(y))

        return Gated()


class MaskScenes(Dataset):
    """One bright square on noise; loading a test image is an error."""

    info = DatasetInfo(
        name="mask-scenes", title="Mask Scenes", reference="none", licence="CC0", schemes=("one",)
    )

    def split_ids(self, split):
        if split == "all":
            return [name for names in IDS.values() for name in names]
        return list(IDS[split])

    def load(self, sample_id):
        assert sample_id not in IDS["test"], "the test split was opened"
        rng = np.random.default_rng(zlib.crc32(sample_id.encode()))
        # Sizes that are no multiple of anything, and of two kinds.
        image = rng.integers(40, 70, (37, 29) if sample_id[-1] in "02468" else (30, 44))
        mask = np.zeros(image.shape, bool)
        row, column = rng.integers(2, 20, 2)
        mask[row : row + 5, column : column + 5] = True
        image[mask] = 220
        return self.sample(sample_id, image.astype(np.uint8), mask)

    def sample(self, sample_id: str, image: Any, mask: Any) -> Sample:
        return Sample(sample_id, image, mask)


class SomeBoxes(MaskScenes):
    """Every third image has a box and no mask."""

    info = DatasetInfo(name="some-boxes", title="Some Boxes", reference="", schemes=("one",))

    def sample(self, sample_id, image, mask):
        if zlib.crc32(sample_id.encode()) % 3 == 0:
            return Sample(sample_id, image, None, Sample(sample_id, image, mask).boxes)
        return Sample(sample_id, image, mask)


class OnlyBoxes(MaskScenes):
    info = DatasetInfo(name="only-boxes", title="Only Boxes", reference="", schemes=("one",))

    def sample(self, sample_id, image, mask):
        return Sample(sample_id, image, None, Sample(sample_id, image, mask).boxes)
