"""A step in parts is a step on the whole; what it moves is the mean over the batch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from irbench.training.augmentation import Augmenter  # noqa: E402
from irbench.training.augmentation_settings import Augmentation  # noqa: E402
from irbench.training.image_cache import ImageCache  # noqa: E402
from irbench.training.processes import TrainingProcesses  # noqa: E402
from irbench.training.step import TrainingStep  # noqa: E402

ALONE = TrainingProcesses(0, 1, torch.device("cpu"))


@pytest.fixture
def take_step(make_job, make_settings):
    """Takes one step from the same weights; gives the outcome and the weights after it."""

    def take(method="plain-net", n=8, clip_norm=1e9, **given):
        job = make_job(method=method)
        settings = make_settings(batch=n, clip_norm=clip_norm, **given)
        torch.manual_seed(5)
        network = job.detector.network
        optimizer = torch.optim.SGD(network.parameters(), lr=0.125)
        step = TrainingStep(
            network, job.detector.loss(network, settings), optimizer, settings, ALONE
        )
        cache = ImageCache.of(job.train, 32)
        augmenter = Augmenter(cache, Augmentation.none())
        draws = augmenter.draw(torch.arange(n), torch.Generator().manual_seed(0))
        outcome = step(augmenter, draws)
        return outcome, [p.detach().clone() for p in network.parameters()]

    return take


@pytest.mark.parametrize("accumulate", [2, 4, 8])
def test_parts_add_up_to_the_whole(take_step, accumulate):
    (whole, one), (parts, other) = take_step(), take_step(accumulate=accumulate)
    assert parts.terms["cls"] == pytest.approx(float(whole.terms["cls"]), rel=1e-6)
    for a, b in zip(one, other, strict=True):
        assert b.numpy() == pytest.approx(a.numpy(), rel=1e-5, abs=1e-7)


def test_the_gradient_is_the_mean_over_targets_times_the_batch(take_step, make_job):
    _, moved = take_step(n=4)
    job = make_job(method="plain-net")
    torch.manual_seed(5)
    network = job.detector.network
    cache = ImageCache.of(job.train, 32)
    augmenter = Augmenter(cache, Augmentation.none())
    draws = augmenter.draw(torch.arange(4), torch.Generator().manual_seed(0))
    images, targets = augmenter(draws)
    terms, weight = job.detector.loss(network, job.settings)(
        network(images.expand(-1, 3, -1, -1)), targets
    )
    (4 * terms["cls"] / weight).backward()
    for p, after in zip(network.parameters(), moved, strict=True):
        assert after.numpy() == pytest.approx((p - 0.125 * p.grad).detach().numpy(), rel=1e-4)


def test_a_long_gradient_is_cut(take_step, make_job):
    torch.manual_seed(5)
    start = [p.detach().clone() for p in make_job(method="plain-net").detector.network.parameters()]
    _, moved = take_step(clip_norm=0.5)
    length = torch.stack([(a - b).norm() for a, b in zip(start, moved, strict=True)]).norm()
    assert float(length) == pytest.approx(0.125 * 0.5, rel=1e-4)


def test_an_outcome_tells_of_what_is_not_finite(take_step, monkeypatch):
    assert bool(take_step()[0].finite)
    norm = torch.tensor(float("inf"))
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_, **__: norm)
    assert not bool(take_step()[0].finite)


def test_half_precision_is_for_the_network_only(take_step):
    (exact, _), (rough, weights) = take_step(), take_step(precision="bfloat16")
    assert rough.terms["cls"] == pytest.approx(float(exact.terms["cls"]), rel=0.02)
    assert rough.terms["cls"] != exact.terms["cls"]
    assert all(one.dtype == torch.float32 for one in weights)
