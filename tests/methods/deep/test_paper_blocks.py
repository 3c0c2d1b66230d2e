from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from irbench.methods.deep._paper_blocks import BSBlock, DropPath, MBConv, PConv


@pytest.fixture
def x():
    return torch.randn(2, 8, 6, 5, generator=torch.Generator().manual_seed(0))


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_mbconv_in_the_order_of_the_paper(x):
    block = MBConv(8).eval()
    torch.nn.init.uniform_(block.project_norm.running_mean)
    y = F.silu(block.expand_norm(block.expand(x)))
    y = F.silu(block.filter_norm(F.conv2d(y, block.filter.weight, padding=1, groups=48)))
    y = y * torch.sigmoid(block.attention.channel.conv(y.mean((2, 3), keepdim=True)))
    statistics = torch.cat((y.mean(1, keepdim=True), y.amax(1, keepdim=True)), 1)
    y = y * torch.sigmoid(block.attention.spatial.conv(statistics))
    expected = x + block.project_norm(block.project(y))
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (MBConv(32), 52_002),
        (MBConv(64), 202_210),
        (MBConv(32).attention, 37_154),
        (MBConv(64).attention, 147_938),
        (BSBlock(128), 75_264),
        (BSBlock(256), 300_032),
    ],
)
def test_have_the_specified_parameters(block, expected):
    assert parameters(block) == expected


@pytest.mark.parametrize(("divisor", "n_convolved"), [(4, 2), (2, 4), (1, 8)])
def test_pconv_convolves_the_first_channels_only(x, divisor, n_convolved):
    block = PConv(8, divisor)
    y = block(x)
    assert torch.equal(y[:, n_convolved:], x[:, n_convolved:])
    expected = F.conv2d(x[:, :n_convolved], block.conv.weight, padding=1)
    torch.testing.assert_close(y[:, :n_convolved], expected)


def test_bsblock_adds_its_input(x):
    block = BSBlock(8).eval()
    first, last = block.mlp
    hidden = F.silu(first.norm(first.conv(block.partial(x))))
    torch.testing.assert_close(block(x), x + last(hidden))
    torch.nn.init.zeros_(last.weight)
    assert torch.equal(block(x), x)


def test_drop_path_drops_whole_samples_and_keeps_the_mean():
    torch.manual_seed(0)
    drop = DropPath(0.2)
    y = drop(torch.ones(5000, 2, 3, 3))
    assert torch.equal(y, y[:, :1, :1, :1].expand_as(y))
    values, counts = y[:, 0, 0, 0].unique(return_counts=True)
    torch.testing.assert_close(values, torch.tensor([0.0, 1.25]))
    # Six standard deviations of the binomial distribution.
    assert abs(counts[0].item() / 5000 - 0.2) < 6 * (0.2 * 0.8 / 5000) ** 0.5


def test_drop_path_is_the_identity_in_evaluation(x):
    assert torch.equal(DropPath(0.2).eval()(x), x)
    assert torch.equal(DropPath(0.0).train()(x), x)


@pytest.mark.parametrize("block", [MBConv(8), BSBlock(8)])
def test_blocks_drop_with_the_papers_probability(block):
    assert block.drop.probability == 0.2
