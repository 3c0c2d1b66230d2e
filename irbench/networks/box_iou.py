"""How alike two boxes are: IoU, complete IoU, normalised Wasserstein distance.

Everything is elementwise over the leading axes, differentiable with respect to
both boxes, in the dtype that comes in, and finite for boxes without area.

References
----------
.. [1] Z. Zheng et al., "Distance-IoU loss: faster and better learning for
   bounding box regression", AAAI 2020.
.. [2] J. Wang, C. Xu, W. Yang, L. Yu, "A normalized Gaussian Wasserstein
   distance for tiny object detection", arXiv:2110.13389, 2021.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from irbench.errors import UnknownNameError

Similarity = Literal["iou", "ciou", "nwd", "mixed"]

NWD_CONSTANT_PX = 12.8
"""The constant of [2]_: the mean size of the objects of AI-TOD, in pixels.

Also about right here: the mean side of NUDT-SIRST's targets is 6.5 pixels at
256×256, which is 16 at the network's 640×640.
"""

_EPS = 1e-7


def box_iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes taken pair by pair.

    Parameters
    ----------
    a, b : (..., 4) Tensor
        ``(x0, y0, x1, y1)``; the leading axes broadcast.

    Returns
    -------
    (...) Tensor
        In [0, 1]; 0 where neither box has an area.

    Examples
    --------
    >>> box_iou(torch.tensor([0.0, 0, 2, 2]), torch.tensor([1.0, 0, 3, 2])).item()
    0.3333333432674408
    """
    return intersection_over(a, b)[0]


def intersection_over(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over the union, and over the area of ``b``.

    Parameters
    ----------
    a, b : (..., 4) Tensor

    Returns
    -------
    iou, covered : (...) Tensor
        ``covered`` is the part of ``b`` that lies in ``a``, in [0, 1].
    """
    ax0, ay0, ax1, ay1 = a.unbind(-1)
    bx0, by0, bx1, by1 = b.unbind(-1)
    width = (torch.minimum(ax1, bx1) - torch.maximum(ax0, bx0)).clamp_min(0)
    height = (torch.minimum(ay1, by1) - torch.maximum(ay0, by0)).clamp_min(0)
    intersection = width * height
    area = (bx1 - bx0) * (by1 - by0)
    union = (ax1 - ax0) * (ay1 - ay0) + area - intersection
    return intersection / union.clamp_min(_EPS), intersection / area.clamp_min(_EPS)


def complete_iou(predicted: Tensor, target: Tensor) -> Tensor:
    """IoU less penalties for distance and shape: ``1 - L`` of Eq. (14).

    ``IoU - d² / c² - α v`` with Eq. (15) ``α = v / (1 - IoU + v)`` and Eq. (16)
    ``v = 4 / π² · (arctan(w_t / h_t) - arctan(w_p / h_p))²``, where d is the
    distance of the centres and c the diagonal of the smallest box around both. [1]_

    Parameters
    ----------
    predicted, target : (..., 4) Tensor
        ``(x0, y0, x1, y1)``; the leading axes broadcast.

    Returns
    -------
    (...) Tensor
        In [-2, 1]; 1 for equal boxes only. Symmetric and free of scale.

    Notes
    -----
    As in [1]_, α is a weight: no gradient flows through it.
    """
    iou = box_iou(predicted, target)
    low, high = predicted.chunk(2, -1)
    target_low, target_high = target.chunk(2, -1)
    apart = (((low + high) - (target_low + target_high)) / 2).square().sum(-1)
    span = torch.maximum(high, target_high) - torch.minimum(low, target_low)
    diagonal = span.square().sum(-1).clamp_min(_EPS)
    shape = _aspect_angle(target) - _aspect_angle(predicted)
    v = 4 / math.pi**2 * shape.square()
    with torch.no_grad():
        alpha = v / (1 - iou + v).clamp_min(_EPS)
    return iou - apart / diagonal - alpha * v


def _aspect_angle(boxes: Tensor) -> Tensor:
    width, height = (boxes[..., 2:] - boxes[..., :2]).unbind(-1)
    return torch.atan(width / height.clamp_min(_EPS))


def normalized_wasserstein(a: Tensor, b: Tensor, constant_px: float = NWD_CONSTANT_PX) -> Tensor:
    """Likeness of boxes as Gaussians: NWD of [2]_, ``exp(-W₂ / C)``.

    ``W₂² = |centre_a - centre_b|² + |size_a - size_b|² / 4``. Unlike IoU it does
    not drop to 0 when a tiny box moves by its own size, and it depends on the
    scale.

    Parameters
    ----------
    a, b : (..., 4) Tensor
        In pixels; the leading axes broadcast.
    constant_px : float
        C: about the mean size of the targets, in the same pixels.

    Returns
    -------
    (...) Tensor
        In (0, 1]; 1 for equal boxes only. Symmetric.
    """
    # With centre c and half size s the corners are c - s and c + s: their squares add up to twice.
    squared = (a - b).square().sum(-1) / 2
    # The root has no derivative at 0; equal boxes shall have the gradient 0, not NaN.
    return torch.exp(-squared.clamp_min(_EPS**2).sqrt() / constant_px)


def check_similarity(kind: str) -> None:
    """Refuse a name that :func:`similarity` does not know.

    Raises
    ------
    UnknownNameError
    """
    if kind not in get_args(Similarity):
        raise UnknownNameError("similarity of boxes", kind, get_args(Similarity))


def similarity(
    kind: Similarity, predicted: Tensor, target: Tensor, nwd_constant_px: float = NWD_CONSTANT_PX
) -> Tensor:
    """One of the measures by its name; 1 for equal boxes.

    Parameters
    ----------
    kind : {"iou", "ciou", "nwd", "mixed"}
        ``"mixed"`` is the mean of ``"ciou"`` and ``"nwd"``.
    predicted, target : (..., 4) Tensor
        In pixels; the leading axes broadcast.
    nwd_constant_px : float
        See :func:`normalized_wasserstein`.

    Returns
    -------
    (...) Tensor
    """
    if kind == "iou":
        return box_iou(predicted, target)
    if kind == "ciou":
        return complete_iou(predicted, target)
    wasserstein = normalized_wasserstein(predicted, target, nwd_constant_px)
    if kind == "nwd":
        return wasserstein
    return (complete_iou(predicted, target) + wasserstein) / 2
