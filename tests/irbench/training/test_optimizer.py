"""What decays, and that a step is Adam's."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from irbench.training.optimizer import make_optimizer, set_rate  # noqa: E402


@pytest.fixture
def network():
    torch.manual_seed(1)
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 2))


def test_only_weights_of_convolutions_and_products_decay(network, make_settings):
    frozen = network[1].bias.requires_grad_(False)
    decaying, others = make_optimizer(network, make_settings(weight_decay=0.25)).param_groups
    assert decaying["weight_decay"] == 0.25
    assert others["weight_decay"] == 0
    names = {id(p): name for name, p in network.named_parameters()}
    assert {names[id(p)] for p in decaying["params"]} == {"0.weight", "3.weight"}
    assert {names[id(p)] for p in others["params"]} == {"0.bias", "1.weight", "3.bias"}
    assert id(frozen) in names


def test_a_network_without_biases_has_one_group(make_settings):
    network = torch.nn.Conv2d(1, 1, 1, bias=False)
    assert len(make_optimizer(network, make_settings()).param_groups) == 1


def test_the_first_step_is_the_rate_against_the_sign_of_the_gradient(network, make_settings):
    optimizer = make_optimizer(network, make_settings(weight_decay=0.0))
    set_rate(optimizer, 0.125, 0.6)
    assert all(group["betas"] == (0.6, 0.999) for group in optimizer.param_groups)
    before = [p.detach().clone() for p in network.parameters()]
    network(torch.randn(4, 2, 3, 3)).square().sum().backward()
    gradients = [p.grad.clone() for p in network.parameters()]
    optimizer.step()
    for p, old, gradient in zip(network.parameters(), before, gradients, strict=True):
        known = gradient.abs() > 1e-3
        moved = (p.detach() - old)[known]
        assert moved.numpy() == pytest.approx(-0.125 * gradient[known].sign().numpy(), rel=1e-3)


@pytest.mark.parametrize(("decoupled", "left"), [(True, 0.999), (False, 0.2)])
def test_decoupled_decay_leaves_weights_that_the_loss_does_not_ask_for(
    network, make_settings, decoupled, left
):
    settings = make_settings(weight_decay=5e-4, learning_rate=1e-3, decoupled_decay=decoupled)
    optimizer = make_optimizer(network, settings)
    before = network[0].weight.norm().item()
    for _ in range(400):
        for p in network.parameters():
            p.grad = torch.zeros_like(p)
        optimizer.step()
    share = network[0].weight.norm().item() / before
    assert share > left if decoupled else share < left


@pytest.mark.parametrize(
    ("name", "kind"), [("adagrad", torch.optim.Adagrad), ("sgd", torch.optim.SGD)]
)
def test_other_optimisers_take_the_rate_and_sgd_the_momentum(network, make_settings, name, kind):
    optimizer = make_optimizer(network, make_settings(optimizer=name, weight_decay=0.25))
    assert type(optimizer) is kind
    set_rate(optimizer, 0.125, 0.6)
    assert {group["lr"] for group in optimizer.param_groups} == {0.125}
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.25, 0]
    if name == "sgd":
        assert {group["momentum"] for group in optimizer.param_groups} == {0.6}
