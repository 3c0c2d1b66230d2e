"""Stems, residual blocks, fusions and heads of the ACM family.

Modules bear the names of the published checkpoints, so that these load without a mapping.
"""

from __future__ import annotations

from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with normalisation, and a shortcut (ACM, section 3.3)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, inputs, H, W)`` to ``(B, outputs, H / stride, W / stride)``."""
        return (self.body(x) + self.downsample(x)).relu_()


class BasicBlock(nn.Module):
    """The same block with ResNet's names."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        adapts = inputs != outputs or stride != 1
        self.downsample = shortcut(inputs, outputs, stride) if adapts else None

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, inputs, H, W)`` to ``(B, outputs, H / stride, W / stride)``."""
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return (y + (x if self.downsample is None else self.downsample(x))).relu_()


class BiasedBlock(nn.Module):
    """Two 3×3 convolutions with biases and normalisation, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, activation: nn.Module) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = activation
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Sequential | None = None
        if inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs))

    def weigh(self, y: Tensor) -> Tensor:
        """What becomes of the convolutions' map before the shortcut is added: nothing here."""
        return y

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, inputs, H, W)`` to ``(B, outputs, H, W)``."""
        y = self.weigh(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        return self.relu(y + (x if self.shortcut is None else self.shortcut(x)))


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """A 1×1 convolution with normalisation where shapes differ, else nothing."""
    if inputs == outputs and stride == 1:
        return nn.Sequential()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def stage(
    block: type[ResidualBlock] | type[BasicBlock], inputs: int, outputs: int, n: int, stride: int
) -> nn.Sequential:
    """``n`` blocks, the first with the stride."""
    first = block(inputs, outputs, stride)
    return nn.Sequential(first, *(block(outputs, outputs) for _ in range(n - 1)))


def deep_stem(channels: int, width: int, momentum: float = 0.1) -> nn.Sequential:
    """Three 3×3 convolutions and a pooling, to a quarter of the size."""
    half = width // 2
    return nn.Sequential(
        nn.BatchNorm2d(channels, momentum=momentum),
        nn.Conv2d(channels, half, 3, 2, 1, bias=False),
        nn.BatchNorm2d(half, momentum=momentum),
        nn.ReLU(),
        nn.Conv2d(half, half, 3, 1, 1, bias=False),
        nn.BatchNorm2d(half, momentum=momentum),
        nn.ReLU(),
        nn.Conv2d(half, width, 3, 1, 1, bias=False),
        nn.BatchNorm2d(width, momentum=momentum),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
    )


class AsymmetricFusion(nn.Module):
    """Asymmetric contextual modulation of a coarse and a fine map (ACM, equation 5).

    Parameters
    ----------
    channels : int
    high : int or None
        Channels of the coarse map where a 1×1 convolution adapts it; None: no such convolution.
    momentum : float
        Of the normalisations.
    """

    def __init__(self, channels: int, high: int | None = None, momentum: float = 0.1) -> None:
        super().__init__()
        narrow = channels // 4
        self.feature_high: nn.Sequential | None = None
        if high is not None:
            self.feature_high = layer(high, channels, 1, momentum=momentum)
        self.topdown = nn.Sequential(nn.AdaptiveAvgPool2d(1), *gate(channels, narrow, momentum))
        self.bottomup = gate(channels, narrow, momentum)
        self.post = layer(channels, channels, 3, momentum=momentum)

    def forward(self, high: Tensor, low: Tensor) -> Tensor:
        """Fuse two maps of one size, ``(B, C, H, W)``."""
        if self.feature_high is not None:
            high = self.feature_high(high)
        return self.post(2 * low * self.topdown(high) + 2 * high * self.bottomup(low))


def layer(
    inputs: int, outputs: int, kernel: int, *, bias: bool = True, momentum: float = 0.1
) -> nn.Sequential:
    """A convolution that keeps the size, normalised, and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, 1, kernel // 2, bias=bias),
        nn.BatchNorm2d(outputs, momentum=momentum),
        nn.ReLU(),
    )


def gate(channels: int, narrow: int, momentum: float = 0.1) -> nn.Sequential:
    """Weights in [0, 1] of each pixel and channel, through ``narrow`` channels."""
    return nn.Sequential(
        *layer(channels, narrow, 1, momentum=momentum),
        nn.Conv2d(narrow, channels, 1),
        nn.BatchNorm2d(channels, momentum=momentum),
        nn.Sigmoid(),
    )


class Head(nn.Module):
    """A 3×3 convolution to a quarter of the channels, and one map of logits."""

    def __init__(self, channels: int, momentum: float = 0.1, *, bias: bool = False) -> None:
        super().__init__()
        narrow = channels // 4
        self.block = nn.Sequential(
            *layer(channels, narrow, 3, bias=bias, momentum=momentum),
            nn.Dropout(0.1),
            nn.Conv2d(narrow, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, channels, H, W)`` to ``(B, 1, H, W)``."""
        return self.block(x)
