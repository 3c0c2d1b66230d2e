"""Faster R-CNN's network: ResNet-50, region proposals at stride 16, and its last stage on each.

References
----------
.. [1] S. Ren, K. He, R. Girshick, J. Sun, "Faster R-CNN: towards real-time object detection
   with region proposal networks", IEEE TPAMI 39(6), 2017.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from irbench.errors import ImageError
from irbench.networks.letterbox import has_area
from irbench.networks.nms import non_maximum_suppression

from ._anchor_boxes import decode, grid_anchors
from ._resnet50 import ResNet50
from ._roi_align import roi_align

STRIDE = 16
RATIOS = (0.5, 1.0, 2.0)
N_SIDES = 5
"""Anchors of a ratio, each twice as large as the one before."""

ROI_SIDE = 14
PROPOSAL_IOU = 0.7
DEVIATIONS = (0.1, 0.1, 0.2, 0.2)
"""What the second stage's offsets are divided by before they are learned."""

_BODY_STAGES = 3
_CHUNK = 64
"""Proposals that pass the second stage together in inference; changes memory only."""


class ProposalLimits(NamedTuple):
    """How many proposals there are of an image, before and after suppression."""

    before: int
    after: int


TRAINING_LIMITS, INFERENCE_LIMITS = ProposalLimits(12000, 2000), ProposalLimits(6000, 1000)


class FasterOutput(NamedTuple):
    """What the first stage says.

    Attributes
    ----------
    features : (B, C, H/16, W/16) Tensor
    logits : (B, N) Tensor
        Of each anchor, of being a target.
    offsets : (B, N, 4) Tensor
        See :func:`._anchor_boxes.encode`.
    size : (int, int)
        Height and width of the images, in pixels.
    """

    features: Tensor
    logits: Tensor
    offsets: Tensor
    size: tuple[int, int]


class ProposalNetwork(nn.Module):
    """Objectness and offsets of the anchors of each cell.

    Parameters
    ----------
    channels, n_anchors : int
    """

    def __init__(self, channels: int, n_anchors: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 1, 1)
        self.objectness = nn.Conv2d(channels, n_anchors, 1)
        self.offsets = nn.Conv2d(channels, 4 * n_anchors, 1)
        for layer in (self.conv, self.objectness, self.offsets):
            _initialise(layer, 0.01)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """From ``(B, C, H, W)`` to logits ``(B, N)`` and offsets ``(B, N, 4)``."""
        x = torch.relu(self.conv(features))
        logits = self.objectness(x).permute(0, 2, 3, 1).flatten(1)
        offsets = self.offsets(x).permute(0, 2, 3, 1)
        return logits, offsets.reshape(len(x), -1, 4)


class FasterNetwork(nn.Module):
    """Faster R-CNN with one class.

    Parameters
    ----------
    smallest_anchor : float
        Side of the smallest anchor in pixels; 32 in common code.
    limits : ProposalLimits
        Of inference.
    width : float
        Times which the channels are, for small tests.
    """

    def __init__(
        self,
        smallest_anchor: float = 32.0,
        limits: ProposalLimits = INFERENCE_LIMITS,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        self.sides = [smallest_anchor * 2**i for i in range(N_SIDES)]
        self.limits = limits
        self.body = ResNet50(width)
        channels = self.body.channels
        self.proposals = ProposalNetwork(channels[_BODY_STAGES - 1], N_SIDES * len(RATIOS))
        self.classify = nn.Linear(channels[-1], 2)
        self.regress = nn.Linear(channels[-1], 4)
        _initialise(self.classify, 0.01)
        _initialise(self.regress, 0.001)

    def forward(self, images: Tensor) -> FasterOutput:
        """From ``(B, 3, H, W)``, sides multiples of 16, to what the first stage says.

        Raises
        ------
        ImageError
            For other sides.
        """
        height, width = images.shape[2], images.shape[3]
        if height % STRIDE or width % STRIDE:
            raise ImageError(
                f"the sides of Faster R-CNN's input must be multiples of {STRIDE}, got "
                f"{height}x{width}."
            )
        features = self.body(images, _BODY_STAGES)[-1]
        logits, offsets = self.proposals(features)
        return FasterOutput(features, logits, offsets, (height, width))

    def anchors(self, output: FasterOutput) -> Tensor:
        """The anchors, ``(N, 4)`` in pixels of the input."""
        rows, columns = output.features.shape[2:]
        found = grid_anchors((rows, columns), STRIDE, self.sides, RATIOS)
        return found.to(output.features.device)

    def propose(self, output: FasterOutput, limits: ProposalLimits) -> list[Tensor]:
        """The proposals of each image, ``(M, 4)``, best first, inside it."""
        logits, offsets = output.logits.float(), output.offsets.float()
        best, index = logits.topk(min(limits.before, logits.shape[1]), dim=1)
        spread = index[..., None].expand(-1, -1, 4)
        anchors = self.anchors(output).expand(len(logits), -1, -1)
        boxes = _clip(decode(offsets.gather(1, spread), anchors.gather(1, spread)), output.size)
        if boxes.is_meta:
            # Work is counted by shapes alone: nothing is known to suppress anything.
            return list(boxes[:, : limits.after])
        scores = best.sigmoid() * has_area(boxes)
        kept = non_maximum_suppression(
            boxes,
            scores[..., None],
            confidence=0.0,
            iou_threshold=PROPOSAL_IOU,
            max_detections=limits.after,
        )
        return [one.boxes for one in kept]

    def judge(self, features: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """The second stage on proposals of one image.

        Parameters
        ----------
        features : (C, H, W) Tensor
        boxes : (M, 4) Tensor

        Returns
        -------
        logits : (M, 2) Tensor
            Of background and target.
        offsets : (M, 4) Tensor
            Over :data:`DEVIATIONS`.
        """
        pooled = roi_align(features, boxes, STRIDE, ROI_SIDE)
        described = self.body.stages[_BODY_STAGES](pooled).mean((2, 3))
        return self.classify(described), self.regress(described)

    def decode(self, output: FasterOutput) -> tuple[Tensor, Tensor]:
        """All boxes with their scores, ``(B, M, 4)`` and ``(B, M, 1)``; filled up with zeros."""
        boxes, scores = [], []
        deviations = output.features.new_tensor(DEVIATIONS).float()
        for features, proposed in zip(
            output.features, self.propose(output, self.limits), strict=True
        ):
            judged = [self.judge(features, part) for part in torch.split(proposed, _CHUNK)]
            logits = torch.cat([one for one, _ in judged]).float()
            offsets = torch.cat([one for _, one in judged]).float() * deviations
            boxes.append(_clip(decode(offsets, proposed), output.size))
            scores.append(logits.softmax(1)[:, 1:])
        return pad_sequence(boxes, batch_first=True), pad_sequence(scores, batch_first=True)


def _clip(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes inside an image of this height and width."""
    x, y = boxes[..., 0::2].clamp(0, size[1]), boxes[..., 1::2].clamp(0, size[0])
    return torch.stack([x, y], -1).flatten(-2)


def _initialise(layer: nn.Conv2d | nn.Linear, deviation: float) -> None:
    nn.init.normal_(layer.weight, std=deviation)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
