from __future__ import annotations

import pytest
import torch

from irbench.methods.deep._attention import CBAM, ChannelMean, weigh_channels


def plainly(x, weights):
    weighted = x * weights
    return weighted, torch.cat(
        (weighted.mean(1, keepdim=True), weighted.max(1, keepdim=True).values), 1
    )


@pytest.fixture
def arguments():
    torch.manual_seed(0)
    x = torch.randn(2, 5, 3, 4, dtype=torch.float64)
    return x, torch.rand(2, 5, 1, 1, dtype=torch.float64)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("needs_gradient", [False, True])
def test_equals_the_plain_steps(arguments, channels_last, needs_gradient):
    x, weights = arguments
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
    x.requires_grad_(needs_gradient)
    for ours, expected in zip(weigh_channels(x, weights), plainly(x, weights), strict=True):
        torch.testing.assert_close(ours, expected)


def test_gradients_are_those_of_differences(arguments):
    x, weights = (a.requires_grad_() for a in arguments)
    assert torch.autograd.gradcheck(weigh_channels, (x, weights))


@pytest.mark.parametrize("read", [(0,), (1,), (0, 1)])
def test_gradients_equal_those_of_the_plain_steps(arguments, read):
    x, weights = (a.requires_grad_() for a in arguments)
    factors = [torch.randn(2, 5, 3, 4), torch.randn(2, 2, 3, 4)]
    gradients = []
    for function in (weigh_channels, plainly):
        outputs = function(x, weights)
        total = sum((outputs[i] * factors[i]).sum() for i in read)
        gradients.append(torch.autograd.grad(total, (x, weights)))
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected)


def test_attention_from_its_definition(arguments):
    x, _ = arguments
    attention = CBAM(5).double()
    linear = attention.channel.conv
    means = x.mean((2, 3))
    weights = torch.sigmoid(means @ linear.weight.view(5, 5).T + linear.bias)
    weighted = x * weights.view(2, 5, 1, 1)
    statistics = torch.stack((weighted.mean(1), weighted.amax(1)), 1)
    pixels = torch.sigmoid(
        torch.nn.functional.conv2d(statistics, attention.spatial.conv.weight, padding=3)
    )
    ours = attention(x)
    torch.testing.assert_close(ours[0], weighted)
    torch.testing.assert_close(ours[1], pixels)


def means_and_their_gradient(pool, x):
    """Without a gradient, with one, and the gradient."""
    map_ = x.clone().requires_grad_()
    means = pool(map_)
    ((means * torch.arange(6.0).view(6, 1, 1)).sum() + (map_ * 3).sum()).backward()
    return pool(x), means.detach(), map_.grad


# Dividing by a power of two rounds nothing, whichever way it is done.
@pytest.mark.parametrize(
    ("dtype", "size", "tolerance"),
    [
        (torch.float32, 16, 0),
        (torch.float32, 20, 0),
        (torch.bfloat16, 16, 0),
        (torch.bfloat16, 20, 2**-7),
    ],
)
def test_channel_means_and_their_gradients_are_those_of_pooling(dtype, size, tolerance):
    torch.manual_seed(0)
    x = torch.randn(2, 6, size, size).to(dtype).contiguous(memory_format=torch.channels_last)
    ours = means_and_their_gradient(ChannelMean(), x)
    theirs = means_and_their_gradient(torch.nn.AdaptiveAvgPool2d(1), x)
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=0)


def test_half_precision_adds_what_belongs_to_the_largest_channel():
    torch.manual_seed(0)
    x = torch.randn(2, 5, 3, 4).bfloat16().requires_grad_()
    weights = torch.rand(2, 5, 1, 1).bfloat16().requires_grad_()
    gradients = [
        torch.autograd.grad(function(x, weights)[1].float().sum(), (x, weights))
        for function in (weigh_channels, plainly)
    ]
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected, rtol=0.02, atol=0.02)
