"""A network of a few channels, and scenes to test it on; loaded as a plug-in."""

from __future__ import annotations

import zlib

import numpy as np

from irbench import Dataset, DatasetInfo, MethodInfo, Sample
from irbench.networks.detector import NetworkDetector

IDS = {
    "train": ["a0", "a1", "a2"],
    "val": ["b0", "b1", "b2"],
    "test": ["c0", "c1", "c2", "c3"],
}


def info(name, **more):
    return MethodInfo(
        name=name,
        title=name.title(),
        group="Deep Learning Methods",
        year=2026,
        reference="none",
        default=False,
        **more,
    )


class TinyNet(NetworkDetector):
    """A score for every fourth pixel, and a box of 6 px round it."""

    info = info("tiny-net", trainable=True)

    def build(self):
        from torch import nn

        network = nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=4, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 1, 1),
        )
        network[0].register_buffer("stride_px", self.stride())
        return network

    @staticmethod
    def stride():
        import torch

        return torch.tensor([4], dtype=torch.int64)

    def decode(self, network, outputs):
        import torch

        n, _, height, width = outputs.shape
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        centres = 4 * torch.stack([columns, rows], -1).reshape(-1, 2).to(outputs)
        boxes = torch.cat([centres - 3, centres + 3], 1)
        return boxes.expand(n, -1, -1), outputs.sigmoid().reshape(n, -1, 1)


class TinyNetWide(TinyNet):
    """Another network."""

    info = info("tiny-net-wide", trainable=True)

    def build(self):
        from torch import nn

        return nn.Sequential(nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.Conv2d(8, 1, 1))


class TinyScenes(Dataset):
    """Bright spots on noise, drawn from the id."""

    info = DatasetInfo(
        name="tiny-scenes",
        title="Tiny Scenes",
        reference="none",
        licence="CC0",
        schemes=("letters", "other"),
    )

    def split_ids(self, split):
        if split == "all":
            return [name for names in IDS.values() for name in names]
        return list(IDS[split])

    def load(self, sample_id):
        rng = np.random.default_rng(zlib.crc32(sample_id.encode()))
        image = rng.integers(40, 60, (40, 56)).astype(np.uint8)
        row, column = rng.integers(4, 34, 2)
        mask = np.zeros(image.shape, bool)
        mask[row : row + 3, column : column + 3] = True
        image[mask] = 220
        return Sample(sample_id, image, mask)


class TinyCopies(TinyScenes):
    """The same scenes under other ids."""

    info = DatasetInfo(
        name="tiny-copies", title="Tiny Copies", reference="none", schemes=("letters",)
    )

    def split_ids(self, split):
        return [f"copy-{name}" for name in super().split_ids(split)]

    def load(self, sample_id):
        sample = super().load(sample_id.removeprefix("copy-"))
        return Sample(sample_id, sample.image, sample.mask)
