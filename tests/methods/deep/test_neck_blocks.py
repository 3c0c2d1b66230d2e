from __future__ import annotations

import pytest
import torch

from irbench.methods.deep._neck_blocks import AVCStem, GSBottleneck, GSConv, shuffle
from irbench.methods.deep._vkconv import VKConv
from irbench.methods.deep._yolo_blocks import CBS


@pytest.fixture
def x():
    return torch.randn(2, 12, 6, 8, generator=torch.Generator().manual_seed(0))


def parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("n_channels", [1, 2, 3, 8])
def test_shuffle_lists_even_channels_first(n_channels):
    channels = torch.arange(2.0 * n_channels).view(1, -1, 1, 1)
    y = shuffle(*channels.expand(2, -1, 3, 3).chunk(2, 1))
    expected = list(range(0, 2 * n_channels, 2)) + list(range(1, 2 * n_channels, 2))
    assert y[1, :, 2, 2].tolist() == expected


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2)])
def test_gsconv_from_its_definition(x, kernel, stride):
    block = GSConv(12, 16, kernel, stride).eval()
    first = block.dense(x)
    both = torch.cat((first, block.depthwise(first)), 1)
    y = block(x)
    assert y.shape == (2, 16, 6 // stride, 8 // stride)
    assert torch.equal(y, both[:, [*range(0, 16, 2), *range(1, 16, 2)]])
    assert block.depthwise.conv.kernel_size == (5, 5)
    assert block.depthwise.conv.groups == 8


def test_forms_of_gsconv(x):
    dense = GSConv(12, 16, 3, 2, "dense").eval()
    inner = dense.dense(x)
    assert torch.equal(dense(x), inner[:, [*range(0, 16, 2), *range(1, 16, 2)]])
    plain = GSConv(12, 16, 3, 2, "unshuffled").eval()
    first = plain.dense(x)
    assert torch.equal(plain(x), torch.cat((first, plain.depthwise(first)), 1))


def test_bottlenecks_shortcut_is_a_convolution_without_activation(x):
    block = GSBottleneck(12).eval()
    first, second = block.convolutions
    linear = block.shortcut.norm(block.shortcut.conv(x))
    torch.testing.assert_close(block(x), second(first(x)) + linear)
    assert (linear < -0.3).any()  # SiLU never falls below -0.28


def test_avcstem_joins_the_bypass_first(x):
    stem = AVCStem(12, 16, placement="unused").eval()
    joined = torch.cat((stem.bypass(x), stem.bottlenecks(stem.entry(x))), 1)
    torch.testing.assert_close(stem(x), stem.exit(joined))


@pytest.mark.parametrize("convolution", ["vkconv", "conv"])
def test_series_applies_the_convolution_behind_the_gsb(x, convolution):
    stem = AVCStem(12, 16, convolution=convolution, placement="series").eval()
    inner = stem.variable(stem.bottlenecks(stem.entry(x)))
    torch.testing.assert_close(stem(x), stem.exit(torch.cat((stem.bypass(x), inner), 1)))


def test_placements_hold_the_specified_convolutions():
    unused = AVCStem(12, 16, placement="unused")
    assert isinstance(unused.variable, VKConv)
    assert len(unused.variable.points) == 3
    assert isinstance(unused.exit, CBS)
    final = AVCStem(12, 16, placement="final", n_points=5)
    assert isinstance(final.exit, VKConv)
    assert len(final.exit.points) == 5
    assert not hasattr(final, "variable")
    ordinary = AVCStem(12, 16, convolution="conv", placement="final")
    assert ordinary.exit.conv.kernel_size == (3, 3)


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "expected"),
    [
        (384, 128, (49_408, 2_976, 19_360, 4_224, 15_878, 16_640)),
        (192, 64, (12_416, 976, 5_072, 1_088, 4_870, 4_224)),
        (192, 128, (24_832, 2_976, 19_360, 4_224, 15_878, 16_640)),
        (384, 256, (98_816, 10_048, 75_584, 16_640, 56_326, 66_048)),
    ],
)
def test_avcstem_has_the_specified_parameters(in_channels, out_channels, expected):
    stem = AVCStem(in_channels, out_channels)
    gsb = stem.bottlenecks[0]
    ours = (
        parameters(stem.entry) + parameters(stem.bypass),
        *(parameters(part) for part in (*gsb.convolutions, gsb.shortcut)),
        parameters(stem.variable),
        parameters(stem.exit),
    )
    assert ours == expected
