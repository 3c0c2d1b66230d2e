"""What a loss returns; known without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class LossSums(NamedTuple):
    """What a loss says of a batch.

    Sums, not means: those of two half batches add up to that of the whole, whether
    the halves come one after the other or from two processes.

    Attributes
    ----------
    terms : mapping of str to () Tensor
        By name, each times its gain, with gradient.
    weight : () Tensor or float
        What the sums are divided by, where it is above 1, such as the number of targets.
    """

    terms: Mapping[str, Tensor]
    weight: Tensor | float
