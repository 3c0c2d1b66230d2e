"""Value ranges of a folder that are found: one for all splits and workers, and in the key."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import irbench
from irbench.conventions import Conventions
from irbench.engine.planning.choices import dataset_spec
from irbench.errors import ImageError
from irbench.images.auto_range import made_white_hot


@pytest.fixture
def camera(tmp_path):
    """Frames of 14 bit that use a few hundred levels, with dead pixels and a mask each."""
    rng = np.random.default_rng(3)
    for index in range(4):
        split = "val" if index == 0 else "test"
        image = rng.normal(7000 + 10 * index, 20, (100, 120)).round().astype(np.uint16)
        image[30:33, 40:43] += 400
        mask = np.zeros((100, 120), np.uint8)
        mask[30:33, 40:43] = 255
        image[3, 5] = 16383
        for kind, array in (("images", image), ("masks", mask)):
            (tmp_path / split / kind).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / split / kind / f"{index}.png"), array)
    return tmp_path


def test_one_range_is_found_for_all_and_sent_along(camera):
    opened = irbench.load_dataset(camera, conventions=Conventions(value_range="auto"))
    low, high = opened.conventions.value_range
    assert 6500 < low < 7000 < high < 7500
    assert opened.conventions.range_rule == "auto/1"
    samples = [*opened, *opened.with_split("val")]
    assert {sample.value_range for sample in samples} == {(low, high)}
    assert all(sample.image.max() == int(high) for sample in samples)
    assert all("clipped" in sample.notes[-1] for sample in samples)
    # A worker opens what was found, and looks for nothing.
    again = dataset_spec(opened, ()).open("test")
    assert again.conventions == opened.conventions
    assert np.array_equal(again[0].image, opened[0].image)
    assert opened.conventions.as_dict()["value_range"] == [low, high]


def test_the_word_in_the_file_is_the_same(camera):
    expected = irbench.load_dataset(camera, conventions=Conventions(value_range="auto"))
    (camera / "irbench.toml").write_text('value_range = "auto"\n')
    assert irbench.load_dataset(camera).conventions == expected.conventions
    stated = irbench.load_dataset(camera, conventions=Conventions(value_range=(0, 16383)))
    assert stated.conventions == Conventions(value_range=(0, 16383))
    assert "less than a tenth" in stated[0].notes[0]


def test_a_black_hot_camera_reads_as_a_white_hot_one(camera):
    expected = irbench.load_dataset(camera, conventions=Conventions(value_range=(0, 16383)))
    images = [sample.image for sample in expected]
    for path in (camera / "test" / "images").iterdir():
        cv2.imwrite(str(path), 16383 - cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    (camera / "irbench.toml").write_text("value_range = [16383, 0]\n")
    opened = irbench.load_dataset(camera)
    assert all(
        np.array_equal(*pair) for pair in zip(images, (s.image for s in opened), strict=True)
    )
    assert opened[0].image.dtype == np.uint16
    assert opened[0].value_range == (0, 16383)
    assert "black-hot" in opened[0].notes[0]
    # The stated words, not what they come to, go to workers and into the key.
    again = dataset_spec(opened, ()).open("test")
    assert again.conventions.as_dict() == {"value_range": [16383.0, 0.0]}
    assert np.array_equal(again[0].image, images[0])


def test_a_value_outside_of_a_black_hot_range_is_named_as_it_is_stored(camera):
    opened = irbench.load_dataset(camera, conventions=Conventions(value_range=(9000, 0)))
    with pytest.raises(ImageError, match=r"value_range \(0, 9000\), got \d+ to 16383"):
        opened.load("1")


@pytest.mark.parametrize(
    ("stored", "black_white", "hot"),
    [
        (np.array([[200, 0]], np.uint8), (16383, 0), [[16183, 16383]]),
        (np.array([[-100, 5]], np.int8), (1000, -1000), [[100, -5]]),
        (np.array([[-100, 5]], np.int8), (100, -101), [[99, -6]]),
    ],
)
def test_what_is_turned_round_has_its_values_whatever_the_type(stored, black_white, hot):
    turned, value_range = made_white_hot(stored, black_white)
    assert turned.tolist() == hot
    assert value_range == black_white[::-1]


def test_each_frame_has_its_own(camera):
    opened = irbench.load_dataset(camera, conventions=Conventions(value_range="auto-frame"))
    assert len({sample.value_range for sample in opened}) == 3
    assert dataset_spec(opened, ()).open("test")[1].value_range == opened[1].value_range


def test_dead_pixels_are_found_for_all_and_sent_along(camera):
    wanted = Conventions(value_range=(0, 16383), dead_pixels="auto")
    opened = irbench.load_dataset(camera, conventions=wanted)
    assert opened.conventions.dead_pixels.places == ((3, 5),)
    assert opened[0].image.max() < 7600
    assert "has dead pixels, 8e-05 of all" in opened[0].notes[0]
    again = dataset_spec(opened, ()).open("test")
    assert again.conventions == opened.conventions
    assert np.array_equal(again[0].image, opened[0].image)
    assert "dead_pixels = 1 on every frame (auto/1)" in opened.understood()[-1]
    # Of a list beside irbench.toml, named in it.
    (camera / "dead.txt").write_text("3 5\n")
    (camera / "irbench.toml").write_text('dead_pixels = "dead.txt"\nvalue_range = [0, 16383]\n')
    listed = irbench.load_dataset(camera)
    assert np.array_equal(listed[0].image, opened[0].image)
    assert listed.conventions.as_dict()["dead_pixels"]["asked"] == "dead.txt"
    plain = irbench.load_dataset(camera, conventions=Conventions(dead_pixels="nan"))
    assert plain[0].image.max() == 16383
