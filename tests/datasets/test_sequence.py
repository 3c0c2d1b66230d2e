"""Sequences with masks: the frames that were written, whatever holds them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import tifffile

import irbench
from irbench.conventions import Conventions
from irbench.engine.planning.choices import dataset_spec
from irbench.errors import IrbenchError, MaskError

RNG = np.random.default_rng(5)
N, SHAPE = 12, (60, 70)


@pytest.fixture
def film():
    frames = RNG.normal(7000, 20, (N, *SHAPE)).round().astype(np.uint16)
    masks = np.zeros((N, *SHAPE), np.uint8)
    for index in range(1, N):
        frames[index, 20:23, 3 * index : 3 * index + 3] += 300
        masks[index, 20:23, 3 * index : 3 * index + 3] = 255
    return frames, masks


def as_tiff(path, array):
    tifffile.imwrite(path.with_suffix(".tif"), array, photometric="minisblack")


def as_npy(path, array):
    np.save(path.with_suffix(".npy"), array)


def as_folder(path, array):
    path.mkdir()
    for index, frame in enumerate(array):
        cv2.imwrite(str(path / f"f{index}.png"), frame)


@pytest.mark.parametrize("write", [as_tiff, as_npy, as_folder])
@pytest.mark.parametrize("write_masks", [as_tiff, as_folder])
def test_every_frame_has_its_mask(tmp_path, film, write, write_masks):
    write(tmp_path / "frames", film[0])
    write_masks(tmp_path / "masks", film[1])
    opened = irbench.load_dataset("sequence", tmp_path)
    assert len(opened) == N
    for index in (0, 10, 3):
        sample = opened[index]
        assert sample.id == f"{index:06d}"
        assert np.array_equal(sample.image, film[0][index])
        assert np.array_equal(sample.mask, film[1][index] > 0)
    again = dataset_spec(opened, ()).open("test")
    assert np.array_equal(again[7].image, film[0][7])


def test_a_range_that_is_found(tmp_path, film):
    as_tiff(tmp_path / "frames", film[0])
    as_tiff(tmp_path / "masks", film[1])
    opened = irbench.load_dataset("sequence", tmp_path, conventions=Conventions(value_range="auto"))
    low, high = opened.conventions.value_range
    assert 6000 < low < 7000 < high < 8500
    assert opened[3].value_range == (low, high)


def test_what_is_missing(tmp_path, film):
    with pytest.raises(IrbenchError, match="--data-root DIR"):
        irbench.load_dataset("sequence")
    as_tiff(tmp_path / "frames", film[0])
    with pytest.raises(IrbenchError, match=r"a folder masks, or one file masks\.tif"):
        irbench.load_dataset("sequence", tmp_path)
    as_tiff(tmp_path / "masks", film[1][:5])
    with pytest.raises(MaskError, match="12 frames and 5 masks"):
        irbench.load_dataset("sequence", tmp_path)
