from __future__ import annotations

import cv2
import numpy as np
import pytest

from irbench.errors import ImageError, MaskError
from irbench.images import read_image, to_grey_levels, to_unit_range
from irbench.images.mask_values import binarise
from irbench.images.masks import read_mask


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_files_are_read_unchanged(tmp_path, suffix, dtype):
    image = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (9, 13)).astype(dtype)
    cv2.imwrite(str(tmp_path / f"image{suffix}"), image)
    read = read_image(tmp_path / f"image{suffix}")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, image)


def test_float_tiff_keeps_its_values(tmp_path):
    image = np.random.default_rng(0).random((9, 13)).astype(np.float32)
    cv2.imwrite(str(tmp_path / "image.tiff"), image)
    np.testing.assert_array_equal(read_image(tmp_path / "image.tiff"), image)


def test_equal_channels_are_grey_and_others_give_the_luma(tmp_path):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (6, 7), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "grey.png"), np.repeat(grey[..., None], 3, axis=2))
    np.testing.assert_array_equal(read_image(tmp_path / "grey.png"), grey)
    colour = rng.integers(0, 256, (6, 7, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "colour.png"), colour)
    blue, green, red = np.moveaxis(colour.astype(float), 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    assert np.abs(read_image(tmp_path / "colour.png") - luma).max() <= 0.51


def test_alpha_is_ignored(tmp_path):
    grey = np.arange(20, dtype=np.uint8).reshape(4, 5)
    alpha = np.full_like(grey, 7)
    cv2.imwrite(str(tmp_path / "a.png"), np.stack([grey, grey, grey, alpha], axis=2))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), grey)


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_truncated_file_is_refused(tmp_path, suffix, keep):
    path = tmp_path / f"image{suffix}"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(ImageError, match="truncated"):
        read_image(path)


def test_a_header_that_claims_65535_squared_is_refused(tmp_path):
    path = tmp_path / "huge.png"
    cv2.imwrite(str(path), np.zeros((4, 4), np.uint8))
    whole = bytearray(path.read_bytes())
    whole[16:24] = (65535).to_bytes(4, "big") * 2
    path.write_bytes(whole)
    with pytest.raises(ImageError, match="claims 65535x65535"):
        read_image(path)


@pytest.mark.parametrize("content", [b"", b"no image at all", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_refused_by_name(tmp_path, content):
    path = tmp_path / "some.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"some\.png"):
        read_image(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"nothing\.png"):
        read_image(tmp_path / "nothing.png")


@pytest.mark.parametrize(
    ("image", "value_range", "black", "white"),
    [
        (np.array([[0, 255]], np.uint8), None, 0, 255),
        (np.array([[0, 65535]], np.uint16), None, 0, 255),
        (np.array([[0, 16383]], np.uint16), (0, 16383), 0, 255),
        (np.array([[0.0, 1.0]]), None, 0, 255),
        (np.array([[-5.0, 5.0]]), (-5, 5), 0, 255),
        (np.array([[10, 20]], np.int32), (0, 20), 127.5, 255),
    ],
)
def test_values_are_mapped_by_the_range(image, value_range, black, white):
    np.testing.assert_allclose(to_grey_levels(image, value_range), [[black, white]])
    np.testing.assert_allclose(
        to_unit_range(image, value_range), np.array([[black, white]]) / 255, rtol=1e-6
    )


def test_grey_levels_of_uint8_are_exact_and_a_copy():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    grey = to_grey_levels(image)
    np.testing.assert_array_equal(grey, image)
    grey += 1
    assert image[0, 0] == 0


@pytest.mark.parametrize(
    ("image", "value_range", "message"),
    [
        (np.zeros((3, 3, 3), np.uint8), None, r"shape \(H, W\)"),
        (np.zeros((0, 3), np.uint8), None, "at least one pixel"),
        (np.zeros((3, 3), np.int64), None, "pass value_range"),
        (np.zeros((3, 3), bool), None, "uint8, uint16 or float"),
        (np.array([[0.5, np.nan]]), None, "row 0, column 1"),
        (np.array([[0.5, -np.inf]]), None, "NaN or infinity"),
        (np.array([[0.5, 1.5]]), None, r"value_range \(0, 1\), got 0.5 to 1.5"),
        (np.zeros((3, 3)), (5, 5), "black < white"),
        ([[1, 2]], None, "numpy array"),
        (np.ma.masked_equal(np.array([[1, 2]], np.uint16), 2), None, "no masked pixels, got 1"),
        (np.array([[1, 2]], np.uint16), "auto", "two numbers .*got 'auto'"),
        (np.array([[1, 2]], np.uint16), (1, 2, 3), "two numbers"),
    ],
)
def test_bad_images_are_refused(image, value_range, message):
    with pytest.raises(ImageError, match=message):
        to_grey_levels(image, value_range)


@pytest.mark.parametrize(
    ("stored", "expected", "n_odd"),
    [
        (
            np.array([[0, 255, 255, 255, 128, 127, *[0] * 6]], np.uint8),
            [[0, 1, 1, 1, 1, *[0] * 7]],
            2,
        ),
        (np.array([[0, 1, 1, 0]], np.uint8), [[0, 1, 1, 0]], 0),
        (np.array([[*[65535] * 4, 300, *[0] * 5]], np.uint16), [[*[1] * 4, *[0] * 6]], 1),
        (np.array([[0, 0]], np.uint8), [[0, 0]], 0),
    ],
)
def test_masks_are_read_by_one_rule(stored, expected, n_odd):
    mask = binarise(stored)
    np.testing.assert_array_equal(mask.pixels, np.array(expected, bool))
    assert mask.n_odd == n_odd


def test_a_broken_mask_is_a_mask_error(tmp_path):
    (tmp_path / "mask.png").write_bytes(b"nothing")
    with pytest.raises(MaskError, match=r"mask\.png"):
        read_mask(tmp_path / "mask.png")
