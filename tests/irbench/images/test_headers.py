from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from irbench.errors import ImageError, UsageError
from irbench.images import read_image
from irbench.images.headers import claimed_size, image_format
from irbench.images.limits import MAX_PIXELS

SHAPE = (9, 13)
BIG_TIFF = (
    struct.pack("<4sHHQQ", b"II+\0", 8, 0, 16, 2)
    + struct.pack("<HHQQ", 256, 3, 1, 13)
    + struct.pack("<HHQQ", 257, 16, 1, 9)
)


def encoded(suffix, dtype=np.uint8):
    image = np.random.default_rng(0).integers(0, 200, SHAPE).astype(dtype)
    return cv2.imencode(suffix, image)[1].tobytes()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff"])
def test_the_size_is_read_without_decoding(suffix):
    whole = encoded(suffix)
    assert claimed_size(whole) == SHAPE
    # A header that is cut off tells none, or the same; it never fails.
    assert {claimed_size(whole[:n]) for n in range(len(whole))} <= {None, SHAPE}


def test_tiff_of_either_order_and_size_of_numbers():
    assert claimed_size(BIG_TIFF) == SHAPE
    swapped = struct.pack(">4sIH", b"MM\0*", 8, 2)
    swapped += struct.pack(">HHIHH", 256, 3, 1, 13, 0) + struct.pack(">HHII", 257, 4, 1, 9)
    assert claimed_size(swapped) == SHAPE


def with_sides(suffix, side):
    """A valid file of few bytes whose header claims a square of so many pixels a side."""
    whole = bytearray(encoded(suffix))
    if suffix == ".png":
        whole[16:24] = struct.pack(">II", side, side)
    elif suffix == ".bmp":
        whole[18:26] = struct.pack("<ii", side, -side)
    elif suffix == ".jpg":
        at = whole.index(b"\xff\xc0") + 5
        whole[at : at + 4] = struct.pack(">HH", side, side)
    else:
        (at,) = struct.unpack_from("<I", whole, 4)
        for index in range(struct.unpack_from("<H", whole, at)[0]):
            place = at + 2 + 12 * index
            if struct.unpack_from("<H", whole, place)[0] in (256, 257):
                whole[place + 2 : place + 12] = struct.pack("<HII", 4, 1, side)
    return bytes(whole)


@pytest.mark.parametrize("side", [16_385, 30_000, 65_535])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff"])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch, suffix, side):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    path = tmp_path / f"bomb{suffix}"
    path.write_bytes(with_sides(suffix, side))
    with pytest.raises(ImageError, match=rf"claims {side}x{side} pixels.*{MAX_PIXELS}"):
        read_image(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff"])
def test_the_limit_is_raised_and_lowered_by_the_environment(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encoded(suffix))
    monkeypatch.setenv("IRBENCH_MAX_PIXELS", "116")
    with pytest.raises(ImageError, match=r"claims 13x9 .*at most 116 pixels.*IRBENCH_MAX_PIXELS="):
        read_image(path)
    # As the error says; a colour image takes more than two bytes for each pixel.
    monkeypatch.setenv("IRBENCH_MAX_PIXELS", str(9 * 13 * 2))
    assert read_image(path).shape == SHAPE
    path.write_bytes(with_sides(suffix, 16_385))
    monkeypatch.setenv("IRBENCH_MAX_PIXELS", str(10 * MAX_PIXELS))
    with pytest.raises(ImageError, match=r"truncated|damaged|cannot decode"):
        read_image(path)


@pytest.mark.parametrize("text", ["0", "-4", "4e8", "many", "1_000", "9" * 19])
def test_a_limit_that_is_no_number_is_an_error(tmp_path, monkeypatch, text):
    (tmp_path / "a.png").write_bytes(encoded(".png"))
    monkeypatch.setenv("IRBENCH_MAX_PIXELS", text)
    with pytest.raises(UsageError, match="IRBENCH_MAX_PIXELS must be a whole number"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("content", ["webp", "pgm", "hdr"])
def test_other_formats_are_refused_whatever_they_are_called(tmp_path, monkeypatch, content):
    image = np.full(SHAPE, 100, np.uint8)
    if content == "hdr":
        image = cv2.merge([image.astype(np.float32)] * 3)
    whole = cv2.imencode(f".{content}", image)[1].tobytes()
    assert image_format(whole) is None
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    (tmp_path / "a.png").write_bytes(whole)
    with pytest.raises(ImageError, match="expected a complete PNG"):
        read_image(tmp_path / "a.png")


def test_any_changed_pixel_of_a_png_is_seen(tmp_path):
    whole = encoded(".png")
    start = whole.index(b"IDAT")
    for at in range(start, whole.index(b"IEND") - 8, 5):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        (tmp_path / "a.png").write_bytes(damaged)
        with pytest.raises(ImageError, match=r"checksum|truncated"):
            read_image(tmp_path / "a.png")


@pytest.mark.parametrize("share", [0.1, 0.6, 0.99])
@pytest.mark.parametrize("shape", [(20, 31), (20, 31, 3)])
def test_a_truncated_bmp_is_refused_by_its_header_in_one_line(tmp_path, capfd, share, shape):
    path = tmp_path / "a.bmp"
    cv2.imwrite(str(path), np.zeros(shape, np.uint8))
    assert read_image(path).shape == (20, 31)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ImageError, match=r"a\.bmp is truncated"):
        read_image(path)
    assert capfd.readouterr().err == ""
