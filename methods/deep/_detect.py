"""The detection head of YOLOv8: decoupled, anchor-free, distances as distributions.

References
----------
.. [1] X. Li et al., "Generalized focal loss: learning qualified and distributed
   bounding boxes for dense object detection", NeurIPS 2020.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ._anchors import expected_distances
from ._yolo_blocks import CBS


class DistributionMean(nn.Module):
    """The expected distance [1]_ of a distribution over ``reg_max`` whole distances.

    The kernel ``0, 1, …, reg_max - 1`` is frozen, yet a parameter and a module,
    since the published totals count it.
    """

    def __init__(self, reg_max: int) -> None:
        super().__init__()
        self.reg_max = reg_max
        self.conv = nn.Conv2d(reg_max, 1, 1, bias=False).requires_grad_(False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.arange(float(reg_max)).view(1, reg_max, 1, 1))

    def forward(self, logits: Tensor) -> Tensor:
        """``(..., reg_max) -> (...)``, in [0, reg_max - 1]."""
        return expected_distances(logits, self.conv.weight.view(-1))


class Detect(nn.Module):
    """Raw predictions on several pyramid levels.

    Parameters
    ----------
    in_channels : sequence of int
        Channels of each level, finest first.
    strides : sequence of int
        Pixels per cell of each level.
    n_classes : int
    reg_max : int
        Number of whole distances, 0 to ``reg_max - 1`` cells, over which a box
        side is distributed.
    """

    def __init__(
        self, in_channels: Sequence[int], strides: Sequence[int], n_classes: int, reg_max: int
    ) -> None:
        super().__init__()
        box_width = max(16, in_channels[0] // 4, 4 * reg_max)
        class_width = max(in_channels[0], min(n_classes, 100))
        self.box_branches = nn.ModuleList(
            _branch(channels, box_width, 4 * reg_max) for channels in in_channels
        )
        self.class_branches = nn.ModuleList(
            _branch(channels, class_width, n_classes) for channels in in_channels
        )
        self.distribution_mean = DistributionMean(reg_max)
        self._initialise_biases(strides, n_classes)

    def _initialise_biases(self, strides: Sequence[int], n_classes: int) -> None:
        """Start from the prior of some five objects in an image of 640×640."""
        for branch in self.box_branches:
            nn.init.constant_(_last_bias(branch), 1.0)
        for branch, stride in zip(self.class_branches, strides, strict=True):
            prior = 5 / n_classes / (640 / stride) ** 2
            nn.init.constant_(_last_bias(branch), math.log(prior))

    @torch.no_grad()
    def expect_distances(self, mean_cells: float) -> None:
        """Set the biases such that fresh weights predict about these distances.

        The distribution falls off geometrically, ``p(k) ~ q**k``, with this mean over
        infinitely many bins.

        Parameters
        ----------
        mean_cells : float
            Greater than 0.
        """
        falling = math.log(mean_cells / (1 + mean_cells))
        reg_max = self.distribution_mean.reg_max
        bias = falling * torch.arange(float(reg_max)).repeat(4)
        for branch in self.box_branches:
            _last_bias(branch).copy_(bias)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Predict on every level.

        Parameters
        ----------
        maps : sequence of (B, C_i, H_i, W_i) Tensor

        Returns
        -------
        list of (B, 4·reg_max + n_classes, H_i, W_i) Tensor
            Logits: left, top, right and bottom distance, ``reg_max`` each, then
            the classes.
        """
        return [
            torch.cat((box(x), classes(x)), 1)
            for x, box, classes in zip(maps, self.box_branches, self.class_branches, strict=True)
        ]


def _branch(in_channels: int, width: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        CBS(in_channels, width, 3), CBS(width, width, 3), nn.Conv2d(width, out_channels, 1)
    )


def _last_bias(branch: nn.Module) -> Tensor:
    assert isinstance(branch, nn.Sequential)
    bias = branch[-1].bias
    assert isinstance(bias, Tensor)
    return bias
