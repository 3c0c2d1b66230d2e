"""What a loss returns; imports torch only when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class _Sums(NamedTuple):
    terms: Mapping[str, Tensor]
    weight: Tensor


class LossSums(_Sums):
    """What a loss says of a batch.

    Sums, not means: those of two half batches add up to that of the whole, whether
    the halves come one after the other or from two processes.

    Attributes
    ----------
    terms : mapping of str to () Tensor
        By name, each times its gain, with gradient.
    weight : () Tensor
        What the sums are divided by, where it is above 1, such as the number of targets;
        may be given as a number.
    """

    __slots__ = ()

    def __new__(cls, terms: Mapping[str, Tensor], weight: Tensor | float) -> LossSums:  # noqa: D102
        import torch

        return super().__new__(cls, terms, torch.as_tensor(weight))
