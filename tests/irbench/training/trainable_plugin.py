"""Networks of a few channels that can be trained, and scenes whose test split nobody may open."""

from __future__ import annotations

import os
import time
import zlib

import numpy as np

from irbench import Dataset, DatasetInfo, MethodInfo, Sample
from irbench.networks.detector import LossSums, NetworkDetector

IDS = {
    "train": [f"t{index:02d}" for index in range(12)],
    "val": [f"v{index}" for index in range(5)],
    "test": ["secret"],
}
PAUSE_S = float(os.environ.get("IRBENCH_TEST_PAUSE_S", "0"))
if PAUSE_S:
    # For a process that is to be killed: every epoch on disk, and none of them over at once.
    import irbench.training.trainer

    irbench.training.trainer.CHECKPOINT_EVERY_S = 0.0


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


class PlainNet(NetworkDetector):
    """A score for every fourth pixel, and a box of 5 px round it; nothing is normalised."""

    info = info("plain-net", trainable=True)

    def build(self):
        from torch import nn

        return nn.Sequential(nn.Conv2d(3, 6, 7, stride=4, padding=3), nn.ReLU(), nn.Conv2d(6, 1, 1))

    def decode(self, network, outputs):
        import torch

        n, _, height, width = outputs.shape
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        centres = 4 * torch.stack([columns, rows], -1).reshape(-1, 2).to(outputs)
        boxes = torch.cat([centres - 2.5, centres + 2.5], 1)
        return boxes.expand(n, -1, -1), outputs.float().sigmoid().reshape(n, -1, 1)

    def loss(self, network, settings):
        import torch
        from torch.nn import functional

        def loss(outputs, targets):
            time.sleep(PAUSE_S)
            aims = torch.zeros_like(outputs, dtype=torch.float32)
            cells = ((targets[:, 2:4] + targets[:, 4:6]) / 8).round().long()
            cells.clamp_(max=outputs.shape[-1] - 1)
            aims[targets[:, 0].long(), 0, cells[:, 1], cells[:, 0]] = 1
            entropy = functional.binary_cross_entropy_with_logits(
                outputs.float(), aims, reduction="sum"
            )
            return LossSums({"cls": entropy}, aims.sum())

        return loss


class DropNet(PlainNet):
    """Normalisation, dropout, and a path that is dropped for some images."""

    info = info("drop-net", trainable=True)

    def build(self):
        import torch
        from torch import nn

        class DropPath(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Conv2d(6, 6, 3, padding=1)

            def forward(self, x):
                if not self.training:
                    return x + 0.5 * self.inner(x)
                return x + self.inner(x) * (torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5)

        return nn.Sequential(
            nn.Conv2d(3, 6, 7, stride=4, padding=3, bias=False),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            DropPath(),
            nn.Dropout2d(0.2),
            nn.Conv2d(6, 1, 1),
        )


class PoisonedNet(PlainNet):
    """Its loss is not a number on the image with the largest target."""

    info = info("poisoned-net", trainable=True)
    epochs_before = 2

    def loss(self, network, settings):
        plain = super().loss(network, settings)
        seen = 0

        def loss(outputs, targets):
            nonlocal seen
            terms, weight = plain(outputs, targets)
            poisoned = bool((targets[:, 4] - targets[:, 2] > 7.5).any())
            seen += poisoned
            factor = float("nan") if poisoned and seen > self.epochs_before else 1.0
            return LossSums({name: term * factor for name, term in terms.items()}, weight)

        return loss


class MuteNet(PlainNet):
    """Cannot be trained."""

    info = info("mute-net", trainable=False)
    loss = NetworkDetector.loss


class TrapScenes(Dataset):
    """One bright square on noise; loading a test image is an error."""

    info = DatasetInfo(
        name="trap-scenes", title="Trap Scenes", reference="none", licence="CC0", schemes=("one",)
    )

    def split_ids(self, split):
        if split == "all":
            return [name for names in IDS.values() for name in names]
        return list(IDS[split])

    def load(self, sample_id):
        assert sample_id not in IDS["test"], "the test split was opened"
        rng = np.random.default_rng(zlib.crc32(sample_id.encode()))
        image = rng.integers(40, 70, (32, 32)).astype(np.uint8)
        mask = np.zeros(image.shape, bool)
        side = 8 if sample_id == "t07" else 5
        row, column = rng.integers(2, 30 - side, 2)
        mask[row : row + side, column : column + side] = True
        image[mask] = 220
        return Sample(sample_id, image, mask)


class BlankScenes(TrapScenes):
    """No targets at all."""

    info = DatasetInfo(name="blank-scenes", title="Blank Scenes", reference="", schemes=("one",))

    def load(self, sample_id):
        sample = super().load(sample_id)
        return Sample(sample_id, sample.image, np.zeros_like(sample.mask))


class HalfBlankScenes(BlankScenes):
    """Targets in the training split only."""

    info = DatasetInfo(name="half-blank", title="Half Blank", reference="", schemes=("one",))

    def load(self, sample_id):
        load = TrapScenes.load if sample_id in IDS["train"] else BlankScenes.load
        return load(self, sample_id)


class NoValidationScenes(TrapScenes):
    info = DatasetInfo(name="no-val", title="No Validation", reference="", schemes=("one",))
    splits = ("train", "test", "all")
