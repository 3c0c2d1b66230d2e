"""RetinaNet's network: ResNet-50, a feature pyramid, and two towers shared by its levels.

References
----------
.. [1] T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object
   detection", ICCV 2017.
.. [2] T.-Y. Lin et al., "Feature pyramid networks for object detection", CVPR 2017.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from irbench.errors import ImageError

from ._anchor_boxes import decode, grid_anchors
from ._resnet50 import ResNet50

STRIDES = (8, 16, 32, 64, 128)
RATIOS = (0.5, 1.0, 2.0)
OCTAVES = tuple(2 ** (i / 3) for i in range(3))
PRIOR = 0.01
"""Score of every anchor at the start, Section 4.1 of [1]_."""

CANDIDATES = 1000
"""Boxes of highest score that a level hands on, Section 4.1 of [1]_."""

_N_ANCHORS = len(RATIOS) * len(OCTAVES)


class RetinaOutput(NamedTuple):
    """What the network says of each anchor, by level.

    Attributes
    ----------
    logits : list of (B, N) Tensor
        Of being a target.
    offsets : list of (B, N, 4) Tensor
        See :func:`._anchor_boxes.encode`.
    shapes : list of (int, int)
        Rows and columns of each level.
    """

    logits: list[Tensor]
    offsets: list[Tensor]
    shapes: list[tuple[int, int]]


class Pyramid(nn.Module):
    """The feature pyramid P3 to P7; P6 from the last stage, as in [1]_.

    Parameters
    ----------
    incoming : tuple of int
        Channels of C3, C4, C5.
    channels : int
        Of every level.
    """

    def __init__(self, incoming: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(one, channels, 1) for one in incoming)
        self.output = nn.ModuleList(nn.Conv2d(channels, channels, 3, 1, 1) for _ in incoming)
        self.p6 = nn.Conv2d(incoming[-1], channels, 3, 2, 1)
        self.p7 = nn.Conv2d(channels, channels, 3, 2, 1)

    def forward(self, stages: list[Tensor]) -> list[Tensor]:
        """From C3, C4, C5 to P3 … P7."""
        merged = [lateral(one) for lateral, one in zip(self.lateral, stages, strict=True)]
        for i in range(len(merged) - 2, -1, -1):
            merged[i] = merged[i] + functional.interpolate(merged[i + 1], scale_factor=2.0)
        levels = [output(one) for output, one in zip(self.output, merged, strict=True)]
        # In float32 always: in bfloat16 on a CPU, the weights' gradient of a strided 3x3
        # convolution of a single cell is now and then not finite (torch 2.13).
        with torch.autocast(stages[-1].device.type, enabled=False):
            p6 = self.p6(stages[-1].float())
            p7 = self.p7(torch.relu(p6))
        return [*levels, p6, p7]


class RetinaNetwork(nn.Module):
    """RetinaNet with one class.

    Parameters
    ----------
    anchor_scale : float
        Side of the smallest anchor of a level over its stride; 4 in [1]_.
    width : float
        Times which the channels are, for small tests.
    """

    def __init__(self, anchor_scale: float = 4.0, width: float = 1.0) -> None:
        super().__init__()
        channels = max(int(256 * width), 1)
        self.anchor_scale = anchor_scale
        self.body = ResNet50(width)
        self.pyramid = Pyramid(self.body.channels[1:], channels)
        self.class_tower, self.box_tower = _tower(channels), _tower(channels)
        self.classify = nn.Conv2d(channels, _N_ANCHORS, 3, 1, 1)
        self.regress = nn.Conv2d(channels, 4 * _N_ANCHORS, 3, 1, 1)
        for head in (self.class_tower, self.box_tower, self.classify, self.regress):
            for module in head.modules():
                if isinstance(module, nn.Conv2d):
                    # A narrow network's towers let as much through as the published one's.
                    nn.init.normal_(module.weight, std=0.01 / math.sqrt(width))
                    assert module.bias is not None
                    nn.init.zeros_(module.bias)
        assert self.classify.bias is not None
        nn.init.constant_(self.classify.bias, -math.log((1 - PRIOR) / PRIOR))

    def forward(self, images: Tensor) -> RetinaOutput:
        """From ``(B, 3, H, W)``, sides multiples of 32, to what it says of the anchors.

        Raises
        ------
        ImageError
            For other sides.
        """
        if images.shape[2] % 32 or images.shape[3] % 32:
            raise ImageError(
                f"the sides of RetinaNet's input must be multiples of 32, got "
                f"{images.shape[2]}x{images.shape[3]}."
            )
        logits, offsets, shapes = [], [], []
        for level in self.pyramid(self.body(images)[1:]):
            scores = self.classify(self.class_tower(level))
            moves = self.regress(self.box_tower(level))
            logits.append(scores.permute(0, 2, 3, 1).flatten(1))
            offsets.append(moves.permute(0, 2, 3, 1).reshape(len(moves), -1, 4))
            shapes.append((level.shape[2], level.shape[3]))
        return RetinaOutput(logits, offsets, shapes)

    def anchors(self, shapes: list[tuple[int, int]]) -> list[Tensor]:
        """The anchors of each level, ``(N, 4)`` in pixels of the input."""
        return [
            grid_anchors(
                shape, stride, [self.anchor_scale * stride * octave for octave in OCTAVES], RATIOS
            )
            for shape, stride in zip(shapes, STRIDES, strict=True)
        ]

    def decode(self, output: RetinaOutput) -> tuple[Tensor, Tensor]:
        """The best boxes of each level with their scores, ``(B, N, 4)`` and ``(B, N, 1)``."""
        boxes, scores = [], []
        levels = zip(output.logits, output.offsets, self.anchors(output.shapes), strict=True)
        for logits, offsets, anchors in levels:
            best, index = logits.float().topk(min(CANDIDATES, logits.shape[1]), dim=1)
            spread = index[..., None].expand(-1, -1, 4)
            placed = anchors.to(offsets.device).expand(len(logits), -1, -1).gather(1, spread)
            boxes.append(decode(offsets.float().gather(1, spread), placed))
            scores.append(best.sigmoid())
        return torch.cat(boxes, 1), torch.cat(scores, 1)[..., None]


def _tower(channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(4):
        layers += [nn.Conv2d(channels, channels, 3, 1, 1), nn.ReLU()]
    return nn.Sequential(*layers)
