"""RPCANet: robust PCA unfolded into six stages."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTH = 32
N_STAGES = 6


def _convolutions(n_middle: int, *, normalised: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs in (1, *[WIDTH] * n_middle):
        layers.append(nn.Conv2d(inputs, WIDTH, 3, 1, 1))
        layers += [nn.BatchNorm2d(WIDTH)] if normalised else []
        layers.append(nn.ReLU())
    return nn.Sequential(*layers, nn.Conv2d(WIDTH, 1, 3, 1, 1))


class BackgroundStep(nn.Module):
    """The low-rank part: what is left without the targets, corrected by a network."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = _convolutions(3, normalised=True)

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """The background, ``(B, 1, H, W)``."""
        x = image - target
        return x + self.convs(x)


class TargetStep(nn.Module):
    """The sparse part: a gradient step whose threshold is a network."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = _convolutions(6, normalised=False)
        self.epsilon = nn.Parameter(torch.tensor([0.01]))

    def forward(self, image: Tensor, background: Tensor, target: Tensor) -> Tensor:
        """The targets, ``(B, 1, H, W)``."""
        x = target + image - background
        return x - self.epsilon * self.convs(x)


class ReconstructionStep(nn.Module):
    """The image again, from its parts."""

    def __init__(self) -> None:
        super().__init__()
        self.mapping = _convolutions(3, normalised=True)

    def forward(self, background: Tensor, target: Tensor) -> Tensor:
        """The image, ``(B, 1, H, W)``."""
        return self.mapping(background + target)


class Stage(nn.Module):
    """One iteration of the decomposition."""

    def __init__(self) -> None:
        super().__init__()
        self.lowrank = BackgroundStep()
        self.sparse = TargetStep()
        self.merge = ReconstructionStep()

    def forward(self, image: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """From image and targets to both again."""
        background = self.lowrank(image, target)
        target = self.sparse(image, background, target)
        return self.merge(background, target), target


class RPCANetwork(nn.Module):
    """Six stages with weights of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.decos = nn.ModuleList(Stage() for _ in range(N_STAGES))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """From ``(B, 1, H, W)`` to the reconstruction and the logits of targets, same size."""
        image, target = images, torch.zeros_like(images)
        for one in self.decos:
            image, target = one(image, target)
        return image, target
