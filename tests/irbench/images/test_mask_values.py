"""The mask rule, member by member: what is read, and what is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from irbench.errors import MaskError
from irbench.images.mask_values import COLOURS, INDICES, NUMBERS, TWO_VALUES, binarise
from irbench.images.masks import read_mask

TARGETS = np.zeros((24, 32), dtype=bool)
TARGETS[4:7, 5:8] = TARGETS[4:6, 20:24] = TARGETS[15:18, 10:12] = True
NUMBERED = ndimage.label(TARGETS)[0]
VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0] + [0] * 252 * 3


def written(path, array, mode=None, palette=None):
    picture = Image.fromarray(array)
    if palette is not None:
        picture.putpalette(palette)
    picture.save(path)
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.uint32, np.float32])
@pytest.mark.parametrize("level", [1, 2, 38, 100, 127, 128, 200, 254, 255])
def test_of_two_values_the_greater_is_target(level, dtype):
    mask = binarise((TARGETS * level).astype(dtype))
    np.testing.assert_array_equal(mask.pixels, TARGETS)
    assert mask.n_odd == 0
    assert mask.how == ("" if level in (1, 255) else TWO_VALUES)


def test_two_values_that_are_both_not_zero():
    np.testing.assert_array_equal(binarise(np.where(TARGETS, 2, 1)).pixels, TARGETS)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_numbered_targets_of_any_depth(tmp_path, dtype):
    cv2.imwrite(str(tmp_path / "a.png"), NUMBERED.astype(dtype))
    mask = read_mask(tmp_path / "a.png")
    np.testing.assert_array_equal(mask.pixels, TARGETS)
    assert mask.how == NUMBERS


def test_three_hundred_numbered_targets_in_16_bit():
    many = np.zeros((80, 80), np.uint16)
    many[::4, ::4] = np.arange(1, 401).reshape(20, 20)
    np.testing.assert_array_equal(binarise(many).pixels, many > 0)


@pytest.mark.parametrize("numbers", [(2, 5, 9), (50, 100, 200), (1000, 2000, 300), (1, 2, 2)])
def test_class_numbers_with_gaps(numbers):
    stored = np.array([0, *numbers], np.uint16)[NUMBERED]
    np.testing.assert_array_equal(binarise(stored).pixels, TARGETS)


def test_numbered_targets_that_touch():
    stored = np.zeros((9, 9), np.uint8)
    stored[2:4, 2], stored[2:4, 3], stored[2:4, 4] = 1, 2, 3
    np.testing.assert_array_equal(binarise(stored).pixels, stored > 0)


@pytest.mark.parametrize("ending", ["png", "bmp", "tif"])
def test_the_indices_of_a_palette_count(tmp_path, ending):
    indices = NUMBERED.astype(np.uint8)
    path = tmp_path / f"a.{ending}"
    mask = read_mask(written(path, indices, palette=VOC))
    np.testing.assert_array_equal(mask.pixels, TARGETS)
    assert mask.how == INDICES


def test_a_palette_that_shows_all_classes_alike(tmp_path):
    path = written(tmp_path / "a.png", TARGETS.astype(np.uint8), palette=[0] * 768)
    np.testing.assert_array_equal(read_mask(path).pixels, TARGETS)


def test_a_palette_of_few_bits(tmp_path):
    picture = Image.fromarray(NUMBERED.astype(np.uint8))
    picture.putpalette(VOC[:12])
    picture.save(tmp_path / "a.png", bits=2)
    assert (tmp_path / "a.png").read_bytes()[24] == 2
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png").pixels, TARGETS)


def test_a_grey_mask_packed_in_a_palette_of_another_order(tmp_path):
    path = written(tmp_path / "a.png", (~TARGETS).astype(np.uint8), palette=[255] * 3 + [0] * 765)
    np.testing.assert_array_equal(read_mask(path).pixels, TARGETS)


def test_void_is_neither(tmp_path):
    indices = TARGETS.astype(np.uint8)
    indices[0] = 255
    path = written(tmp_path / "a.png", indices, palette=[*VOC[:765], 224, 224, 192])
    with pytest.raises(MaskError, match=r"a\.png.*void"):
        read_mask(path)


@pytest.mark.parametrize(
    "colour", [(128, 0, 0), (0, 64, 0), (250, 50, 83), (0, 0, 30), (0, 0, 255)]
)
def test_one_colour_a_label(tmp_path, colour):
    rgb = np.zeros((*TARGETS.shape, 3), np.uint8)
    rgb[TARGETS] = colour
    rgb[15:18, 10:12] = (61, 61, 245)
    mask = read_mask(written(tmp_path / "a.png", rgb))
    np.testing.assert_array_equal(mask.pixels, TARGETS)
    assert mask.how == COLOURS


def test_transparent_is_background(tmp_path):
    rgba = np.full((*TARGETS.shape, 4), 255, np.uint8)
    rgba[~TARGETS, 3] = 0
    np.testing.assert_array_equal(read_mask(written(tmp_path / "a.png", rgba)).pixels, TARGETS)
    rgba[..., :3] = 0
    with pytest.raises(MaskError, match="alpha"):
        read_mask(written(tmp_path / "b.png", rgba))


def test_a_blurred_edge_is_half_of_the_range(tmp_path):
    sharp = np.zeros((60, 60), np.uint8)
    sharp[20:30, 20:30] = 255
    soft = cv2.GaussianBlur(sharp, (5, 5), 1)
    mask = binarise(soft)
    np.testing.assert_array_equal(mask.pixels, soft > 127)
    assert mask.n_odd == np.count_nonzero((soft > 0) & (soft < 255))
    cv2.imwrite(str(tmp_path / "a.jpg"), sharp, [cv2.IMWRITE_JPEG_QUALITY, 85])
    np.testing.assert_array_equal(read_mask(tmp_path / "a.jpg").pixels, sharp > 0)
    np.testing.assert_array_equal(binarise(soft.astype(np.float32) / 255).pixels, soft > 127)


@pytest.mark.parametrize("in_colour", [False, True])
def test_a_blurred_target_of_one_pixel_is_not_lost_in_silence(tmp_path, in_colour):
    mask = np.zeros((40, 40), np.uint8)
    mask[10:14, 10:14] = mask[30, 30] = 255
    soft = cv2.GaussianBlur(mask, (3, 3), 0.6)
    assert soft[30, 30] < 128
    pixels = soft[..., None] * np.array([0, 0, 1], np.uint8) if in_colour else soft
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    with pytest.raises(MaskError, match="would be read as background"):
        read_mask(tmp_path / "a.png")
    # A stray pixel of its own, as IRSTD-1k has it, is none.
    soft[29:32, 29:32] = 0
    soft[30, 30] = 112
    np.testing.assert_array_equal(binarise(soft).pixels, soft > 127)


def blurred(peak):
    image = np.zeros((30, 30), np.float64)
    image[10:15, 10:15] = peak
    return cv2.GaussianBlur(image, (5, 5), 1)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (blurred(90).astype(np.uint8), "would all be read as background"),
        (blurred(9000).astype(np.uint16), "would all be read as background"),
        (~TARGETS * np.uint8(255), "would cover 97 %"),
        (np.full((9, 9), 255, np.uint8), "would cover 100 %"),
        (np.full((9, 9), 1, np.uint8), "would cover 100 %"),
        (np.array([0, 255, 76, 255], np.uint8)[NUMBERED], "such as 76"),
        (np.array([0, 1, 255, 255], np.uint8)[NUMBERED], "such as 1"),
        (np.random.default_rng(0).integers(40, 200, (30, 30), dtype=np.uint8), "picture"),
        (TARGETS.astype(np.int16) * -1, "values from 0"),
        (np.where(TARGETS, np.nan, 0.0), "values from 0"),
    ],
)
def test_what_is_no_mask_is_refused(stored, message):
    with pytest.raises(MaskError, match=message.replace(" %", "%")):
        binarise(stored)


def test_an_overlay_is_no_mask(tmp_path):
    rgb = np.random.default_rng(0).integers(30, 60, (24, 32, 1), dtype=np.uint8).repeat(3, 2)
    rgb[TARGETS] = (255, 0, 0)
    with pytest.raises(MaskError, match=r"a\.png.*overlay"):
        read_mask(written(tmp_path / "a.png", rgb))


def test_a_boolean_mask_stored_white_is_zero_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", TARGETS, photometric="miniswhite")
    with pytest.raises(MaskError, match="MinIsWhite"):
        read_mask(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", TARGETS, photometric="minisblack")
    np.testing.assert_array_equal(read_mask(tmp_path / "b.tif").pixels, TARGETS)
