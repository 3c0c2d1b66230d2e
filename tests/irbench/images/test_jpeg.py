"""JPEG: orientation against Pillow, damage, and what follows the end."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from irbench.errors import ImageError
from irbench.images.reading import IN_COLOUR, PREVIEW, TURNED, read_image, read_image_file

RNG = np.random.default_rng(0)
GREY = RNG.normal(90, 30, (40, 56)).clip(0, 255).astype(np.uint8)


def encoded(array=GREY, **options):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_as_pillow_does(tmp_path, orientation, kind):
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / "a.img"
    Image.fromarray(GREY).save(path, kind, exif=exif)
    with Image.open(path) as picture:
        shown = np.array(ImageOps.exif_transpose(picture))
    file = read_image_file(path)
    np.testing.assert_array_equal(file.pixels, shown)
    assert file.notes == ((TURNED,) if orientation > 1 else ())


def test_an_orientation_without_sense_is_none(tmp_path):
    exif = Image.Exif()
    exif[274] = 17
    (tmp_path / "a.jpg").write_bytes(encoded(exif=exif))
    assert read_image(tmp_path / "a.jpg").shape == GREY.shape


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_a_damaged_scan_is_refused(tmp_path, options):
    whole = encoded(**options)
    at = len(whole) // 2
    for damage in (bytes(200), b"\xff\xd9"):
        (tmp_path / "a.jpg").write_bytes(whole[:at] + damage + whole[at + len(damage) :])
        with pytest.raises(ImageError, match=r"a\.jpg is (damaged|truncated)"):
            read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_bytes_after_the_end_are_no_truncation(tmp_path, options):
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(**options))
    alone = read_image(path)
    path.write_bytes(encoded(**options) + RNG.bytes(5000))
    np.testing.assert_array_equal(read_image(path), alone)


def test_an_end_marker_of_a_preview_is_not_the_end(tmp_path):
    whole = encoded()
    preview = b"\xff\xe2" + (2 + 60).to_bytes(2, "big") + encoded()[-60:]
    content = whole[:2] + preview + whole[2:]
    (tmp_path / "a.jpg").write_bytes(content)
    read_image(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(ImageError, match="truncated"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_colours_are_said_and_equal_channels_are_not(tmp_path, kind):
    path = tmp_path / "a.img"
    colour = np.dstack([GREY, GREY[::-1], GREY])
    Image.fromarray(colour).save(path, kind)
    assert read_image_file(path).notes == (IN_COLOUR,)
    Image.fromarray(np.dstack([GREY] * 3)).save(path, kind)
    assert read_image_file(path).notes == ()


def test_an_animated_png_is_refused(tmp_path):
    frames = [Image.fromarray(GREY), Image.fromarray(GREY[::-1].copy())]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="2 frames"):
        read_image(tmp_path / "a.png")


def test_the_preview_of_a_radiometric_file_is_named(tmp_path):
    counts = b"FLIR\0\x01\0\0" + bytes(40)
    segment = b"\xff\xe1" + (len(counts) + 2).to_bytes(2, "big") + counts
    whole = encoded()
    (tmp_path / "a.jpg").write_bytes(whole[:2] + segment + whole[2:])
    assert read_image_file(tmp_path / "a.jpg").notes == (PREVIEW,)
