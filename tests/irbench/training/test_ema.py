"""The running mean of weights against a loop of numbers."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from irbench.training.ema import WeightAverage  # noqa: E402


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2))


def test_it_is_the_mean_that_a_loop_computes():
    one = network()
    average = WeightAverage(one, share=0.5)
    expected = {name: t.clone().double() for name, t in one.state_dict().items()}
    for step in range(1, 8):
        with torch.no_grad():
            for tensor in one.state_dict().values():
                tensor += 1 if tensor.dtype == torch.int64 else torch.randn(tensor.shape)
        average.update(step)
        decay = 1 - 1 / (1 + step / 2)
        for name, tensor in one.state_dict().items():
            expected[name] = decay * expected[name] + (1 - decay) * tensor
    means = average.network.state_dict()
    for name, tensor in means.items():
        if tensor.is_floating_point():
            assert tensor.numpy() == pytest.approx(expected[name].numpy(), rel=1e-5)
    # A count of batches is no quantity to average.
    assert means["1.num_batches_tracked"] == one.state_dict()["1.num_batches_tracked"] == 7


def test_it_answers_and_never_learns():
    one = network()
    average = WeightAverage(one, 0.5)
    assert not average.network.training
    assert not any(p.requires_grad for p in average.network.parameters())
    assert one.training
    assert all(p.requires_grad for p in one.parameters())
    assert average.network[0].weight.data_ptr() != one[0].weight.data_ptr()
