"""TIFF against what was written by tifffile: the stored values, or a refusal."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from irbench.errors import ImageError
from irbench.images import read_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 200, (37, 41))


def written(tmp_path, array, **options):
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    return tmp_path / "a.tif"


@pytest.mark.parametrize(
    "dtype",
    [np.uint8, np.uint16, np.uint32, np.int16, np.int32, np.float16, np.float32, np.float64],
)
@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "packbits"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_every_type_of_number(tmp_path, dtype, compression, tile):
    array = (GREY - (100 if np.dtype(dtype).kind in "if" else 0)).astype(dtype)
    read = read_image(written(tmp_path, array, compression=compression, tile=tile))
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("planar", ["separate", "contig"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_equal_bands_in_either_order(tmp_path, dtype, planar, byteorder):
    grey = GREY.astype(dtype)
    array = np.stack([grey] * 3, 0 if planar == "separate" else -1)
    path = written(
        tmp_path, array, photometric="rgb", planarconfig=planar, byteorder=byteorder, rowsperstrip=8
    )
    np.testing.assert_array_equal(read_image(path), grey)


def test_bands_that_differ_give_the_luma(tmp_path):
    rgb = RNG.integers(0, 60000, (3, 20, 30)).astype(np.uint16)
    luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]
    path = written(tmp_path, rgb, photometric="rgb", planarconfig="separate")
    assert np.abs(read_image(path) - luma).max() <= 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_grey_with_alpha(tmp_path, dtype):
    array = np.stack([GREY, np.full_like(GREY, 7)], -1).astype(dtype)
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    path = written(tmp_path, array, extrasamples=["unassalpha"], **options)
    np.testing.assert_array_equal(read_image(path), array[..., 0])
    path = written(tmp_path, array, extrasamples=["unspecified"], **options)
    with pytest.raises(ImageError, match="2 samples"):
        read_image(path)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_bits_are_the_stored_values(tmp_path, bits):
    array = RNG.integers(0, 2**bits, (37, 40)).astype(np.uint16)
    packed = "".join(format(value, f"0{bits}b") for row in array for value in row)
    data = int(packed, 2).to_bytes(len(packed) // 8, "big")
    path = written(tmp_path, np.frombuffer(data, np.uint8).reshape(37, -1))
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        # Four of 10 bit, two of 12: rows end on whole bytes.
        for tag, value in ((256, 40), (258, bits)):
            at = tags[tag].offset
            content[at + 2 : at + 12] = b"\3\0\1\0\0\0" + value.to_bytes(4, "little")
    path.write_bytes(content)
    np.testing.assert_array_equal(read_image(path), array)


@pytest.mark.parametrize("photometric", ["miniswhite", "cfa", "cielab", "separated"])
def test_other_meanings_are_refused(tmp_path, photometric):
    shape = {"cielab": (9, 9, 3), "separated": (9, 9, 4)}.get(photometric, (9, 9))
    path = written(tmp_path, np.ones(shape, np.uint8), photometric=photometric)
    with pytest.raises(ImageError, match=r"a\.tif"):
        read_image(path)


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_a_turned_tiff_is_refused(tmp_path, orientation):
    path = written(tmp_path, GREY, extratags=[(274, "H", 1, orientation, True)])
    with pytest.raises(ImageError, match=f"orientation {orientation}"):
        read_image(path)


@pytest.mark.parametrize("options", [{}, {"imagej": True}, {"ome": True}, {"truncate": True}])
def test_a_stack_is_refused_with_its_number_of_pages(tmp_path, options):
    stack = RNG.integers(0, 999, (4, 20, 30)).astype(np.uint16)
    path = written(tmp_path, stack, photometric="minisblack", **options)
    with pytest.raises(ImageError, match=r"stack of .* pages?, 4 of them images"):
        read_image(path)


def test_a_stack_that_is_cut_off_behind_its_first_page_is_no_image(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for _ in range(4):
            writer.write(GREY.astype(np.uint16), metadata=None, contiguous=False)
    with tifffile.TiffFile(path) as file:
        second = file.pages[1].offset
    path.write_bytes(path.read_bytes()[:second])
    with pytest.raises(ImageError, match="truncated or damaged: its TIFF directory names a page"):
        read_image(path)


def test_a_thumbnail_is_no_image(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(np.zeros((5, 5), np.uint8), subfiletype=1, metadata=None)
        file.write(GREY.astype(np.uint16), metadata=None)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), GREY)


@pytest.mark.parametrize("compression", [None, "lzw", "deflate"])
@pytest.mark.parametrize("planar", [True, False])
def test_a_missing_end_is_seen(tmp_path, compression, planar):
    array = np.stack([GREY] * 3).astype(np.uint16) if planar else GREY.astype(np.uint16)
    options = {"photometric": "rgb", "planarconfig": "separate"} if planar else {}
    path = written(tmp_path, array, compression=compression, **options)
    whole = path.read_bytes()
    for keep in (0.3, 0.6, 0.9, 0.99):
        path.write_bytes(whole[: int(len(whole) * keep)])
        with pytest.raises(ImageError, match=r"a\.tif"):
            read_image(path)


def test_the_limit_counts_bytes(tmp_path, monkeypatch):
    path = written(tmp_path, GREY.astype(np.float64), compression="deflate")
    needed = 37 * 41 * 8 // 2
    monkeypatch.setenv("IRBENCH_MAX_PIXELS", str(needed - 1))
    with pytest.raises(ImageError, match=f"take {37 * 41 * 8} bytes.*IRBENCH_MAX_PIXELS={needed}"):
        read_image(path)
    monkeypatch.setenv("IRBENCH_MAX_PIXELS", str(needed))
    np.testing.assert_array_equal(read_image(path), GREY)
