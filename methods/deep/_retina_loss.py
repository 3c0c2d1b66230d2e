"""RetinaNet's loss: focal loss of all anchors, smooth L1 of those that stand for a target.

References
----------
.. [1] T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object
   detection", ICCV 2017.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from irbench.networks.detector import LossSums

from ._anchor_boxes import BACKGROUND, IGNORED, encode, match
from ._retina_network import RetinaNetwork, RetinaOutput

ALPHA, GAMMA = 0.25, 2.0
POSITIVE_IOU, NEGATIVE_IOU = 0.5, 0.4
SMOOTH_L1_BETA = 1 / 9


def focal_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Eq. (5) of [1]_ per element, in natural logarithms.

    Parameters
    ----------
    logits : Tensor
    targets : Tensor
        0 or 1, of the same shape.
    """
    p = logits.sigmoid()
    missed = torch.where(targets > 0, 1 - p, p)
    weight = torch.where(targets > 0, ALPHA, 1 - ALPHA) * missed**GAMMA
    return weight * functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")


class RetinaLoss:
    """The loss of a network's outputs.

    Parameters
    ----------
    network : RetinaNetwork
        Whose anchors they are of.
    """

    def __init__(self, network: RetinaNetwork) -> None:
        self._network = network

    def sums(self, outputs: Any, targets: Tensor) -> LossSums:
        """Sums over the anchors of a batch; the weight is the number of positive ones.

        Parameters
        ----------
        outputs : RetinaOutput
        targets : (M, 6) Tensor
            Row in the batch, class, ``x0, y0, x1, y1`` in pixels of the input.
        """
        assert isinstance(outputs, RetinaOutput)
        logits = torch.cat(outputs.logits, 1).float()
        offsets = torch.cat(outputs.offsets, 1).float()
        anchors = torch.cat(self._network.anchors(outputs.shapes)).to(logits.device)
        boxes = [targets[targets[:, 0] == row, 2:].float() for row in range(len(logits))]
        matched = torch.stack(
            [match(anchors, one, positive=POSITIVE_IOU, negative=NEGATIVE_IOU) for one in boxes]
        )
        positive = matched > BACKGROUND
        classes = focal_loss(logits, positive.float())[matched != IGNORED].sum()
        moved = offsets.sum() * 0
        for row, one in enumerate(boxes):
            chosen = positive[row]
            wanted = encode(one[matched[row, chosen]], anchors[chosen])
            moved = moved + functional.smooth_l1_loss(
                offsets[row, chosen], wanted, beta=SMOOTH_L1_BETA, reduction="sum"
            )
        return LossSums({"classes": classes, "boxes": moved}, positive.sum().float())
