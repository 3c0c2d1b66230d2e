"""What is drawn for training images: ranges, limits, and that it repeats."""

from __future__ import annotations

import dataclasses
import math

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from irbench.errors import UsageError  # noqa: E402
from irbench.training.draws import Augmentation, draw  # noqa: E402

FIELDS = [field.name for field in dataclasses.fields(Augmentation)]

augmentations = st.builds(
    Augmentation,
    mosaic=st.floats(0, 1),
    flip_lr=st.floats(0, 1),
    flip_ud=st.floats(0, 1),
    scale=st.floats(0, 3),
    translate=st.floats(0, 0.5),
    brightness=st.floats(0, 0.99),
    offset=st.floats(0, 0.99),
)


def extremes_of(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand((n, 2), generator=generator).sort(1).values


def drawn(augmentation, n_positions=50, extremes=None, seed=1):
    extremes = extremes_of(7) if extremes is None else extremes
    indices = torch.arange(n_positions) % len(extremes)
    return draw(augmentation, indices, extremes, torch.Generator().manual_seed(seed))


def values(draws):
    return {field.name: getattr(draws, field.name) for field in dataclasses.fields(draws)}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [-0.1, 3.5, math.nan, math.inf, "much", None])
def test_settings_out_of_range_are_named(name, value):
    with pytest.raises(UsageError, match=f"augmentation {name} must be in"):
        Augmentation(**{name: value})


@pytest.mark.parametrize("name", ["brightness", "offset"])
def test_a_level_of_one_is_refused(name):
    with pytest.raises(UsageError, match=name):
        Augmentation(**{name: 1.0})


def test_none_draws_the_images_as_they_are():
    draws = drawn(Augmentation.none())
    assert not draws.mosaic.any()
    assert not draws.flips.any()
    assert (draws.factor == 1).all()
    assert (draws.shift == 0).all()
    assert (draws.gain == 1).all()
    assert (draws.offset == 0).all()


@settings(deadline=None, max_examples=60)
@given(augmentations, st.integers(0, 10**6), st.integers(1, 9))
def test_what_is_drawn_is_in_range(augmentation, seed, n):
    extremes = extremes_of(n, seed)
    draws = drawn(augmentation, 40, extremes, seed)
    assert (draws.images[:, 0] == torch.arange(40) % n).all()
    assert ((draws.images >= 0) & (draws.images < n)).all()
    assert (draws.meeting.abs() <= 0.5).all()
    bound = (1 + augmentation.scale) * (1 + 1e-12)
    assert ((draws.factor >= 1 / bound) & (draws.factor <= bound)).all()
    assert (draws.shift.abs() <= augmentation.translate).all()
    assert (draws.gain <= 1 + augmentation.brightness).all()
    assert (draws.offset.abs() <= augmentation.offset + 1e-12).all()


@settings(deadline=None, max_examples=60)
@given(augmentations, st.integers(0, 10**6))
def test_no_image_saturates(augmentation, seed):
    extremes = extremes_of(5, seed)
    draws = drawn(augmentation, 40, extremes, seed)
    for p in range(40):
        used = draws.images[p] if draws.mosaic[p] else draws.images[p, :1]
        levels = extremes[used].double() * draws.gain[p] + draws.offset[p]
        assert levels.min() >= -1e-12
        assert levels.max() <= 1 + 1e-12


def test_only_the_gain_is_limited_by_images_that_are_used():
    extremes = torch.tensor([[0.3, 0.5], [0.0, 1.0]])
    no_mosaic = Augmentation(mosaic=0, brightness=0.4, offset=0)
    draws = draw(no_mosaic, torch.zeros(400, dtype=torch.int64), extremes, torch.Generator())
    assert draws.gain.max() > 1.35
    draws = draw(no_mosaic, torch.ones(400, dtype=torch.int64), extremes, torch.Generator())
    assert draws.gain.max() == 1
    assert draws.gain.min() < 0.65


def test_shares_are_the_probabilities():
    draws = drawn(Augmentation(mosaic=0.25, flip_lr=0.5, flip_ud=0.1), 20_000)
    assert float(draws.mosaic.double().mean()) == pytest.approx(0.25, abs=0.015)
    assert draws.flips.double().mean(0).tolist() == pytest.approx([0.5, 0.1], abs=0.015)
    # Reciprocal factors are as likely, the images of the mosaic all alike.
    assert float(draws.factor.log().mean()) == pytest.approx(0, abs=0.01)
    assert draws.images[:, 1:].flatten().bincount().tolist() == pytest.approx(
        [60000 / 7] * 7, rel=0.05
    )


def test_the_generator_decides_alone():
    assert all(
        torch.equal(one, other)
        for one, other in zip(
            values(drawn(Augmentation())).values(),
            values(drawn(Augmentation())).values(),
            strict=True,
        )
    )
    assert not torch.equal(drawn(Augmentation()).factor, drawn(Augmentation(), seed=2).factor)
    generator = torch.Generator().manual_seed(1)
    first = draw(Augmentation(), torch.arange(7), extremes_of(7), generator)
    second = draw(Augmentation(), torch.arange(7), extremes_of(7), generator)
    assert not torch.equal(first.factor, second.factor)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("mosaic", {"mosaic", "gain", "offset"}),
        ("flip_lr", {"flips"}),
        ("flip_ud", {"flips"}),
        ("scale", {"factor"}),
        ("translate", {"shift"}),
        ("brightness", {"gain", "offset"}),
        ("offset", {"offset"}),
    ],
)
def test_switching_one_thing_off_leaves_the_rest(name, changes):
    everything, without = values(drawn(Augmentation())), values(drawn(Augmentation(**{name: 0.0})))
    differing = {key for key in everything if not torch.equal(everything[key], without[key])}
    assert differing == changes


def test_rows_of_draws():
    draws = drawn(Augmentation(), 10)
    for rows in (slice(2, 5), [2, 3, 4], torch.tensor([2, 3, 4])):
        some = draws[rows]
        assert len(some) == 3
        for key, value in values(some).items():
            assert torch.equal(value, getattr(draws, key)[2:5])


@pytest.mark.parametrize(
    "indices",
    [torch.tensor([0, 7]), torch.tensor([-1]), torch.tensor([0.0]), torch.tensor([[0]])],
)
def test_indices_of_no_image_are_refused(indices):
    with pytest.raises(UsageError, match="indices"):
        draw(Augmentation(), indices, extremes_of(7), torch.Generator())
