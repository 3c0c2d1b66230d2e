"""Where the tiles of training images come to lie: one geometry for pixels and boxes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from irbench.training.draws import ImageDraws


@dataclass(frozen=True, eq=False)
class Placement:
    """Where tiles lie on B training images.

    Per axis, the coordinate ``v`` on the canvas of a tile goes to
    ``factor · (v - anchor) + pivot`` on the image, before flips. Left of (above) the
    seam the left (upper) tiles are seen, from the seam on the others. An image that is
    not a mosaic is the first tile, with seams at infinity.

    All on the CPU, and but for ``images`` and ``flips`` of float64; ``x`` before ``y``
    where there are both; tiles as ``[row, column]``.

    Attributes
    ----------
    size : int
        Side S of the composed images and the canvases.
    images : (B, 2, 2) Tensor of int64
        Indices of the tiles.
    factor : (B,) Tensor
    seam : (B, 2) Tensor
    pivot : (B, 2) Tensor
    anchor : (B, 2, 2, 2) Tensor
        Of each tile.
    content : (B, 2, 2, 4) Tensor
        ``(x0, y0, x1, y1)``: the part of each tile's canvas that is no grey.
    flips : (B, 2) Tensor of bool
    view : int
        Side V of the windows of the composed images that are seen; S for all of them.
    origin : (B, 2) Tensor
        Of each window, before flips, in whole pixels.
    """

    size: int
    images: Tensor
    factor: Tensor
    seam: Tensor
    pivot: Tensor
    anchor: Tensor
    content: Tensor
    flips: Tensor
    view: int
    origin: Tensor

    @classmethod
    def of(cls, draws: ImageDraws, contents: Tensor, size: int) -> Placement:
        """Lay out what was drawn.

        Parameters
        ----------
        draws : ImageDraws
        contents : (N, 4) Tensor of float64
            Part of each image's canvas that is no grey.
        size : int

        Returns
        -------
        Placement
            Four images meet with the corners of their contents, without grey in
            between.
        """
        is_mosaic = draws.mosaic[:, None]
        middle = size * (0.5 + draws.shift)
        meeting = middle + draws.factor[:, None] * size * draws.meeting
        content = contents[draws.images].view(-1, 2, 2, 4)
        # The corner at which a tile meets the others: its right one if it is on the left.
        corner = torch.empty((len(draws), 2, 2, 2), dtype=torch.float64)
        for side, far in ((0, 2), (1, 0)):
            corner[:, :, side, 0] = content[:, :, side, far]
            corner[:, side, :, 1] = content[:, side, :, far + 1]
        return cls(
            size=size,
            images=draws.images.reshape(-1, 2, 2),
            factor=draws.factor,
            seam=torch.where(is_mosaic, meeting, torch.inf),
            pivot=torch.where(is_mosaic, meeting, middle),
            anchor=torch.where(is_mosaic[..., None, None], corner, size / 2),
            content=content,
            flips=draws.flips,
            view=size,
            origin=torch.zeros((len(draws), 2), dtype=torch.float64),
        )

    def seen_at(self, origin: Tensor, view: int) -> Placement:
        """The same, seen through windows.

        Parameters
        ----------
        origin : (B, 2) Tensor of float64
            Whole pixels in [0, S - view], before flips.
        view : int
            Side of the windows.
        """
        return replace(self, view=view, origin=origin)

    def taps(self, axis: int) -> Taps:
        """Where the pixel centres of one axis come from.

        Parameters
        ----------
        axis : {0, 1}
            0 for the columns (x), 1 for the rows (y).
        """
        centres = torch.arange(self.view, dtype=torch.float64) + 0.5
        position = torch.where(self.flips[:, axis, None], self.view - centres, centres)
        position = position + self.origin[:, axis, None]
        side = (position >= self.seam[:, axis, None]).long()
        # (B, tiles across the axis, tiles along it, ...), to choose among the last by position.
        if axis == 0:
            anchor, content = self.anchor, self.content
        else:
            anchor, content = self.anchor.transpose(1, 2), self.content.transpose(1, 2)
        chosen = side[:, None].expand(-1, 2, -1)
        start = content[..., axis].gather(2, chosen)
        stop = content[..., axis + 2].gather(2, chosen)
        steps = (position - self.pivot[:, axis, None]) / self.factor[:, None]
        found = steps[:, None] + anchor[..., axis].gather(2, chosen)
        # From pixel to pixel interpolation is between centres; none reaches into the grey.
        index = torch.minimum(torch.maximum(found - 0.5, start), stop - 1)
        first = index.floor()
        return Taps(
            side=side,
            first=first.long(),
            second=torch.minimum(first + 1, stop - 1).long(),
            weight=(index - first).float(),
            inside=(found >= start) & (found < stop),
        )


@dataclass(frozen=True, eq=False)
class Taps:
    """For V pixels along an axis: the two pixels of a canvas that make each.

    Attributes
    ----------
    side : (B, V) Tensor of int64
        Whether the pixel lies before (0) or beyond (1) the seam.
    first, second : (B, 2, V) Tensor of int64
        Pixels of the canvas, for each of the two tiles that lie side by side across
        the axis.
    weight : (B, 2, V) Tensor of float32
        Of ``second``, in [0, 1); ``first`` has the rest.
    inside : (B, 2, V) Tensor of bool
        Whether there is an image at all.
    """

    side: Tensor
    first: Tensor
    second: Tensor
    weight: Tensor
    inside: Tensor
