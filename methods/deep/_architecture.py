"""What a layer table is made of: signals, blocks, layers.

A network is a tuple of :class:`Layer` rows, read from top to bottom. A row
names its block and what goes in; channels and strides follow from the inputs,
so rows can be put in and taken out without renumbering anything.
"""

from __future__ import annotations

from collections.abc import Callable
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


Block = Callable[..., tuple[nn.Module, Signal]]
"""Makes a module for the signals that go in, in their order, and says what comes out of it."""


def conv(channels: int, kernel: int = 3, stride: int = 2) -> Block:
    """A :class:`CBS`."""

    def build(x: Signal) -> tuple[nn.Module, Signal]:
        module = CBS(x.channels, channels, kernel, stride)
        return module, Signal(channels, x.stride * stride)

    return build


def gsconv(channels: int, kernel: int = 3, stride: int = 2, *, form: GSConvForm = "mixed") -> Block:
    """A :class:`GSConv`."""

    def build(x: Signal) -> tuple[nn.Module, Signal]:
        module = GSConv(x.channels, channels, kernel, stride, form)
        return module, Signal(channels, x.stride * stride)

    return build


def c2f(channels: int, repeats: int = 1, *, residual: bool = False) -> Block:
    """A :class:`C2f`."""
    return lambda x: (
        C2f(x.channels, channels, repeats, residual=residual),
        replace(x, channels=channels),
    )


def mbconv(kernel: int, expansion: int, repeats: int) -> Block:
    """One :class:`MBConv`, or several in a row."""

    def build(x: Signal) -> tuple[nn.Module, Signal]:
        modules = [MBConv(x.channels, kernel, expansion) for _ in range(repeats)]
        return modules[0] if repeats == 1 else nn.Sequential(*modules), x

    return build


def bsblock(divisor: int) -> Block:
    """A :class:`BSBlock`."""
    return lambda x: (BSBlock(x.channels, divisor), x)


def avcstem(
    channels: int, convolution: Convolution, placement: Placement, n_points: int, form: GSConvForm
) -> Block:
    """An :class:`AVCStem`."""

    def build(x: Signal) -> tuple[nn.Module, Signal]:
        module = AVCStem(
            x.channels,
            channels,
            convolution=convolution,
            placement=placement,
            n_points=n_points,
            form=form,
        )
        return module, replace(x, channels=channels)

    return build


def sppf(channels: int) -> Block:
    """An :class:`SPPF`."""
    return lambda x: (SPPF(x.channels, channels), replace(x, channels=channels))


def upsample(x: Signal) -> tuple[nn.Module, Signal]:
    """Nearest-neighbour upsampling by 2."""
    return nn.Upsample(scale_factor=2, mode="nearest"), replace(x, stride=x.stride // 2)


def concat(*inputs: Signal) -> tuple[nn.Module, Signal]:
    """A :class:`Concat`."""
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
    block : callable
        See :data:`Block`.
    inputs : tuple of str
        Names of earlier rows; empty for the row above (the image, on top).
    """

    name: str
    block: Block
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
