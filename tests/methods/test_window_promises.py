"""What the window methods promise of any image, without reference data.

One row per method and variant: add a method by adding its row.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.detector import ScoreMapDetector
from irbench.filters import flat, largest
from irbench.methods.background.maxmedian import MaxMedian
from irbench.methods.background.newtophat import NewTopHat
from irbench.methods.hvs.aagd import AAGD
from irbench.methods.hvs.admd import ADMD
from irbench.methods.hvs.hbmlcm import HBMLCM
from irbench.methods.hvs.lcm import LCM
from irbench.methods.hvs.lig import LIG
from irbench.methods.hvs.mpcm import MPCM
from irbench.methods.hvs.rlcm import RLCM
from irbench.methods.hvs.tllcm import TLLCM
from irbench.methods.hvs.ttldm import TTLDM
from irbench.methods.hvs.vardiff import VarDiff
from irbench.methods.hvs.wldm import WLDM
from irbench.methods.hvs.wslcm import WSLCM


@dataclass(frozen=True)
class Promise:
    """``make(gain)`` gives the detector whose map of a scaled image is scaled, too.

    ``reach`` is how far a score depends on its surroundings, in pixels;
    ``fits`` the least side of an image whose border is like its inside. ``local`` is false
    where grey levels are rescaled by those of the whole image.
    """

    name: str
    make: Callable[[float], ScoreMapDetector]
    reach: int
    fits: int = 1
    gain_power: int = 1
    offset: Literal["unchanged", "weakens", "strengthens", "changes"] = "unchanged"
    flips: bool = True
    flat_is_zero: bool = True
    local: bool = True


PROMISES = (
    Promise("newtophat", lambda gain: NewTopHat(), reach=11, flips=False),
    Promise("newtophat-odd", lambda gain: NewTopHat(element_size=5), reach=11),
    Promise("maxmedian", lambda gain: MaxMedian(), reach=2),
    Promise("maxmedian-9", lambda gain: MaxMedian(length=9), reach=4),
    Promise("lcm", lambda gain: LCM(), reach=13, offset="changes", flat_is_zero=False),
    Promise("mpcm", lambda gain: MPCM(), reach=13, gain_power=2),
    Promise("mpcm-clamped", lambda gain: MPCM(clamped=True), reach=10, gain_power=2),
    Promise("rlcm", lambda gain: RLCM(), reach=13, fits=27, offset="changes"),
    Promise("rlcm-reflect", lambda gain: RLCM(padding="reflect"), reach=13, offset="weakens"),
    Promise("tllcm", lambda gain: TLLCM(), reach=13, fits=27, offset="changes"),
    Promise(
        "tllcm-scales-reflect",
        lambda gain: TLLCM(scales=(3, 5, 7, 9), padding="reflect"),
        reach=13,
        offset="weakens",
    ),
    Promise(
        "wslcm",
        lambda gain: WSLCM(xi=5 * gain),
        reach=16,
        fits=33,
        gain_power=2,
        offset="changes",
    ),
    Promise(
        "wslcm-reflect",
        lambda gain: WSLCM(xi=5 * gain, padding="reflect"),
        reach=16,
        gain_power=2,
        offset="weakens",
    ),
    Promise("aagd", lambda gain: AAGD(), reach=9, gain_power=2),
    Promise("aagd-signed", lambda gain: AAGD(signed=True), reach=9, gain_power=2),
    Promise("admd", lambda gain: ADMD(), reach=10, gain_power=2),
    Promise("admd-scales", lambda gain: ADMD(scales=(3, 5, 7, 9)), reach=13, gain_power=2),
    Promise("hbmlcm", lambda gain: HBMLCM(), reach=11, gain_power=4, offset="changes"),
    Promise("vardiff", lambda gain: VarDiff(), reach=10, gain_power=5, offset="strengthens"),
    Promise("ttldm", lambda gain: TTLDM(), reach=7, gain_power=0, local=False),
    Promise("lig", lambda gain: LIG(), reach=10, fits=21, gain_power=4, flips=False),
    Promise("lig-replicate", lambda gain: LIG(border="replicate"), reach=10, gain_power=4),
    Promise("wldm", lambda gain: WLDM(bin_width=gain), reach=4, gain_power=2),
)

SYMMETRIES = {"transpose": np.transpose, "flipud": np.flipud, "fliplr": np.fliplr}


def textured(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Whole grey levels 20 to 180: a slope, a step, noise and targets here and there."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(shape)
    image = 40 + 0.5 * x + 0.3 * y + 30.0 * (x > 0.6 * shape[1]) + rng.normal(0, 3, shape)
    for row, column in rng.uniform((0, 0), shape, (1 + image.size // 400, 2)):
        image += 60 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 3)
    return np.clip(np.round(image), 20, 180)


def score(detector: ScoreMapDetector, image: np.ndarray) -> np.ndarray:
    return detector.compute(np.array(image, dtype=np.float64, order="C"))


def assert_close(actual: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


@pytest.fixture(params=PROMISES, ids=lambda promise: promise.name)
def promise(request: pytest.FixtureRequest) -> Promise:
    return request.param


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 9), (8, 1), (3, 3), (2, 40), (5, 4), (10, 11), (31, 28)]
)
def test_images_of_any_size_have_a_finite_map(promise, shape):
    for image in (textured(shape), np.zeros(shape), np.full(shape, 255.0)):
        score_map = score(promise.make(1.0), image)
        assert score_map.shape == shape
        assert score_map.dtype == np.float64
        assert np.isfinite(score_map).all()


def test_maps_through_the_public_call_leave_the_image_alone(promise):
    image = textured((30, 33))
    kept = image.copy()
    first = promise.make(1.0).score_map(image, value_range=(0, 255))
    np.testing.assert_array_equal(image, kept)
    np.testing.assert_array_equal(first, score(promise.make(1.0), image))


def test_gain_by_a_power_of_two_is_exact(promise):
    image = textured((40, 37))
    expected = 0.25**promise.gain_power * score(promise.make(1.0), image)
    np.testing.assert_array_equal(score(promise.make(0.25), 0.25 * image), expected)


def test_gain_by_any_factor(promise):
    image = textured((40, 37))
    expected = 0.3**promise.gain_power * score(promise.make(1.0), image)
    assert_close(score(promise.make(0.3), 0.3 * image), expected)


def test_offset(promise):
    image = textured((40, 37))
    before, after = score(promise.make(1.0), image), score(promise.make(1.0), image + 64)
    assert np.abs(before).max() > 0
    if promise.offset == "unchanged":
        np.testing.assert_array_equal(after, before)
    elif promise.offset == "weakens":
        assert (after <= before).all()
        assert (after[before > 0] < before[before > 0]).all()
    elif promise.offset == "strengthens":
        assert (after >= before).all()
        assert (after[before > 0] > before[before > 0]).all()
    else:
        assert not np.allclose(after, before)


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_symmetries(promise, symmetry):
    move = SYMMETRIES[symmetry]
    image = textured((40, 37))
    expected = move(score(promise.make(1.0), image))
    moved = score(promise.make(1.0), move(image))
    if promise.flips or symmetry == "transpose":
        assert_close(moved, expected)
    else:
        assert np.abs(moved - expected).max() > 1


def test_a_planted_target_is_the_maximum(promise):
    y, x = np.indices((80, 72))
    blob = 70 * np.exp(-((y - 37) ** 2 + (x - 33) ** 2) / (2 * 1.0**2))
    rng = np.random.default_rng(3)
    image = 90 + 0.2 * x + 0.1 * y + rng.normal(0, 1, y.shape) + blob
    score_map = score(promise.make(1.0), image)
    # A border padded by zeros may respond more strongly.
    inner = score_map[promise.reach : -promise.reach, promise.reach : -promise.reach]
    peak = np.array(np.unravel_index(inner.argmax(), inner.shape)) + promise.reach
    # LCM and RLCM take maxima over a cell, which widen a target into a plateau of that size.
    tolerance = 4 if promise.name.startswith(("lcm", "rlcm")) else 1
    assert np.abs(peak - (37, 33)).max() <= tolerance


@settings(max_examples=20, deadline=None)
@given(
    level=st.one_of(
        st.integers(1, 255).map(float),
        st.floats(1e-3, 255),
        st.integers(1, 65535).map(lambda v: v * 255 / 65535),
    )
)
def test_constant_images_have_no_contrast_at_all(level):
    for promise in PROMISES:
        image = np.full((promise.fits + 1, promise.fits), level)
        score_map = score(promise.make(1.0), image)
        if promise.flat_is_zero:
            np.testing.assert_array_equal(score_map, 0, err_msg=promise.name)
        else:
            np.testing.assert_allclose(score_map, level, rtol=1e-15)
            assert np.ptp(score_map) == 0


@pytest.mark.parametrize("make", [RLCM, TLLCM, WSLCM])
def test_zero_padding_makes_the_border_respond_and_reflection_mends_it(make):
    # The corner of something bright that goes on outside the image.
    y, x = np.indices((45, 45))
    image = 70 + 30.0 * (np.maximum(y, x) < 9) + 20 * np.exp(-((y - 4) ** 2 + (x - 4) ** 2) / 4)
    assert score(make(padding="reflect"), image).max() < 0.5 * score(make(), image).max()


@pytest.mark.parametrize("make", [LCM, RLCM, TLLCM, WSLCM])
def test_a_target_on_black_needs_a_floor(make):
    image = np.zeros((60, 60))
    image[29:32, 29:32] = 50.0
    assert score(make(), image)[30, 30] == 0
    mended = score(make(background_floor=1.0), image)
    assert mended[30, 30] > 0
    assert mended[30, 30] == mended.max()


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (34, 41)])
def test_bytes_give_the_maps_of_floats(promise, shape, monkeypatch):
    image = np.rint(textured(shape))
    image[-1, -1] = 255
    assert flat.narrowed(image).dtype == np.uint8
    expected = score(promise.make(1.0), image)
    for module in [*sys.modules.values()]:
        if getattr(module, "narrowed", None) is flat.narrowed:
            monkeypatch.setattr(module, "narrowed", lambda levels: levels)
    np.testing.assert_array_equal(score(promise.make(1.0), image), expected)


def test_strips_do_not_show(promise, monkeypatch):
    image = textured((70, 41))
    whole = score(promise.make(1.0), image)
    monkeypatch.setattr(flat, "_STRIP", 500)
    monkeypatch.setattr(largest, "_BLOCK_BYTES", 333 * 8)
    np.testing.assert_array_equal(score(promise.make(1.0), image), whole)


@pytest.mark.parametrize(
    "promise", [one for one in PROMISES if one.local], ids=lambda promise: promise.name
)
def test_scores_depend_on_their_surroundings_only(promise):
    image = textured((90, 85))
    reach = promise.reach
    expected = score(promise.make(1.0), image)[20 + reach : 70 - reach, 15 + reach : 60 - reach]
    part = score(promise.make(1.0), image[20:70, 15:60])[reach:-reach, reach:-reach]
    np.testing.assert_array_equal(part, expected)
