"""Bilinear resizing, as the segmentation networks use it."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def resize(x: Tensor, size: tuple[int, int], *, corners: bool = False) -> Tensor:
    """Resize ``(B, C, H, W)`` to a height and width.

    With ``corners`` corner cells lie on corner cells, otherwise cells are areas of the image.
    """
    return F.interpolate(x, size, mode="bilinear", align_corners=corners)


def resize_like(x: Tensor, like: Tensor, *, corners: bool = False) -> Tensor:
    """Resize to the size of another map; see :func:`resize`."""
    return resize(x, (like.shape[2], like.shape[3]), corners=corners)
