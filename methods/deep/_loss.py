"""The loss of a one-stage detector with distributed distances.

References
----------
.. [1] X. Li et al., "Generalized focal loss: learning qualified and distributed
   bounding boxes for dense object detection", NeurIPS 2020, Eq. (6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from irbench.errors import UsageError
from irbench.networks.box_iou import NWD_CONSTANT_PX, Similarity, check_similarity, similarity
from irbench.networks.detector import LossSums

from ._anchors import (
    REG_MAX,
    anchor_points,
    boxes_from_distances,
    distances_from_boxes,
    expected_distances,
    pyramid_sizes,
    widen,
)
from ._assignment import TaskAlignedAssigner


@dataclass(frozen=True, kw_only=True)
class DetectionLoss:
    """Classification, box and distance terms over a batch.

    With the positives of :class:`~._assignment.TaskAlignedAssigner`, their weights
    w, and W the sum of all w, at least 1:

    - ``cls``: binary cross-entropy, Eq. (13) of LE-IRSTD, of all anchors and classes
      against w, 0 for the others, summed, over W;
    - ``box``: ``w · (1 - similarity)``, Eq. (14) to (16) for CIoU, summed, over W;
    - ``dfl``: ``w ·`` the mean of the distribution focal loss of the four sides, summed,
      over W.

    Their sum is Eq. (18) of LE-IRSTD.

    Parameters
    ----------
    strides : tuple of int
        Pixels per cell of each level.
    n_classes : int
    reg_max : int
        Bins of the distribution of a distance.
    assigner : TaskAlignedAssigner
    box_loss : {"ciou", "nwd", "mixed", "iou"}
        The similarity of the box term; ``"nwd"`` tells tiny boxes apart that do not
        overlap, ``"mixed"`` is the mean of that and ``"ciou"``.
    nwd_constant_px : float
        See :func:`~irbench.networks.box_iou.normalized_wasserstein`.
    box_gain, cls_gain, dfl_gain : float

    Raises
    ------
    UsageError, UnknownNameError

    Notes
    -----
    YOLOv8 multiplies the sum by the number of images, which does nothing but weigh
    it against weight decay and gradient clipping; here the caller may.

    Computed in float32 whatever comes in. The positives are found without gradient.
    Deterministic; the host waits for the device twice.

    Examples
    --------
    >>> loss = DetectionLoss(strides=(8,))
    >>> raw_maps = [torch.zeros(2, 4 * 16 + 1, 4, 4)]
    >>> targets = torch.tensor([[1, 0, 9.0, 10.0, 15.0, 16.0]])
    >>> terms, weight = loss.sums(raw_maps, targets)
    >>> {name: bool(term.isfinite()) for name, term in terms.items()}
    {'box': True, 'cls': True, 'dfl': True}
    """

    strides: tuple[int, ...] = (8, 16, 32)
    n_classes: int = 1
    reg_max: int = REG_MAX
    assigner: TaskAlignedAssigner = field(default_factory=TaskAlignedAssigner)
    box_loss: Similarity = "ciou"
    nwd_constant_px: float = NWD_CONSTANT_PX
    box_gain: float = 7.5
    cls_gain: float = 0.5
    dfl_gain: float = 1.5

    def __post_init__(self) -> None:
        check_similarity(self.box_loss)

    def sums(self, raw_maps: Sequence[Tensor], targets: Tensor) -> LossSums:
        """The terms of a batch before the division by W.

        Parameters
        ----------
        raw_maps : sequence of (B, 4 · reg_max + n_classes, H_i, W_i) Tensor
            Logits per level, as the networks return them; any float type.
        targets : (M, 6) Tensor
            Image index, class, then ``(x0, y0, x1, y1)`` in pixels of the network's
            input; M may be 0, and images may have none.

        Returns
        -------
        LossSums
            ``box``, ``cls`` and ``dfl``, and the sum of the weights.

        Raises
        ------
        UsageError
            If the maps do not fit the strides, bins and classes, or for another
            shape of ``targets``.
        """
        sizes, n_classes = pyramid_sizes(raw_maps, self.strides, self.reg_max)
        if n_classes != self.n_classes:
            raise UsageError(f"raw maps must be of {self.n_classes} classes, got {n_classes}.")
        if targets.ndim != 2 or targets.shape[1] != 6:
            raise UsageError(f"targets must have shape (M, 6), got {tuple(targets.shape)}.")
        # Split once and whole: the backward pass then joins two gradients, instead of adding
        # up one for each slice that is as large as the maps.
        parts = [
            torch.split(level.flatten(2).transpose(1, 2), [4 * self.reg_max, n_classes], 2)
            for level in raw_maps
        ]
        box_levels, class_levels = zip(*parts, strict=True)
        class_logits = widen(torch.cat(class_levels, 1))
        targets = targets.to(class_logits)
        image, label = targets[:, 0].long(), targets[:, 1].long()
        boxes = targets[:, 2:]
        grid = anchor_points(sizes, self.strides, device=boxes.device, dtype=boxes.dtype)
        points, cell_px = grid

        candidates = self.assigner.candidates(points, boxes)
        with torch.no_grad():
            of, anchor = candidates
            scores = class_logits[image[of], anchor, label[of]].sigmoid()
            predicted = _boxes(_sides(box_levels, image[of], anchor), grid, anchor)
            overlaps = similarity(
                self.assigner.similarity, predicted, boxes[of], self.assigner.nwd_constant_px
            )
            assignment = self.assigner.assign(
                candidates, scores, overlaps, image, len(class_logits), len(points)
            )
        of, anchor = of[assignment.pair], anchor[assignment.pair]
        weight = assignment.weight
        aims = torch.zeros_like(class_logits)
        aims[image[of], anchor, label[of]] = weight

        sides = _sides(box_levels, image[of], anchor)
        predicted = _boxes(sides, grid, anchor)
        misfit = 1 - similarity(self.box_loss, predicted, boxes[of], self.nwd_constant_px)
        distances = distances_from_boxes(points[anchor], boxes[of]) / cell_px[anchor]
        spread = distribution_focal_loss(sides, distances).mean(-1)

        cross_entropy = F.binary_cross_entropy_with_logits(class_logits, aims, reduction="sum")
        terms = {
            "box": self.box_gain * (misfit * weight).sum(),
            "cls": self.cls_gain * cross_entropy,
            "dfl": self.dfl_gain * (spread * weight).sum(),
        }
        return LossSums(terms, weight.sum())


def distribution_focal_loss(logits: Tensor, distances: Tensor) -> Tensor:
    """Cross-entropy against the two whole numbers beside a distance.

    The distribution focal loss [1]_:
    ``-(1 - f) log p_k - f log p_(k+1)`` for the distance ``k + f`` and the softmax p:
    least, the entropy of (1 - f, f), where the mean of p is the distance.

    Parameters
    ----------
    logits : (..., reg_max) Tensor
    distances : (...) Tensor
        In cells; clipped to [0, reg_max - 1.01].

    Returns
    -------
    (...) Tensor
    """
    # Kept off the last bin, so that the bin above exists.
    distances = distances.clamp(0, logits.shape[-1] - 1.01)
    below = distances.floor()
    fraction = distances - below
    index = below.long().unsqueeze(-1)
    log_p = logits.log_softmax(-1)
    return -(
        (1 - fraction) * log_p.gather(-1, index).squeeze(-1)
        + fraction * log_p.gather(-1, index + 1).squeeze(-1)
    )


def _sides(box_levels: Sequence[Tensor], image: Tensor, anchor: Tensor) -> Tensor:
    """The distance logits of some anchors, ``(P, 4, reg_max)``.

    Read from each level in place, ``(B, H_i · W_i, 4 · reg_max)``: joining the levels
    first would copy all anchors for the sake of a few.
    """
    picked: Tensor | None = None
    start = 0
    for level in box_levels:
        n_cells = level.shape[1]
        local = anchor - start
        rows = level[image, local.clamp(0, n_cells - 1)]
        # Anchors of finer levels have been read already; those of coarser ones will be.
        picked = rows if picked is None else torch.where(local[:, None] < 0, picked, rows)
        start += n_cells
    assert picked is not None
    return widen(picked).reshape(len(picked), 4, picked.shape[1] // 4)


def _boxes(sides: Tensor, grid: tuple[Tensor, Tensor], anchor: Tensor) -> Tensor:
    points, cell_px = grid
    return boxes_from_distances(points[anchor], expected_distances(sides) * cell_px[anchor])
