"""What a layer table is made of: signals, blocks, layers.

A network is a tuple of :class:`Layer` rows, read from top to bottom. A row
names its block and what goes in; channels and strides follow from the inputs,
so rows can be put in and taken out without renumbering anything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import nn

from irbench.errors import UsageError

from ._neck_blocks import AVCStem, Convolution, GSConv, GSConvForm, Placement
from ._paper_blocks import BSBlock, MBConv
from ._yolo_blocks import CBS, SPPF, C2f, Concat


@dataclass(frozen=True)
class Signal:
    """What flows between layers.

    Parameters
    ----------
    channels : int
    stride : int
        Pixels of the input image per cell.
    """

    channels: int
    stride: int


class BlockSpec(ABC):
    """A block without its input channels, which the table supplies."""

    @abstractmethod
    def build(self, inputs: Sequence[Signal]) -> tuple[nn.Module, Signal]:
        """Make the module, and say what comes out of it."""


@dataclass(frozen=True)
class ConvSpec(BlockSpec):
    """A :class:`CBS`."""

    channels: int
    kernel: int = 3
    stride: int = 2

    def build(self, inputs: Sequence[Signal]) -> tuple[nn.Module, Signal]:
        """See :meth:`BlockSpec.build`."""
        (x,) = inputs
        module = CBS(x.channels, self.channels, self.kernel, self.stride)
        return module, Signal(self.channels, x.stride * self.stride)


@dataclass(frozen=True)
class GSConvSpec(BlockSpec):
    """A :class:`GSConv`."""

    channels: int
    kernel: int = 3
    stride: int = 2
    form: GSConvForm = "mixed"

    def build(self, inputs: Sequence[Signal]) -> tuple[nn.Module, Signal]:
        """See :meth:`BlockSpec.build`."""
        (x,) = inputs
        module = GSConv(x.channels, self.channels, self.kernel, self.stride, self.form)
        return module, Signal(self.channels, x.stride * self.stride)


@dataclass(frozen=True)
class C2fSpec(BlockSpec):
    """A :class:`C2f`."""

    channels: int
    repeats: int = 1
    residual: bool = False

    def build(self, inputs: Sequence[Signal]) -> tuple[nn.Module, Signal]:
        """See :meth:`BlockSpec.build`."""
        (x,) = inputs
        module = C2f(x.channels, self.channels, self.repeats, residual=self.residual)
        return module, replace(x, channels=self.channels)


@dataclass(frozen=True)
class MBConvSpec(BlockSpec):
    """One :class:`MBConv`, or several in a row."""

    kernel: int = 3
    expansion: int = 6
    repeats: int = 1

    def build(self, inputs: Sequence[Signal]) -> tuple[nn.Module, Signal]:
        """See :meth:`BlockSpec.build`."""
        (x,) = inputs
        modules = [MBConv(x.channels, self.kernel, self.expansion) for _ in range(self.repeats)]
        return modules[0] if self.repeats == 1 else nn.Sequential(*modules), x


@dataclass(frozen=True)
class BSBlockSpec(BlockSpec):
    """A :class:`BSBlock`."""

    divisor: int = 4

    def build(self, inputs: Sequence[Signal]) -> tuple[nn.Module, Signal]:
        """See :meth:`BlockSpec.build`."""
        (x,) = inputs
        return BSBlock(x.channels, self.divisor), x


@dataclass(frozen=True)
class AVCStemSpec(BlockSpec):
    """An :class:`AVCStem`."""

    channels: int
    convolution: Convolution = "vkconv"
    placement: Placement = "series"
    n_points: int = 3
    form: GSConvForm = "mixed"

    def build(self, inputs: Sequence[Signal]) -> tuple[nn.Module, Signal]:
        """See :meth:`BlockSpec.build`."""
        (x,) = inputs
        module = AVCStem(
            x.channels,
            self.channels,
            convolution=self.convolution,
            placement=self.placement,
            n_points=self.n_points,
            form=self.form,
        )
        return module, replace(x, channels=self.channels)


@dataclass(frozen=True)
class SPPFSpec(BlockSpec):
    """An :class:`SPPF`."""

    channels: int
    pool: int = 5

    def build(self, inputs: Sequence[Signal]) -> tuple[nn.Module, Signal]:
        """See :meth:`BlockSpec.build`."""
        (x,) = inputs
        return SPPF(x.channels, self.channels, self.pool), replace(x, channels=self.channels)


@dataclass(frozen=True)
class UpsampleSpec(BlockSpec):
    """Nearest-neighbour upsampling by 2."""

    def build(self, inputs: Sequence[Signal]) -> tuple[nn.Module, Signal]:
        """See :meth:`BlockSpec.build`."""
        (x,) = inputs
        return nn.Upsample(scale_factor=2, mode="nearest"), replace(x, stride=x.stride // 2)


@dataclass(frozen=True)
class ConcatSpec(BlockSpec):
    """A :class:`Concat`."""

    def build(self, inputs: Sequence[Signal]) -> tuple[nn.Module, Signal]:
        """See :meth:`BlockSpec.build`."""
        strides = {x.stride for x in inputs}
        if len(strides) != 1:
            raise UsageError(f"maps of one stride can be concatenated, got {sorted(strides)}.")
        return Concat(), Signal(sum(x.channels for x in inputs), strides.pop())


@dataclass(frozen=True)
class Layer:
    """One row of a layer table.

    Parameters
    ----------
    name : str
        Unique in the table, an identifier; the prefix of the layer's parameters.
    block : BlockSpec
    inputs : tuple of str
        Names of earlier rows; empty for the row above (the image, on top).
    """

    name: str
    block: BlockSpec
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Architecture:
    """A whole network: a layer table, and the rows that the detection head reads.

    Parameters
    ----------
    layers : tuple of Layer
    head : tuple of str
        Rows with the pyramid's levels, finest first.
    n_classes : int
    reg_max : int
        See :class:`Detect`.
    in_channels : int
        Of the image; grey is repeated.
    """

    layers: tuple[Layer, ...]
    head: tuple[str, ...]
    n_classes: int = 1
    reg_max: int = 16
    in_channels: int = 3
