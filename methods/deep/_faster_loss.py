"""Faster R-CNN's loss: both stages on samples of their anchors and proposals.

References
----------
.. [1] S. Ren, K. He, R. Girshick, J. Sun, "Faster R-CNN: towards real-time object detection
   with region proposal networks", IEEE TPAMI 39(6), 2017.
"""

from __future__ import annotations

import zlib
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from irbench.networks.detector import LossSums

from ._anchor_boxes import BACKGROUND, encode, match
from ._faster_network import DEVIATIONS, TRAINING_LIMITS, FasterNetwork, FasterOutput

ANCHOR_POSITIVE_IOU, ANCHOR_NEGATIVE_IOU = 0.7, 0.3
N_ANCHORS, ANCHOR_POSITIVES = 256, 0.5
PROPOSAL_IOU = 0.5
N_PROPOSALS, PROPOSAL_POSITIVES = 512, 0.25
"""Numbers that are sampled of an image, and the greatest part of them that is positive."""

SMOOTH_L1_BETA = 1 / 9


def sample(matched: Tensor, n: int, positive_part: float, seed: int) -> Tensor:
    """Choose positives and negatives at random, those that are ignored never.

    Parameters
    ----------
    matched : (N,) Tensor of int64
        See :func:`._anchor_boxes.match`.
    n : int
        At most so many.
    positive_part : float
        At most this part of them positive; negatives fill up.
    seed : int

    Returns
    -------
    (M,) Tensor of int64
        Indices, positives first.
    """
    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(len(matched), generator=generator).to(matched.device)
    kinds = matched[shuffled]
    positives = shuffled[kinds > BACKGROUND][: int(n * positive_part)]
    negatives = shuffled[kinds == BACKGROUND][: n - len(positives)]
    return torch.cat([positives, negatives])


class FasterLoss:
    """The loss of a network's outputs; it runs the second stage on what it samples.

    Samples depend on the targets of an image and on the number of batches that the network
    has seen, so that a resumed training draws the same.

    Parameters
    ----------
    network : FasterNetwork
    n_proposals : int
        That are sampled of an image.
    """

    def __init__(self, network: FasterNetwork, n_proposals: int = N_PROPOSALS) -> None:
        self._network = network
        self._n_proposals = n_proposals

    def sums(self, outputs: Any, targets: Tensor) -> LossSums:
        """Sums over the images of a batch; the weight is their number.

        Parameters
        ----------
        outputs : FasterOutput
        targets : (M, 6) Tensor
            Row in the batch, class, ``x0, y0, x1, y1`` in pixels of the input.
        """
        assert isinstance(outputs, FasterOutput)
        anchors = self._network.anchors(outputs)
        with torch.no_grad():
            proposed = self._network.propose(outputs, TRAINING_LIMITS)
        terms: dict[str, Tensor] = {}
        for row, proposals in enumerate(proposed):
            boxes = targets[targets[:, 0] == row, 2:].float()
            seed = self._seed(boxes)
            first = _anchor_terms(
                outputs.logits[row].float(), outputs.offsets[row].float(), anchors, boxes, seed
            )
            second = self._proposal_terms(outputs.features[row], proposals, boxes, seed)
            for name, term in (first | second).items():
                terms[name] = terms[name] + term if name in terms else term
        return LossSums(terms, float(len(proposed)))

    def _proposal_terms(
        self, features: Tensor, proposals: Tensor, boxes: Tensor, seed: int
    ) -> dict[str, Tensor]:
        # The targets are proposals too: at the start no other overlaps them.
        candidates = torch.cat([proposals, boxes])
        matched = match(
            candidates,
            boxes,
            positive=PROPOSAL_IOU,
            negative=PROPOSAL_IOU,
        )
        chosen = sample(matched, self._n_proposals, PROPOSAL_POSITIVES, seed)
        device = features.device.type
        with torch.autocast(device, features.dtype, enabled=features.dtype != torch.float32):
            logits, offsets = self._network.judge(features, candidates[chosen])
        matched = matched[chosen]
        positive = matched > BACKGROUND
        wanted = encode(boxes[matched[positive]], candidates[chosen][positive])
        wanted = wanted / wanted.new_tensor(DEVIATIONS)
        n = max(len(chosen), 1)
        classes = functional.cross_entropy(logits.float(), positive.long(), reduction="sum")
        moved = _smooth_l1(offsets.float()[positive], wanted)
        return {"classes": classes / n, "boxes": moved / n}

    def _seed(self, boxes: Tensor) -> int:
        seen = int(self._network.body.bn1.num_batches_tracked or 0)
        return zlib.crc32(boxes.cpu().numpy().tobytes(), seen)


def _anchor_terms(
    logits: Tensor, offsets: Tensor, anchors: Tensor, boxes: Tensor, seed: int
) -> dict[str, Tensor]:
    matched = match(anchors, boxes, positive=ANCHOR_POSITIVE_IOU, negative=ANCHOR_NEGATIVE_IOU)
    chosen = sample(matched, N_ANCHORS, ANCHOR_POSITIVES, seed)
    positive = chosen[matched[chosen] > BACKGROUND]
    wanted = encode(boxes[matched[positive]], anchors[positive])
    objectness = functional.binary_cross_entropy_with_logits(
        logits[chosen], (matched[chosen] > BACKGROUND).float(), reduction="sum"
    )
    n = max(len(chosen), 1)
    return {
        "anchors": objectness / n,
        "anchor boxes": _smooth_l1(offsets[positive], wanted) / n,
    }


def _smooth_l1(offsets: Tensor, wanted: Tensor) -> Tensor:
    return functional.smooth_l1_loss(offsets, wanted, beta=SMOOTH_L1_BETA, reduction="sum")
