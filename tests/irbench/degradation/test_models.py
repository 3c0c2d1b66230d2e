"""Each degradation against what its level says, and what must stay as it is."""

from __future__ import annotations

import numpy as np
import pytest

import irbench
from irbench.degradation.curves import parse_levels
from irbench.degradation.degraded_dataset import DegradedDataset
from irbench.degradation.models import MODELS, Degradation
from irbench.errors import IrbenchError

GREY = np.full((200, 240), 100.0)
RAMP = np.tile(np.linspace(40.0, 200.0, 240), (200, 1))


def worse(text, image="a", grey=GREY, seed=0):
    return Degradation.parse(text, seed).apply(grey, image)


def test_levels_are_what_they_say():
    assert worse("noise=4").std() == pytest.approx(4, rel=0.02)
    stripes = worse("stripes=5")
    assert (stripes == stripes[0]).all()
    assert stripes[0].std() == pytest.approx(5, rel=0.2)
    dead = worse("dead=1")
    assert np.count_nonzero(dead != 100) == 0.01 * GREY.size
    assert set(np.unique(dead)) == {0.0, 100.0, 255.0}
    gains = [worse("gain=20", str(n))[0, 0] / 100 for n in range(200)]
    assert 0.8 <= min(gains) < 0.83
    assert 1.17 < max(gains) <= 1.2
    offsets = [worse("offset=9", str(n))[0, 0] - 100 for n in range(200)]
    assert -9 <= min(offsets) < -8 < 8 < max(offsets) <= 9
    assert len(np.unique(worse("quantise=4", grey=RAMP))) == 11
    assert np.abs(worse("quantise=8", grey=RAMP) - RAMP).max() <= 0.5
    point = np.zeros((41, 41))
    point[20, 20] = 200.0
    blurred = worse("blur=2", grey=point)
    rows = np.arange(41) - 20
    assert (blurred.sum(axis=1) @ rows**2) / blurred.sum() == pytest.approx(4, rel=0.01)
    noisy = worse("noise=10")
    errors = [np.abs(worse(f"jpeg={q}", grey=noisy) - noisy).mean() for q in (95, 50, 10)]
    assert errors == sorted(errors)


@pytest.mark.parametrize("name", MODELS)
def test_draws_have_a_seed(name):
    text = f"{name}={MODELS[name].levels[-1]}"
    one, again = worse(text, grey=RAMP), worse(text, grey=RAMP)
    assert np.array_equal(one, again)
    assert one.min() >= 0
    assert one.max() <= 255
    drawn = name not in ("blur", "quantise", "jpeg")
    assert np.array_equal(one, worse(text, grey=RAMP, seed=1)) != drawn
    fixed = MODELS[name].fixed or not drawn
    assert np.array_equal(one, worse(text, "b", grey=RAMP)) == fixed


@pytest.mark.parametrize("text", ["noise", "noise=x", "noise=-1", "rain=2", "jpeg=0", "blur=nan"])
def test_what_is_none_is_refused(text):
    with pytest.raises(IrbenchError, match=r"--degrade|unknown degradation"):
        Degradation.parse(text)


def test_the_ground_truth_stays():
    clean = irbench.load_dataset("synth", split="test")
    degraded = DegradedDataset(clean, (Degradation("noise", 5.0), Degradation("blur", 1.0)))
    one, other = clean[0], degraded[0]
    assert degraded.ids == clean.ids
    assert np.array_equal(one.boxes, other.boxes)
    assert np.array_equal(one.mask, other.mask)
    assert not np.array_equal(one.image, other.image)
    assert other.value_range == (0.0, 255.0)
    assert degraded.with_split("val").ids == clean.with_split("val").ids


def test_levels_of_a_curve():
    assert [str(one) for one in parse_levels(["noise=1,2.5", "jpeg"])] == [
        *("noise=1", "noise=2.5", "jpeg=95", "jpeg=80", "jpeg=50", "jpeg=20")
    ]
    assert len(parse_levels([])) == sum(len(model.levels) for model in MODELS.values())
