"""Non-maximum suppression in plain PyTorch: exactly the greedy rule, without its loop.

The greedy rule visits boxes by descending score and keeps one unless a kept one
suppresses it. Over a block of boxes that is the only fixed point of "kept = not
suppressed by any kept one before", reached by iterating from all kept: each round
settles at least one more box, and in practice a handful of rounds settle all. [1]_

References
----------
.. [1] Z. Zheng et al., "Enhancing geometric factors in model learning and inference
   for object detection and instance segmentation", IEEE Trans. Cybernetics, 2021.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from irbench.errors import UsageError
from irbench.networks.box_iou import box_iou

BLOCK = 256
"""Boxes settled together: the overlaps of a block with itself are a matrix."""


class Kept(NamedTuple):
    """The boxes that are left of one image, by descending score.

    Attributes
    ----------
    boxes : (K, 4) Tensor
    scores : (K,) Tensor
    classes : (K,) Tensor of int64
    """

    boxes: Tensor
    scores: Tensor
    classes: Tensor


def non_maximum_suppression(
    boxes: Tensor,
    scores: Tensor,
    *,
    confidence: float = 0.001,
    iou_threshold: float = 0.7,
    max_detections: int = 300,
) -> list[Kept]:
    """Keep the best of boxes that overlap, per image and class.

    Parameters
    ----------
    boxes : (B, N, 4) Tensor
        ``(x0, y0, x1, y1)``.
    scores : (B, N, n_classes) Tensor
        A box stands for every class in which its score is high enough.
    confidence : float
        Only scores above this; at least 0.
    iou_threshold : float
        A box suppresses those of lower score with a greater IoU than this.
    max_detections : int
        The most to keep of an image, of all classes together.

    Returns
    -------
    list of Kept
        One per image.

    Raises
    ------
    UsageError

    Notes
    -----
    Deterministic: equal scores count in the order of the boxes, then of the classes.
    No limit on the candidates beforehand: memory grows with their number, not with
    its square.
    """
    if boxes.ndim != 3 or scores.ndim != 3 or boxes.shape != (*scores.shape[:2], 4):
        raise UsageError(
            "boxes must be (B, N, 4) and scores (B, N, n_classes), "
            f"got {tuple(boxes.shape)} and {tuple(scores.shape)}."
        )
    if confidence < 0:
        raise UsageError(f"confidence must be at least 0, got {confidence}.")
    n_classes = scores.shape[2]
    flat = scores.flatten(1)
    enough = flat > confidence
    counts = enough.sum(1)
    n = int(counts.max()) if counts.numel() else 0
    # Sorted whole and cut: the rejected, at 0, stand behind all others.
    ranked, order = torch.where(enough, flat, 0).sort(dim=1, descending=True, stable=True)
    ranked, order = ranked[:, :n], order[:, :n]
    box_index = order // n_classes
    classes = order % n_classes
    candidates = boxes.gather(1, box_index[..., None].expand(-1, -1, 4))

    def suppresses(rows: Tensor, columns: Tensor) -> Tensor:
        before, after = _take(candidates, rows), _take(candidates, columns)
        near = box_iou(before[:, :, None], after[:, None]) > iou_threshold
        if n_classes == 1:
            return near
        return near & (classes.gather(1, rows)[:, :, None] == classes.gather(1, columns)[:, None])

    valid = torch.arange(n, device=flat.device) < counts[:, None]
    keep = suppress_greedily(valid, suppresses, max_detections)
    return [
        Kept(candidates[i, kept], ranked[i, kept], classes[i, kept]) for i, kept in enumerate(keep)
    ]


def suppress_greedily(
    valid: Tensor, suppresses: Callable[[Tensor, Tensor], Tensor], limit: int, block: int = BLOCK
) -> Tensor:
    """The greedy rule over candidates in order of their rank.

    Parameters
    ----------
    valid : (B, N) Tensor of bool
        The candidates of each image, best first; False for padding.
    suppresses : callable
        Takes indices ``(B, R)`` and ``(B, C)`` into the candidates; returns
        ``(B, R, C)`` bool: whether the first, if kept, suppresses the second.
        Asked only about pairs of which the first ranks before the second.
    limit : int
        The most to keep of an image.
    block : int
        Candidates settled together; changes time and memory only.

    Returns
    -------
    (B, N) Tensor of bool
    """
    n_images, n = valid.shape
    keep = torch.zeros_like(valid)
    # One column more, for what is not to be remembered.
    kept_index = torch.zeros(n_images, min(limit, n) + 1, dtype=torch.int64, device=valid.device)
    n_kept = torch.zeros(n_images, 1, dtype=torch.int64, device=valid.device)
    for start in range(0, n, block):
        columns = torch.arange(start, min(start + block, n), device=valid.device)
        columns = columns.expand(n_images, -1)
        alive = valid[:, start : start + block]
        most = int(n_kept.max()) if start else 0
        if most:
            filled = torch.arange(most, device=valid.device) < n_kept
            hit = suppresses(kept_index[:, :most], columns) & filled[..., None]
            alive = alive & ~hit.any(1)
        # What is left comes first; in a crowd that is little of the block.
        n_alive = int(alive.sum(1).max())
        first = (~alive).to(torch.int8).argsort(dim=1, stable=True)[:, :n_alive]
        columns, alive = columns.gather(1, first), alive.gather(1, first)
        kept = _fixed_point(alive, suppresses(columns, columns).triu(1))
        rank = n_kept + kept.cumsum(1)
        kept = kept & (rank <= limit)
        keep.scatter_(1, columns, kept)
        kept_index.scatter_(1, torch.where(kept, rank - 1, kept_index.shape[1] - 1), columns)
        n_kept = n_kept + kept.sum(1, keepdim=True)
        if bool((n_kept >= limit).all()):
            break
    return keep


def _fixed_point(alive: Tensor, suppresses: Tensor) -> Tensor:
    """The kept of ``(B, C)`` boxes, given who suppresses whom, ``(B, C, C)``, later ones only."""
    kept = alive
    while True:
        settled = alive & ~(suppresses & kept[..., None]).any(1)
        if torch.equal(settled, kept):
            return kept
        kept = settled


def _take(boxes: Tensor, index: Tensor) -> Tensor:
    return boxes.gather(1, index[..., None].expand(-1, -1, 4))
