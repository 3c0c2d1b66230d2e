"""How images are divided into batches, and chance into streams."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from irbench.errors import UsageError  # noqa: E402
from irbench.training.batches import (  # noqa: E402
    batch_size,
    epoch_generator,
    seed_network,
    shuffle,
)


@pytest.mark.parametrize(
    ("batch", "parts", "processes", "n_images", "expected"),
    [(16, 1, 1, 100, 16), (16, 1, 1, 9, 9), (16, 2, 2, 15, 12), (4, 4, 1, 4, 4)],
)
def test_a_batch_is_as_asked_or_all_images(
    make_settings, batch, parts, processes, n_images, expected
):
    assert batch_size(make_settings(batch=batch, accumulate=parts), n_images, processes) == expected


def test_what_cannot_be_divided_is_refused(make_settings):
    with pytest.raises(UsageError, match=r"a multiple of 6 \(3 processes × 2 parts\), got 8"):
        batch_size(make_settings(batch=8, accumulate=2), 100, 3)
    with pytest.raises(UsageError, match="3 training images cannot be divided"):
        batch_size(make_settings(batch=8, accumulate=4), 3, 1)


def test_an_epoch_is_a_permutation_without_the_last_part_of_a_batch():
    order = shuffle(11, 4, epoch_generator(0, 0))
    assert len(order) == len(set(order.tolist())) == 8
    assert set(order.tolist()) < set(range(11))


def test_chance_depends_on_seed_epoch_and_process():
    def network(*numbers):
        seed_network(*numbers)
        return torch.rand(4)

    def data(*numbers):
        return torch.rand(4, generator=epoch_generator(*numbers))

    drawn = [network(0, 0, 0), network(0, 0, 1), network(0, 1, 0), network(1, 0, 0)]
    drawn += [data(0, 0), data(0, 1), data(1, 0)]
    assert len({tuple(one.tolist()) for one in drawn}) == len(drawn)
    assert network(3, 4, 5).equal(network(3, 4, 5))
    assert data(3, 4).equal(data(3, 4))
