"""FLOPs of the attention in SCTransNet and AGPCNet, against counts by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from irbench.methods.deep._agpcnet import NonLocal, PatchContext  # noqa: E402
from irbench.methods.deep._cross_attention import CrossScaleAttention  # noqa: E402
from irbench.networks.flop_counting import FlopCount  # noqa: E402


def macs_of(run):
    counted = FlopCount()
    with torch.no_grad(), counted.counting():
        run()
    assert counted.uncounted == ()
    return counted.flops // 2


def non_local(channels, n_cells):
    """Query and key to an eighth, value; then each cell against each, twice."""
    projections = n_cells * (2 * channels * (channels // 8) + channels**2)
    return projections + n_cells**2 * (channels // 8 + channels)


def test_attention_of_every_cell_to_all():
    block = NonLocal(64).eval()
    assert macs_of(lambda: block(torch.rand(1, 64, 5, 7))) == non_local(64, 35)


@pytest.mark.parametrize(("side", "scale"), [(32, 10), (12, 6)])
def test_attention_inside_patches_the_last_of_which_take_the_remainder(side, scale):
    block = PatchContext(64, scale).eval()
    step = side // scale
    sides = [step] * (scale - 1) + [side - (scale - 1) * step]
    patches = sum(non_local(64, rows * columns) for rows in sides for columns in sides)
    expected = patches + non_local(64, scale**2) + side**2 * 9 * 64**2
    assert macs_of(lambda: block(torch.rand(1, 64, side, side))) == expected


def test_attention_between_the_channels_of_all_scales():
    widths, n = (32, 64, 128, 256), 6 * 5
    total = sum(widths)
    block = CrossScaleAttention(widths).eval()
    scales = [torch.rand(1, width, 6, 5) for width in widths]
    keys_and_values = 2 * n * (total**2 + 9 * total)
    # Per scale: 1x1, 3x3 over groups of two, both products, and the way out.
    of_scales = sum(n * (w**2 + 9 * 2 * w + 2 * w * total + w**2) for w in widths)
    found = macs_of(lambda: block(scales, torch.cat(scales, 1)))
    assert found == keys_and_values + of_scales
