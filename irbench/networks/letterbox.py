"""Letterbox: images of any size on a canvas of one size, and their boxes back and forth.

An image is scaled as a whole, up or down, to the largest size that fits, and
centred; the rest of the canvas is grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from irbench.errors import ImageError, UsageError

PAD_VALUE = 114 / 255
"""YOLO's grey around the image."""

Size = int | tuple[int, int]


@dataclass(frozen=True)
class Letterbox:
    """Where an image lies on its canvas.

    Made by :meth:`fit`. A coordinate maps to ``scale · x + offset``, per axis. The
    scale is that of the whole pixels that the image is given, which may differ from
    the other axis' by the rounding: so a box goes exactly where its pixels go, and
    comes back exactly.

    Attributes
    ----------
    shape : (int, int)
        Height and width of the image.
    canvas : (int, int)
        Height and width of the canvas.
    resized : (int, int)
        Height and width of the image on the canvas.

    Examples
    --------
    >>> where = Letterbox.fit((256, 320), 640)
    >>> where.resized, where.top, where.left
    ((512, 640), 64, 0)
    >>> where.to_canvas(torch.tensor([[0.0, 0.0, 320.0, 256.0]])).tolist()
    [[0.0, 64.0, 640.0, 576.0]]
    """

    shape: tuple[int, int]
    canvas: tuple[int, int]
    resized: tuple[int, int]

    @classmethod
    def fit(cls, shape: tuple[int, int], size: Size) -> Letterbox:
        """The largest that fits.

        Parameters
        ----------
        shape : (int, int)
            Height and width of the image.
        size : int or (int, int)
            Side, or height and width, of the canvas.

        Returns
        -------
        Letterbox

        Raises
        ------
        UsageError
            For a side below 1.
        """
        canvas = (size, size) if isinstance(size, int) else (size[0], size[1])
        if min(*shape, *canvas) < 1:
            raise UsageError(f"sides must be at least 1, got {shape} to put on {canvas}.")
        ratio = min(canvas[0] / shape[0], canvas[1] / shape[1])
        height, width = (max(1, round(side * ratio)) for side in shape)
        return cls((shape[0], shape[1]), canvas, (height, width))

    @property
    def top(self) -> int:
        """Rows of the canvas above the image."""
        return (self.canvas[0] - self.resized[0]) // 2

    @property
    def left(self) -> int:
        """Columns of the canvas to the left of the image."""
        return (self.canvas[1] - self.resized[1]) // 2

    def to_canvas(self, boxes: Tensor) -> Tensor:
        """Map boxes of the image to the canvas.

        Parameters
        ----------
        boxes : (..., 4) Tensor
            ``(x0, y0, x1, y1)`` in pixels.

        Returns
        -------
        (..., 4) Tensor of float64
            Float32 cannot undo it to 1e-4 pixel in a large image.
        """
        scale, offset = self._scale_and_offset(boxes)
        return boxes.double() * scale + offset

    def to_native(self, boxes: Tensor) -> Tensor:
        """Map boxes of the canvas to the image, clipped to it.

        Parameters
        ----------
        boxes : (..., 4) Tensor

        Returns
        -------
        (..., 4) Tensor of float64
            A box beside the image has no area; see :func:`has_area`.
        """
        scale, offset = self._scale_and_offset(boxes)
        native = (boxes.double() - offset) / scale
        height, width = self.shape
        limit = native.new_tensor((width, height, width, height))
        return torch.minimum(native.clamp_min(0), limit)

    def _scale_and_offset(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        x, y = self.resized[1] / self.shape[1], self.resized[0] / self.shape[0]
        scale = torch.tensor((x, y, x, y), dtype=torch.float64, device=boxes.device)
        corner = (self.left, self.top, self.left, self.top)
        return scale, torch.tensor(corner, dtype=torch.float64, device=boxes.device)


def letterbox(
    images: Sequence[Tensor | NDArray[Any]],
    size: Size,
    *,
    fill: float = PAD_VALUE,
    device: torch.device | str | None = None,
) -> tuple[Tensor, list[Letterbox]]:
    """Put images on canvases of one size.

    Parameters
    ----------
    images : sequence of (H, W) Tensor or ndarray
        In [0, 1], of any float type; each of any size.
    size : int or (int, int)
        Side, or height and width, of the canvas.
    fill : float
        Value around the image.
    device : optional
        Where to compute and to return; by default where the first image lies.

    Returns
    -------
    canvases : (B, 1, height, width) Tensor of float32
    letterboxes : list of Letterbox

    Raises
    ------
    ImageError
        For an image that is not two-dimensional or has no pixels.

    Notes
    -----
    Bilinear between the pixels' centres, as ``cv2.INTER_LINEAR``: neither smooths
    before it shrinks. Images of the same size are scaled together.
    """
    tensors = [torch.as_tensor(image) for image in images]
    for index, tensor in enumerate(tensors):
        if tensor.ndim != 2 or tensor.numel() == 0:
            raise ImageError(f"image {index} must have shape (H, W), got {tuple(tensor.shape)}.")
    if device is None:
        device = tensors[0].device if tensors else "cpu"
    canvas = (size, size) if isinstance(size, int) else size
    canvases = torch.full((len(tensors), 1, *canvas), fill, dtype=torch.float32, device=device)
    letterboxes = [Letterbox.fit((t.shape[0], t.shape[1]), canvas) for t in tensors]
    for where in dict.fromkeys(letterboxes):
        members = [index for index, other in enumerate(letterboxes) if other == where]
        stack = torch.stack([tensors[index].to(device, torch.float32) for index in members])
        scaled = stack[:, None]
        if where.resized != where.shape:
            scaled = F.interpolate(scaled, where.resized, mode="bilinear", align_corners=False)
        rows = slice(where.top, where.top + where.resized[0])
        columns = slice(where.left, where.left + where.resized[1])
        canvases[members, :, rows, columns] = scaled
    return canvases, letterboxes


LEAST_SIDE_PX = 1e-3


def has_area(boxes: Tensor) -> Tensor:
    """Which boxes have sides of at least :data:`LEAST_SIDE_PX`, ``(..., 4) -> (...)`` bool.

    The others lay beside the image, or would collapse when stored as float32.
    """
    return (boxes[..., 2:] - boxes[..., :2] >= LEAST_SIDE_PX).all(-1)
