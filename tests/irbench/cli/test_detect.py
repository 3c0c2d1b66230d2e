"""``irbench detect`` writes over no image, gives each its own picture, and writes valid JSON."""

from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from irbench.cli.detect import detect
from irbench.cli.detect_files import picture_files
from irbench.errors import UsageError, WriteError


@pytest.fixture
def frames(tmp_path, monkeypatch):
    """Three frames, two of the same name, with a target each at another place."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for column, name in enumerate(("one/a.png", "two/a.png", "one/b.tif")):
        image = rng.normal(60, 2, (32, 40)).astype(np.uint8)
        image[10:13, 10 * column + 5 : 10 * column + 8] = 200
        Path(name).parent.mkdir(exist_ok=True)
        cv2.imwrite(name, image)
    return tmp_path


def call(*arguments, status=0):
    words = ["tophat", *map(str, arguments)]
    done = CliRunner().invoke(detect, words, catch_exceptions=False, standalone_mode=False)
    assert done.return_value == status, done.output


def listing(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def described(out):
    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    text = (Path(out) / "detections.json").read_text()
    return json.loads(text, parse_constant=refuse)["images"]


def refused(image, folder, *arguments):
    before = listing(folder)
    with pytest.raises(UsageError, match=f"the image {image} .*another folder by --out"):
        call(*arguments)
    assert listing(folder) == before


def test_an_image_is_never_written_over(frames):
    refused("one/a.png", frames, "one/b.tif", "one/a.png", "--out", "one")
    refused("one/a.png", frames, "one/a.png", "--out", "two/../one")
    # A picture of one image in the place of another.
    refused("two/a.png", frames, "one", "two", "--out", "two")


@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_nor_is_it_through_a_link(frames, make):
    (frames / "out").mkdir()
    make(frames / "one/a.png", frames / "out/a.png")
    refused("one/a.png", frames, "one/a.png", "--out", "out")


def test_nor_by_the_description(frames):
    (frames / "detections.json").write_bytes((frames / "one/a.png").read_bytes())
    refused("detections.json", frames, "detections.json", "--out", ".")


def test_images_of_one_name_have_pictures_of_their_own(frames):
    call("one", "two", "--threshold", 5, "--out", "out")
    images = described("out")
    assert [Path(one["picture"]).name for one in images] == ["a.png", "b.png", "a-2.png"]
    pictures = [cv2.imread(one["picture"]) for one in images]
    for image, column in zip(images, (0, 2, 1), strict=True):
        (found,) = image["detections"]
        assert found["box"] == [10 * column + 5, 10, 10 * column + 8, 13]
    assert not np.array_equal(pictures[0], pictures[2])
    # Beside its own pictures it may be repeated.
    call("one", "--out", "out")


def test_numbers_take_no_other_name():
    files = [Path(name) for name in ("x/A.png", "x/a.tif", "a-2.png", "y/a.png", "a-2.bmp")]
    names = [path.name for path in picture_files(files, Path("out"))]
    assert names == ["A.png", "a-3.png", "a-2.png", "a-4.png", "a-2-2.png"]


def test_infinite_thresholds_are_json(frames):
    call("one", "--threshold", "inf", "--out", "out")
    assert [(one["threshold"], one["detections"]) for one in described("out")] == [("inf", [])] * 2
    call("one", "--threshold", "-inf", "--out", "out")
    assert all(one["threshold"] is None and one["detections"] for one in described("out"))
    with pytest.raises(UsageError, match="--threshold must be a number, got nan"):
        call("one", "--threshold", "nan", "--out", "other")
    assert not Path("other").exists()


def test_a_full_disk_ends_it_and_spoils_nothing(frames, monkeypatch):
    call("one", "--out", "out")
    before = listing(frames)
    write = Path.write_bytes

    def fills(path, content):
        write(path, content[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fills)
    with pytest.raises(WriteError, match=r"a\.png: No space left"):
        call("one", "--out", "out")
    assert listing(frames) == before


def test_a_stack_is_counted_as_an_engineer_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    frames = rng.normal(7000, 10, (4, 64, 80)).round().astype(np.uint16)
    frames[1, 10:13, 20:23] += 200
    frames[3, 10:13, 20:23] += 400
    frames[3, 40:43, 50:53] += 300
    tifffile.imwrite("clip.tif", frames, photometric="minisblack")
    words = ["clip.tif", "--threshold", 8, "--value-range", "auto", "--pictures", "found"]
    call(*words, "--fps", 50, "--out", "out")
    summary = json.loads((tmp_path / "out/detections.json").read_text())["summary"]
    assert (summary["n_frames"], summary["n_alarms"], summary["n_bad_frames"]) == (4, 3, 0)
    assert summary["alarms_per_frame"] == 0.75
    assert summary["alarms_per_hour"] == 0.75 * 50 * 3600
    assert summary["alarms_per_megapixel"] == pytest.approx(3 / (4 * 64 * 80 / 1e6))
    assert summary["histogram"] == {"0": 2, "1": 1, "2": 1}
    assert summary["worst_frame"] == {"frame": "clip.tif#3", "n_alarms": 2}
    with (tmp_path / "out/frames.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["n_detections"] for row in rows] == ["0", "1", "0", "2"]
    assert sorted(p.name for p in (tmp_path / "out/clip").iterdir()) == ["000001.png", "000003.png"]
    assert cv2.imread("out/strongest.png") is not None
    assert cv2.imread("out/alarms.png") is not None


def test_a_frame_whose_name_is_a_formula_is_text_in_the_table(frames, monkeypatch):
    Path("one/a.png").rename("one/=1+1.png")
    monkeypatch.chdir("one")
    call("=1+1.png", "--out", "out")
    with Path("out/frames.csv").open() as file:
        assert [row["frame"] for row in csv.DictReader(file)] == ["'=1+1.png"]


def test_bad_frames_are_passed_and_counted(frames):
    Path("one/a.png").write_bytes(Path("one/a.png").read_bytes()[:50])
    call("one", "--out", "out", status=1)
    first, second = described("out")
    assert "truncated" in first["error"]
    assert second["detections"]


@pytest.mark.parametrize("words", [["9"], ["9", "abc"], ["often"], ["9", "9"]])
def test_ranges_that_are_none(frames, words):
    with pytest.raises((click.BadParameter, UsageError), match=r"expected (two|black)"):
        call("one", "--value-range", *words)
