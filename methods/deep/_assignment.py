"""Task-aligned assignment: which anchors learn which target, and how strongly.

An anchor is good for a target if it is sure of the class and its box fits. The
alignment ``t = s^alpha · u^beta`` of its score s and overlap u measures both; the
``topk`` best candidates of a target become its positives. [1]_

Targets and pairs are kept in flat lists, not padded per image, and only pairs
of an anchor and a target that may be assigned are ever looked at: a few per
target where targets are tiny, out of 8400 anchors.

References
----------
.. [1] C. Feng, Y. Zhong, Y. Gao, M. R. Scott, W. Huang, "TOOD: task-aligned
   one-stage object detection", ICCV 2021, section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from irbench.errors import UsageError
from irbench.networks.box_iou import NWD_CONSTANT_PX, Similarity, check_similarity


class Candidates(NamedTuple):
    """Pairs of a target and an anchor, by target, then by anchor.

    Attributes
    ----------
    target, anchor : (P,) Tensor of int64
    """

    target: Tensor
    anchor: Tensor


class Assignment(NamedTuple):
    """The positives: an anchor of an image stands in it at most once.

    Attributes
    ----------
    pair : (K,) Tensor of int64
        Index into the candidates, ascending.
    weight : (K,) Tensor
        The soft class target in (0, 1], also the weight of the box terms.
    """

    pair: Tensor
    weight: Tensor


@dataclass(frozen=True, kw_only=True)
class TaskAlignedAssigner:
    """The rule of TOOD with the settings of YOLOv8.

    1. Candidates of a target are the anchors strictly inside its box.
    2. Of these the ``topk`` with the greatest alignment ``t > 0``; equal ones in
       the order of the anchors.
    3. An anchor that several targets claim goes to the one with the greatest
       overlap, of equal ones to the first.
    4. Weight: ``t / max t · max u`` over the positives of the target, so that its
       best positive aims at its own overlap.

    Parameters
    ----------
    alpha, beta : float
        Exponents of score and overlap.
    topk : int
        Most positives of a target.
    similarity : {"ciou", "iou", "nwd", "mixed"}
        The overlap u, negative values as 0. YOLOv8 takes ``"ciou"``, TOOD ``"iou"``.
    nwd_constant_px : float
        See :func:`~irbench.networks.box_iou.normalized_wasserstein`.
    min_box_px : float
        Sides of a target that are shorter count as this long, about the same
        centre, in step 1 only. 0, the default, is YOLOv8. See the notes.
    eps : float
        Added to the denominator in step 4. YOLOv8 has 1e-9. See the notes.

    Notes
    -----
    In step 3 YOLOv8 lets any target whose candidate the anchor is compete, even one
    that did not choose it; here only those that claim it do.

    A target of 3 pixels lies between the cells' centres more often than not:
    then it has no candidate, hence no positive, and is learned as background.
    Letterboxed to 256, 320, 512 and 640 pixels, 54, 35, 23 and 6 % of the targets
    of NUDT-SIRST's training and validation images hold no anchor of stride 8, 16
    or 32. Any ``min_box_px`` above the finest stride gives every target one. An
    anchor outside of its target cannot reach it fully, since distances are not
    negative: its best box begins at the anchor.

    With beta = 6 an overlap of 0.05 has t below 1e-8. YOLOv8's ``eps`` = 1e-9 then
    wipes out the weight, and a tiny target, of which an untrained network's boxes
    of some 120 pixels overlap a thousandth, is not learned until others have made
    the boxes small. Without ``eps`` the weight is TOOD's at any scale. Where even the
    greatest CIoU is not positive, as for a long tiny target and such boxes, the
    target has no positive; ``"iou"`` and ``"nwd"`` have none of this.
    """

    alpha: float = 0.5
    beta: float = 6.0
    topk: int = 10
    similarity: Similarity = "ciou"
    nwd_constant_px: float = NWD_CONSTANT_PX
    min_box_px: float = 0.0
    eps: float = 0.0

    def __post_init__(self) -> None:
        check_similarity(self.similarity)
        if self.topk < 1:
            raise UsageError(f"topk must be at least 1, got {self.topk}.")
        if min(self.alpha, self.beta, self.min_box_px, self.eps) < 0:
            raise UsageError(f"alpha, beta, min_box_px and eps must not be negative: {self}.")

    def candidates(self, points: Tensor, boxes: Tensor) -> Candidates:
        """Step 1: the anchors that may learn each target, in an image of their own.

        Parameters
        ----------
        points : (N, 2) Tensor
            Anchors, in pixels.
        boxes : (M, 4) Tensor
            Targets of any images.

        Returns
        -------
        Candidates
        """
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        # Only short sides are rebuilt from the centre, which may round.
        grow = (self.min_box_px - (boxes[:, 2:] - boxes[:, :2])) > 0
        low = torch.where(grow, centres - self.min_box_px / 2, boxes[:, :2])
        high = torch.where(grow, centres + self.min_box_px / 2, boxes[:, 2:])
        x, y = points.unbind(1)
        inside = (x > low[:, :1]) & (x < high[:, :1]) & (y > low[:, 1:]) & (y < high[:, 1:])
        target, anchor = inside.nonzero(as_tuple=True)
        return Candidates(target, anchor)

    def assign(
        self,
        candidates: Candidates,
        scores: Tensor,
        overlaps: Tensor,
        images: Tensor,
        n_images: int,
        n_anchors: int,
    ) -> Assignment:
        """Steps 2 to 4.

        Parameters
        ----------
        candidates : Candidates
        scores : (P,) Tensor
            The anchor's score for the target's class, in [0, 1].
        overlaps : (P,) Tensor
            Similarity of the anchor's box and the target; without gradient, like
            ``scores``.
        images : (M,) Tensor of int64
            Image of each target.
        n_images, n_anchors : int

        Returns
        -------
        Assignment
        """
        target = candidates.target
        n_targets = len(images)
        overlaps = overlaps.clamp_min(0)
        alignment = scores**self.alpha * overlaps**self.beta
        claimed = (_rank(alignment, target, n_targets) < self.topk) & (alignment > 0)

        cell = images[target] * n_anchors + candidates.anchor
        n_cells = n_images * n_anchors
        best = _reduce("amax", torch.where(claimed, overlaps, -1), cell, n_cells, -1)
        claimed &= overlaps == best[cell]
        first = _reduce("amin", torch.where(claimed, target, n_targets), cell, n_cells, n_targets)
        claimed &= target == first[cell]

        greatest_t = _reduce("amax", torch.where(claimed, alignment, 0), target, n_targets, 0)
        greatest_u = _reduce("amax", torch.where(claimed, overlaps, 0), target, n_targets, 0)
        pair = claimed.nonzero().squeeze(1)
        of = target[pair]
        return Assignment(pair, alignment[pair] / (greatest_t[of] + self.eps) * greatest_u[of])


def _rank(values: Tensor, group: Tensor, n_groups: int) -> Tensor:
    """The place of each value in its group, greatest first, equal ones as they stand.

    ``group`` ascends. Two stable sorts, since ``topk`` leaves the order of ties open.
    """
    by_value = values.argsort(descending=True, stable=True)
    order = by_value[group[by_value].argsort(stable=True)]
    starts = torch.searchsorted(group.contiguous(), torch.arange(n_groups, device=group.device))
    position = torch.arange(len(group), device=group.device)
    rank = torch.empty_like(group)
    rank[order] = position - starts[group]
    return rank


def _reduce(how: str, values: Tensor, index: Tensor, size: int, start: float) -> Tensor:
    """The greatest or least of the values at each index; the same in any order of them."""
    return values.new_full((size,), start).scatter_reduce(0, index, values, how)
