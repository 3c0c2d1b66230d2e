"""DNANet: a dense nest of nodes in rows of falling resolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._residual_attention import node, scaled

WIDTHS = (16, 32, 64, 128, 256)
"""Of the rows, finest first."""


class DNANetwork(nn.Module):
    """The network; node ``convI_J`` is that of row I and column J.

    Parameters
    ----------
    channels : int
        Of the input.
    """

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        widths, n_rows = WIDTHS, len(WIDTHS)
        self.n_rows = n_rows
        self.pool = nn.MaxPool2d(2, 2)
        # Of the published network, counted as modules; they hold no weights.
        self.relu = nn.ReLU()
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.down = nn.Upsample(scale_factor=0.5, mode="bilinear", align_corners=True)
        for factor in (4, 8, 16):
            layer = nn.Upsample(scale_factor=factor, mode="bilinear", align_corners=True)
            self.add_module(f"up_{factor}", layer)
        for row in range(n_rows):
            inputs = widths[row - 1] if row else channels
            self.add_module(f"conv{row}_0", node(inputs, widths[row], 2 if row else 1))
        for column in range(1, n_rows):
            for row in range(n_rows - column):
                inputs = column * widths[row] + widths[row + 1] + (widths[row - 1] if row else 0)
                self.add_module(f"conv{row}_{column}", node(inputs, widths[row], 2 if row else 1))
        self.conv0_4_final = node(n_rows * widths[0], widths[0], 1)
        for row in reversed(range(1, n_rows)):
            self.add_module(f"conv0_{row}_1x1", nn.Conv2d(widths[row], widths[0], 1))
        for head in range(1, n_rows):
            self.add_module(f"final{head}", nn.Conv2d(widths[0], 1, 1))

    def forward(self, images: Tensor) -> list[Tensor]:
        """From ``(B, C, H, W)``, sides multiples of 16, to four maps of logits.

        Returns
        -------
        list of (B, 1, H, W) Tensor
            The last one counts.
        """
        nodes: dict[tuple[int, int], Tensor] = {}
        for diagonal in range(self.n_rows):
            for column in range(diagonal + 1):
                row = diagonal - column
                nodes[row, column] = self._node(row, column, images, nodes)
        last = self.n_rows - 1
        coarse = [
            scaled(self.get_submodule(f"conv0_{row}_1x1")(nodes[row, last - row]), 2.0**row)
            for row in range(last, 0, -1)
        ]
        final = self.conv0_4_final(torch.cat((*coarse, nodes[0, last]), 1))
        read = [*(nodes[0, column] for column in range(1, last)), final]
        return [self.get_submodule(f"final{i}")(one) for i, one in enumerate(read, 1)]

    def _node(
        self, row: int, column: int, images: Tensor, nodes: dict[tuple[int, int], Tensor]
    ) -> Tensor:
        if column == 0:
            inputs = self.pool(nodes[row - 1, 0]) if row else images
        else:
            before = [nodes[row, earlier] for earlier in range(column)]
            below = [scaled(nodes[row + 1, column - 1], 2.0)]
            above = [scaled(nodes[row - 1, column], 0.5)] if row else []
            inputs = torch.cat(before + below + above, 1)
        return self.get_submodule(f"conv{row}_{column}")(inputs)
