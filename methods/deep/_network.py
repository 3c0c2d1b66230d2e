"""A layer table made into a network."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from irbench.errors import ImageError, UsageError

from ._anchors import decode
from ._architecture import Architecture, Signal
from ._detect import Detect


class Network(nn.Module):
    """A one-stage detector, in plain PyTorch.

    Parameters
    ----------
    architecture : Architecture

    Attributes
    ----------
    architecture : Architecture
    strides : tuple of int
        Pixels per cell of each level, finest first.
    reg_max : int
        Number of whole distances over which a box side is distributed.
    n_classes : int

    Raises
    ------
    UsageError
        For a table that names a layer twice or one that is not above.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.reg_max = architecture.reg_max
        self.n_classes = architecture.n_classes
        self.layers = nn.ModuleDict()
        self._inputs: list[tuple[str, ...]] = []
        signals: dict[str, Signal] = {}
        above = ""
        source = Signal(architecture.in_channels, 1)
        for layer in architecture.layers:
            if layer.name in signals:
                raise UsageError(f"layer {layer.name!r} stands twice in the table.")
            inputs = layer.inputs or ((above,) if above else ())
            found = [_signal(signals, name, layer.name) for name in inputs] or [source]
            self.layers[layer.name], signals[layer.name] = layer.block(*found)
            self._inputs.append(inputs)
            above = layer.name
        levels = [_signal(signals, name, "head") for name in architecture.head]
        self._released = _released_after(self._inputs, architecture)
        self.strides = tuple(level.stride for level in levels)
        self._multiple = max(signal.stride for signal in signals.values())
        self.head = Detect(
            [level.channels for level in levels], self.strides, self.n_classes, self.reg_max
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Predict, in training and in evaluation alike.

        Parameters
        ----------
        images : (B, 3, H, W) Tensor
            In [0, 1]; H and W multiples of the largest stride, 32.

        Returns
        -------
        list of (B, 4·reg_max + n_classes, H / stride, W / stride) Tensor
            Logits per level; see :meth:`Detect.forward`.

        Raises
        ------
        ImageError
            For another shape.
        """
        self._check(images)
        outputs: dict[str, Tensor] = {}
        rows = zip(self.layers.items(), self._inputs, self._released, strict=True)
        for (name, layer), inputs, released in rows:
            outputs[name] = layer(*(outputs[i] for i in inputs)) if inputs else layer(images)
            for gone in released:
                del outputs[gone]
        maps: list[Tensor] = self.head([outputs[name] for name in self.architecture.head])
        return maps

    def decode(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Turn raw maps into boxes and scores; see :func:`._anchors.decode`.

        Parameters
        ----------
        maps : sequence of (B, 4·reg_max + n_classes, H_i, W_i) Tensor
            As :meth:`forward` returns them.

        Returns
        -------
        boxes : (B, N, 4) Tensor
        scores : (B, N, n_classes) Tensor
        """
        return decode(maps, self.strides, self.reg_max, self.head.distribution_mean)

    def _check(self, images: Tensor) -> None:
        channels, multiple = self.architecture.in_channels, self._multiple
        shape = tuple(images.shape)
        if (
            len(shape) != 4
            or shape[1] != channels
            or min(shape) == 0
            or shape[2] % multiple
            or shape[3] % multiple
        ):
            raise ImageError(
                f"images must have the shape (B, {channels}, H, W) with H and W multiples of "
                f"{multiple}, got {shape}; letterbox them first."
            )


def _signal(signals: dict[str, Signal], name: str, reader: str) -> Signal:
    if name not in signals:
        raise UsageError(
            f"{reader} reads {name!r}, which does not stand above it; "
            f"above stand {', '.join(signals) or 'no layers'}."
        )
    return signals[name]


def _released_after(
    inputs: Sequence[tuple[str, ...]], architecture: Architecture
) -> list[tuple[str, ...]]:
    """The outputs that nothing reads any more, after each row; their memory is freed."""
    last = {layer.name: row for row, layer in enumerate(architecture.layers)}
    for row, names in enumerate(inputs):
        last.update(dict.fromkeys(names, row))
    for name in architecture.head:
        del last[name]
    return [tuple(name for name, end in last.items() if end == row) for row in range(len(inputs))]
