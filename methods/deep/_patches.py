"""A feature map cut into a square number of patches: what AGPCNet's attention sees at a time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn


class _Run(NamedTuple):
    """Neighbouring patches of one length along an axis."""

    start: int
    n_patches: int
    length: int


class PatchGrid:
    """``n`` by ``n`` patches of a map; the last of an axis takes the remainder.

    Parameters
    ----------
    height, width : int
        Of the map, in cells.
    n : int
        Patches along each axis; at most the shorter one.
    """

    def __init__(self, height: int, width: int, n: int) -> None:
        self._rows, self._columns = _runs(height, n), _runs(width, n)

    def map_patches(self, x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Give every patch to a function that keeps shapes, those of one size as a batch.

        Parameters
        ----------
        x : (B, C, H, W) Tensor
        function : callable
            From ``(B', C, h, w)`` to the same.
        """
        bands = [
            torch.cat([self._block(x, rows, columns, function) for columns in self._columns], 3)
            for rows in self._rows
        ]
        return torch.cat(bands, 2)

    def spread(self, values: Tensor) -> Tensor:
        """Repeat ``(B, C, n, n)`` over the cells of the patches, to ``(B, C, H, W)``."""
        for axis, runs in ((2, self._rows), (3, self._columns)):
            parts, at = [], 0
            for run in runs:
                part = values.narrow(axis, at, run.n_patches)
                parts.append(part.repeat_interleave(run.length, axis))
                at += run.n_patches
            values = torch.cat(parts, axis)
        return values

    @staticmethod
    def _block(
        x: Tensor, rows: _Run, columns: _Run, function: Callable[[Tensor], Tensor]
    ) -> Tensor:
        block = x.narrow(2, rows.start, rows.n_patches * rows.length)
        block = block.narrow(3, columns.start, columns.n_patches * columns.length)
        n_images, channels = block.shape[:2]
        axes = (n_images, channels, rows.n_patches, rows.length, columns.n_patches, columns.length)
        patches = block.reshape(axes).permute(0, 2, 4, 1, 3, 5)
        flat = patches.reshape(-1, channels, rows.length, columns.length)
        # Only the first axis is left to infer, so that any number of images can be exported.
        back = function(flat).reshape(
            -1, rows.n_patches, columns.n_patches, channels, rows.length, columns.length
        )
        return back.permute(0, 3, 1, 4, 2, 5).reshape(block.shape)


class MaximumPooling(nn.Module):
    """The maxima of ``n`` by ``n`` windows that cover a map, as adaptive pooling has them.

    By slices, not :func:`torch.nn.functional.adaptive_max_pool2d`: that one can be exported
    only where both sides are multiples of ``n``.

    Parameters
    ----------
    n : int
        Windows may overlap by a cell where a side is no multiple of it.
    """

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, C, H, W)`` to ``(B, C, n, n)``."""
        for axis in (2, 3):
            length = x.shape[axis]
            firsts = [i * length // self.n for i in range(self.n)]
            ends = [-(-(i + 1) * length // self.n) for i in range(self.n)]
            windows = zip(firsts, ends, strict=True)
            maxima = [x.narrow(axis, first, end - first).amax(axis) for first, end in windows]
            x = torch.stack(maxima, axis)
        return x


def _runs(length: int, n: int) -> list[_Run]:
    step = length // n
    if length % n == 0:
        return [_Run(0, n, step)]
    edges = [0, n - 1, n]
    return [
        _Run(first * step, end - first, step if end < n else length - first * step)
        for first, end in pairwise(edges)
        if end > first
    ]
