"""Dead pixels: which they are, and what comes in their place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.conventions import Conventions
from irbench.errors import ImageError, UsageError
from irbench.images.dead_pixels import DeadPixels, find_dead_pixels, suspected_dead_pixels

RNG = np.random.default_rng(5)
STUCK = {(3, 5): 16383, (3, 6): 16383, (20, 0): 0, (39, 47): 7400}


def camera(n=6, shape=(40, 48), moving=True):
    """Frames of a 14-bit camera with four stuck pixels and a target of one pixel."""
    frames = RNG.normal(7000, 20, (n, *shape)).round().astype(np.uint16)
    for place, value in STUCK.items():
        frames[(slice(None), *place)] = value
    for index, frame in enumerate(frames):
        frame[12, 12 + (index if moving else 0)] = 7800
    return frames


def expected(image, dead):
    """The definition, one pixel after another."""
    fixed = image.copy()
    for row, column in np.argwhere(dead):
        radius = 0
        good = []
        while not good:
            radius += 1
            rows = range(max(row - radius, 0), min(row + radius + 1, image.shape[0]))
            columns = range(max(column - radius, 0), min(column + radius + 1, image.shape[1]))
            good = sorted(image[y, x] for y in rows for x in columns if not dead[y, x])
        fixed[row, column] = good[(len(good) - 1) // 2]
    return fixed


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 9), st.floats(0, 0.97), st.integers(0, 2**32 - 1),
    st.sampled_from([np.uint8, np.uint16, np.float32, np.float64]),
)  # fmt: skip
def test_the_lower_median_of_the_nearest_good_pixels(height, width, share, seed, dtype):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 200, (height, width)).astype(dtype)
    dead = rng.random((height, width)) < share
    dead.flat[0] = True
    if dead.all():
        dead.flat[-1] = False
    if dead.all():
        with pytest.raises(ImageError, match="no good pixel"):
            DeadPixels("list", "file", ((0, 0),)).replaced(image, "a.png")
        return
    before = image.copy()
    places = tuple(map(tuple, np.argwhere(dead).tolist()))
    fixed, n = DeadPixels("list", "file", places, image.shape).replaced(image, "a.png")
    assert n == dead.sum()
    assert fixed.dtype == dtype
    np.testing.assert_array_equal(fixed, expected(image, dead))
    np.testing.assert_array_equal(image, before)
    if np.dtype(dtype).kind == "f":
        image[dead] = rng.choice([np.nan, np.inf, -np.inf], dead.sum())
        again, n = DeadPixels("nan", "nan/1").replaced(image, "a.tif")
        assert n == dead.sum()
        np.testing.assert_array_equal(again, fixed)


def test_a_good_image_is_itself():
    image = camera()[0]
    assert DeadPixels("nan", "nan/1").replaced(image, "a.png") == (image, 0)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_stuck_pixels_are_found_and_targets_that_move_are_not(dtype):
    frames = camera().astype(dtype)
    if dtype == np.float32:
        frames[1, 8, 8] = np.nan
    found = find_dead_pixels("auto", iter(frames))
    assert found.places == tuple(sorted(STUCK))
    assert (found.rule, found.shape) == ("auto/1", (40, 48))
    fixed, n = found.replaced(frames[1], "clip.npy#1")
    assert n == len(STUCK) + (dtype == np.float32)
    assert fixed[12, 13] == 7800
    assert np.isfinite(fixed).all()
    for place in STUCK:
        assert abs(float(fixed[place]) - 7000) < 200
    # As the page says: what stays where it is on all frames looks like a stuck pixel.
    still = find_dead_pixels("auto", camera(moving=False))
    assert set(still.places) == {*STUCK, (12, 12)}


def test_frames_without_noise_have_no_dead_pixels_in_their_steps():
    steps = np.repeat(np.arange(40, dtype=np.uint8), 40).reshape(40, 40)
    assert find_dead_pixels("auto", [steps] * 5).places == ()


def test_what_cannot_be_found_says_what_to_give_instead():
    with pytest.raises(UsageError, match=r"at least 4 frames.*got 3"):
        find_dead_pixels("auto", camera(3))
    with pytest.raises(UsageError, match="several sizes"):
        find_dead_pixels("auto", [*camera(2), *camera(2, (41, 48))])
    frames = camera()
    frames[:, ::4, ::4] = 16383
    with pytest.raises(ImageError, match="stick out on every frame, more than 1%"):
        find_dead_pixels("auto", frames)


def test_a_suspicion_is_what_the_rule_finds_and_never_an_error():
    assert suspected_dead_pixels(camera()) == tuple(sorted(STUCK))
    assert suspected_dead_pixels(camera(3)) == ()
    assert suspected_dead_pixels([*camera(2), *camera(2, (41, 48))]) == ()
    far = np.full((5, 700, 8), 100, np.uint8)
    far[:, [639, 640], 4] = 200, 201
    assert suspected_dead_pixels(far) == ((639, 4),)


def test_a_list_and_a_mask_are_the_same(tmp_path):
    mask = np.zeros((40, 48), np.uint8)
    for place in STUCK:
        mask[place] = 255
    cv2.imwrite(str(tmp_path / "dead.png"), mask)
    lines = "\n".join(f"{row}, {column}" for row, column in reversed(STUCK))
    (tmp_path / "dead.txt").write_text(f"# row, column\n\n{lines}  # the last\n3 5\n")
    masked = find_dead_pixels(str(tmp_path / "dead.png"), [])
    listed = find_dead_pixels(str(tmp_path / "dead.txt"), [])
    assert masked.places == listed.places == tuple(sorted(STUCK))
    image = camera()[0]
    np.testing.assert_array_equal(masked.replaced(image, "a")[0], listed.replaced(image, "a")[0])
    with pytest.raises(ImageError, match=r"39x48 pixels, the dead pixels of .* are of 40x48"):
        masked.replaced(image[:39], "a.png")
    with pytest.raises(ImageError, match="of larger frames"):
        listed.replaced(image[:39], "a.png")


@pytest.mark.parametrize("text", ["3", "3 5 7", "x y", "-1 4", "3.5 4", "# none\n", "\xb2 1"])
def test_a_list_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "dead.txt").write_text(text)
    with pytest.raises(UsageError, match="--dead-pixels"):
        find_dead_pixels(str(tmp_path / "dead.txt"), [])
    with pytest.raises(UsageError, match="expected nan, auto or a file"):
        find_dead_pixels("medain", [])


def test_what_was_found_is_part_of_the_conventions():
    found = find_dead_pixels("auto", camera())
    stated = Conventions(dead_pixels=found)
    assert Conventions.from_dict(stated.as_dict()) == stated
    assert stated.as_dict()["dead_pixels"]["places"] == [list(place) for place in sorted(STUCK)]
    assert "dead_pixels" not in Conventions(value_range="auto").as_dict()
