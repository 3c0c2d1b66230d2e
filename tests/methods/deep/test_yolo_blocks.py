from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from irbench.methods.deep._yolo_blocks import CBS, SPPF, C2f, Concat, SiLU


@pytest.fixture
def x():
    return torch.randn(2, 8, 6, 10, generator=torch.Generator().manual_seed(0))


def test_silu_spares_inputs_that_need_gradients(x):
    expected = x * torch.sigmoid(x)
    leaf = x.clone().requires_grad_()
    torch.testing.assert_close(SiLU()(leaf), expected)
    assert torch.equal(leaf, x)
    fresh = x.clone()
    torch.testing.assert_close(SiLU()(fresh), expected)
    torch.testing.assert_close(fresh, expected)


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2), (5, 1)])
def test_cbs_is_convolution_normalisation_silu(x, kernel, stride):
    block = CBS(8, 4, kernel, stride).eval()
    torch.nn.init.uniform_(block.norm.running_mean)
    torch.nn.init.uniform_(block.norm.running_var, 0.5, 2)
    y = F.conv2d(x, block.conv.weight, stride=stride, padding=kernel // 2)
    mean, var = (b.view(1, -1, 1, 1) for b in (block.norm.running_mean, block.norm.running_var))
    y = (y - mean) / (var + 1e-3).sqrt()
    torch.testing.assert_close(block(x), y * torch.sigmoid(y))
    assert block.conv.bias is None


def test_cbs_leaves_its_input_alone(x):
    before = x.clone()
    for activation in (True, False):
        with torch.no_grad():
            CBS(8, 8, activation=activation).eval()(x)
    assert torch.equal(x, before)


def test_normalisation_moves_by_three_percent(x):
    block = CBS(8, 4)
    with torch.no_grad():
        block(x)
        mean = block.conv(x).mean((0, 2, 3))
    torch.testing.assert_close(block.norm.running_mean, 0.03 * mean)


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("repeats", [1, 2])
def test_c2f_keeps_every_bottlenecks_output(x, residual, repeats):
    block = C2f(8, 12, repeats, residual=residual).eval()
    entered = block.entry(x)
    parts = [entered[:, :6], entered[:, 6:]]
    for bottleneck in block.bottlenecks:
        y = bottleneck.second(bottleneck.first(parts[-1]))
        parts.append(parts[-1] + y if residual else y)
    assert len(parts) == 2 + repeats
    torch.testing.assert_close(block(x), block.exit(torch.cat(parts, 1)))


def test_sppf_pools_over_5_9_and_13(x):
    block = SPPF(8, 6).eval()
    entered = block.entry(x)
    pooled = [F.max_pool2d(entered, side, 1, side // 2) for side in (5, 9, 13)]
    torch.testing.assert_close(block(x), block.exit(torch.cat([entered, *pooled], 1)))


def test_concat_joins_channels(x):
    y = Concat()(x, 2 * x)
    assert y.shape == (2, 16, 6, 10)
    assert torch.equal(y[:, 8:], 2 * x)
