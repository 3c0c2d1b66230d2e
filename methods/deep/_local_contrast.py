"""ALCNet's contrast of a map to its opposite neighbours, and its gradient.

Differentiated step by step, each of the sixteen shifted maps would become a map of zeros with a
part filled in; here the neighbours that decided are remembered, and they alone receive anything.

References
----------
.. [1] Y. Dai, Y. Wu, F. Zhou, K. Barnard, "Attentional local contrast networks for infrared
   small target detection", IEEE TGRS 59(11), 2021.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_AXES = ((1, 1), (1, 0), (1, -1), (0, -1))

_TOGETHER = 2**17
"""Elements that are worked on together, so that they stay in the cache."""


def local_contrast(x: Tensor, shifts: Sequence[int]) -> Tensor:
    """The contrast to opposite neighbours, the smallest of four directions (Eq. 2 of [1]_).

    Where several contrasts are equal, the gradient is that of the first.

    Parameters
    ----------
    x : (B, C, H, W) Tensor
    shifts : sequence of int
        Distances of the neighbours in cells, of which the greatest contrast is taken; the map
        continues at its opposite border.

    Returns
    -------
    (B, C, H, W) Tensor
        Products of two differences: positive where both neighbours are lower, or both higher.
    """
    # In rows whatever the layout, and a few channels at a time.
    rows = x.contiguous()
    # Sums into places that indices name have no fixed order on a GPU.
    if rows.requires_grad and torch.is_grad_enabled() and rows.device.type == "cpu":
        found: Tensor = _Contrast.apply(rows, tuple(shifts))  # type: ignore[no-untyped-call]
    else:
        parts = torch.split(rows, _channels_together(rows), 1)
        found = torch.cat([_greatest_contrast(part, shifts) for part in parts], 1)
    rows_of_channels = x.is_contiguous(memory_format=torch.channels_last)
    return found.contiguous(memory_format=torch.channels_last) if rows_of_channels else found


class _Contrast(torch.autograd.Function):
    """The contrast of a map on the CPU that is to be differentiated."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shifts: tuple[int, ...]) -> Tensor:
        parts = [_decided_contrast(one, shifts) for one in torch.split(x, _channels_together(x), 1)]
        ctx.shifts = shifts
        ctx.save_for_backward(x, torch.cat([which for _, which in parts], 1))
        return torch.cat([found for found, _ in parts], 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        x, which = ctx.saved_tensors
        height, width = x.shape[2:]
        first, second = _places(height, width, ctx.shifts)
        cell = torch.arange(height * width)
        # Maps one below the other; sums of several neighbours in single precision at least.
        flat = [one.reshape(-1, height * width) for one in (x, which, gradient)]
        total = torch.empty(flat[0].shape, dtype=torch.promote_types(x.dtype, torch.float32))
        n_maps = max(1, _TOGETHER // (height * width))
        split = zip(*(torch.split(one, n_maps) for one in (*flat, total)), strict=True)
        for values, chosen, outer, inner in split:
            decided = chosen.long() * (height * width) + cell
            forth, back = first.take(decided), second.take(decided)
            to_forth = outer * (values.gather(1, back) - values)
            to_back = outer * (values.gather(1, forth) - values)
            torch.add(to_forth, to_back, out=inner).neg_()
            inner.scatter_add_(1, forth, to_forth.to(inner.dtype))
            inner.scatter_add_(1, back, to_back.to(inner.dtype))
        return total.reshape(x.shape).to(x.dtype), None


def _channels_together(x: Tensor) -> int:
    return max(1, _TOGETHER // (x.shape[2] * x.shape[3]))


def _steps(height: int, width: int, shifts: Sequence[int]) -> list[list[tuple[int, int]]]:
    """For each shift the four ``(dy, dx)`` to a neighbour; the opposite one is at the negative."""
    return [[(dy * (shift % height), dx * (shift % width)) for dy, dx in _AXES] for shift in shifts]


def _products(x: Tensor, shifts: Sequence[int]) -> Iterator[Iterator[Tensor]]:
    """For each shift the products of both differences in the four directions, one at a time."""
    height, width = x.shape[2], x.shape[3]
    # One border that all shifts read.
    rows, columns = (max(shift % side for shift in shifts) for side in (height, width))
    wrapped = torch.cat((x[:, :, height - rows :], x, x[:, :, :rows]), 2)
    wrapped = torch.cat((wrapped[..., width - columns :], wrapped, wrapped[..., :columns]), 3)

    def difference(dy: int, dx: int) -> Tensor:
        return wrapped.narrow(2, rows + dy, height).narrow(3, columns + dx, width) - x

    for steps in _steps(height, width, shifts):
        yield (difference(dy, dx) * difference(-dy, -dx) for dy, dx in steps)


def _greatest_contrast(x: Tensor, shifts: Sequence[int]) -> Tensor:
    smallest = (reduce(torch.minimum, products) for products in _products(x, shifts))
    return reduce(torch.maximum, smallest)


def _decided_contrast(x: Tensor, shifts: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The contrast, and the number of the direction and shift that decided it, uint8."""
    found = decided = None
    for index, products in enumerate(_products(x, shifts)):
        smallest = next(products)
        which = torch.full(x.shape, len(_AXES) * index, dtype=torch.uint8)
        for axis, product in enumerate(products, 1):
            which = _later(which, product < smallest, len(_AXES) * index + axis)
            smallest = torch.minimum(smallest, product)
        if found is None or decided is None:
            found, decided = smallest, which
        else:
            decided = _later(decided, smallest > found, which)
            found = torch.maximum(found, smallest)
    assert found is not None
    assert decided is not None
    return found, decided


def _later(numbers: Tensor, where: Tensor, later: Tensor | int) -> Tensor:
    """Put greater numbers where a condition holds; as a maximum this takes a tenth of a fill."""
    return torch.maximum(numbers, where.view(torch.uint8).mul(later))


def _places(height: int, width: int, shifts: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Where both neighbours of each cell lie, for each number of a direction and shift in turn."""
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    steps = [step for group in _steps(height, width, shifts) for step in group]

    def places(sign: int) -> Tensor:
        return torch.stack(
            [
                (rows + sign * dy) % height * width + (columns + sign * dx) % width
                for dy, dx in steps
            ]
        )

    return places(1), places(-1)
