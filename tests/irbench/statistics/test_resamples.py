"""The draws: as many images as there are, by the order of ids, whatever the block."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import UsageError
from irbench.statistics.resamples import Resamples

IDS = [f"image-{index}" for index in (3, 1, 4, 5, 9, 2, 6)]


def all_draws(resamples, size=64):
    return np.concatenate(list(resamples.blocks(size)), axis=1)


def test_every_draw_holds_as_many_images_as_there_are():
    draws = all_draws(Resamples(IDS, 1000))
    assert draws.shape == (7, 1000)
    assert (draws.sum(axis=0) == 7).all()
    assert (draws == np.round(draws)).all()
    assert draws.min() == 0


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_draws_do_not_depend_on_the_block(size):
    resamples = Resamples(IDS, 100, seed=3)
    assert np.array_equal(all_draws(resamples), all_draws(resamples, size))


def test_draws_follow_the_ids_and_not_their_order():
    draws = all_draws(Resamples(IDS, 50))
    order = [2, 0, 6, 1, 5, 4, 3]
    assert np.array_equal(all_draws(Resamples([IDS[i] for i in order], 50)), draws[order])


def test_first_draws_stay_when_more_are_made():
    assert np.array_equal(all_draws(Resamples(IDS, 90))[:, :30], all_draws(Resamples(IDS, 30)))


def test_seed():
    same, other = Resamples(IDS, 20, seed=1), Resamples(IDS, 20, seed=2)
    assert np.array_equal(all_draws(same), all_draws(Resamples(IDS, 20, seed=1)))
    assert not np.array_equal(all_draws(same), all_draws(other))


def test_counts_are_multinomial():
    draws = all_draws(Resamples([f"{i}" for i in range(10)], 20_000))
    # Binomial(10, 1/10): mean 1, variance 0.9; standard errors of both are under 0.01.
    assert draws.mean(axis=1) == pytest.approx(np.ones(10), abs=0.04)
    assert draws.var(axis=1) == pytest.approx(np.full(10, 0.9), abs=0.06)
    assert np.corrcoef(draws[0], draws[1])[0, 1] == pytest.approx(-1 / 9, abs=0.04)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "at least two images"),
        ((["one"],), "at least two images"),
        ((["b", "a", "b"],), "'b' more than once"),
        ((IDS, 0), "n_resamples must be at least 1"),
        ((IDS, 10, -1), "seed must not be negative"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(UsageError, match=message):
        Resamples(*arguments)


def test_half_a_target_is_missed_in_the_mean_whatever_the_order_of_images():
    missed = Resamples(["a", "b", "c", "d"], 20_000, seed=3).missed
    # Binomial(4, 1/8): variance 0.4375, so that this is over four standard errors.
    assert missed.mean() == pytest.approx(0.5, abs=0.02)
    assert set(missed) <= {0, 1, 2, 3, 4}
    again = Resamples(["d", "c", "b", "a"], 20_000, seed=3).missed
    assert np.array_equal(again, missed)
