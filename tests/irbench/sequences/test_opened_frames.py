"""Frames of every kind of file against what was written into it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from irbench.errors import UsageError
from irbench.sequences.opened_frames import natural_key, open_sequence

N, SHAPE = 5, (24, 30)
COUNTS = np.random.default_rng(0).integers(6900, 7300, (N, *SHAPE)).astype(np.uint16)


def read(*paths):
    return list(open_sequence(map(Path, paths)).frames())


def assert_counts(frames, expected=COUNTS):
    assert [frame.error for frame in frames] == [""] * len(expected)
    for frame, counts in zip(frames, expected, strict=True):
        assert frame.pixels.dtype == counts.dtype
        np.testing.assert_array_equal(frame.pixels, counts)


def test_numbers_are_counted_in_names():
    names = ["f10.png", "f9.png", "F1.png", "f010.png", "g.png", "f.png"]
    expected = ["F1.png", "f9.png", "f010.png", "f10.png", "f.png", "g.png"]
    assert sorted(names, key=natural_key) == expected


def test_a_folder_comes_in_natural_order(tmp_path):
    for index, counts in enumerate(COUNTS):
        cv2.imwrite(str(tmp_path / f"frame_{index + 8}.png"), counts)
    (tmp_path / "notes.txt").write_text("no frame")
    assert_counts(read(tmp_path))


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "deflate"},
        {"tile": (16, 16)},
        {"imagej": True},
        {"truncate": True},
        {"bigtiff": True},
        {"byteorder": ">"},
    ],
    ids=str,
)
def test_tiff_stacks(tmp_path, options):
    tifffile.imwrite(tmp_path / "clip.tif", COUNTS, photometric="minisblack", **options)
    sequence = open_sequence([tmp_path / "clip.tif"])
    assert sequence.n_frames == N
    frames = list(sequence.frames())
    assert_counts(frames)
    assert [frame.name.rpartition("#")[2] for frame in frames] == list("01234")


def test_a_damaged_page_costs_itself(tmp_path):
    path = tmp_path / "clip.tif"
    with tifffile.TiffWriter(path) as writer:
        for counts in COUNTS:
            writer.write(counts, compression="deflate", metadata=None)
    with tifffile.TiffFile(path) as file:
        offset, length = file.pages[2].dataoffsets[0], file.pages[2].databytecounts[0]
    content = bytearray(path.read_bytes())
    content[offset : offset + length] = b"\xff" * length
    path.write_bytes(content)
    frames = read(path)
    assert [bool(frame.error) for frame in frames] == [False, False, True, False, False]
    assert "clip.tif#2" in frames[2].error


@pytest.mark.parametrize(
    "options",
    [{"metadata": None}, {"metadata": None, "bigtiff": True}, {"imagej": True}, {"truncate": True}],
    ids=str,
)
def test_a_truncated_stack_says_so_behind_its_frames(tmp_path, options):
    path = tmp_path / "clip.tif"
    tifffile.imwrite(path, COUNTS, photometric="minisblack", **options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    source = open_sequence([path])
    *good, last = source.frames()
    assert_counts(good, COUNTS[: len(good)])
    assert good
    assert f"ends after {len(good)} frames" in last.error
    assert source.n_frames > len(good)
    assert source.frame(source.n_frames - 1).error == last.error
    assert "has no frame" in source.sources[0].frame(source.n_frames).error


def test_frames_of_a_stack_by_their_places(tmp_path):
    for name, options in (("pages", {"metadata": None}), ("one", {"imagej": True})):
        path = tmp_path / f"{name}.tif"
        tifffile.imwrite(path, COUNTS, photometric="minisblack", **options)
        sequence = open_sequence([path])
        assert_counts([sequence.frame(index) for index in (3, 0, 4)], COUNTS[[3, 0, 4]])


def test_frames_whose_zero_is_white_are_refused_behind_one_page_too(tmp_path):
    path = tmp_path / "clip.tif"
    tifffile.imwrite(path, COUNTS, photometric="miniswhite", truncate=True)
    (bad,) = read(path)
    assert "its zero is white" in bad.error


def test_arrays(tmp_path):
    np.save(tmp_path / "clip.npy", COUNTS.astype(">u2"))
    assert_counts(read(tmp_path / "clip.npy"))
    np.save(tmp_path / "one.npy", COUNTS[0])
    assert_counts(read(tmp_path / "one.npy"), COUNTS[:1])
    np.save(tmp_path / "odd.npy", np.zeros((2, 3, 4, 5)))
    (bad,) = read(tmp_path / "odd.npy")
    assert "expected numbers of shape (H, W) or (N, H, W)" in bad.error
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    (bad,) = read(tmp_path / "pickle.npy")
    assert "cannot read" in bad.error


def test_fits_cubes_keep_unsigned_counts(tmp_path):
    fits = pytest.importorskip("astropy.io.fits", reason="the extra `camera` is not installed")
    counts = COUNTS + np.uint16(40000)
    fits.writeto(tmp_path / "clip.fits", counts)
    assert_counts(read(tmp_path / "clip.fits"), counts)
    assert_counts([open_sequence([tmp_path / "clip.fits"]).frame(3)], counts[3:4])
    (tmp_path / "none.fits").write_bytes(b"no FITS")
    (bad,) = read(tmp_path / "none.fits")
    assert "cannot read the FITS file" in bad.error


@pytest.mark.filterwarnings("ignore:.*truncated")
def test_a_truncated_fits_cube_costs_the_frames_behind(tmp_path):
    fits = pytest.importorskip("astropy.io.fits", reason="the extra `camera` is not installed")
    path = tmp_path / "clip.fits"
    fits.writeto(path, COUNTS)
    header = 2880
    path.write_bytes(path.read_bytes()[: header + COUNTS.nbytes // 2])
    frames = read(path)
    assert_counts(frames[: N // 2], COUNTS[: N // 2])
    assert ["cannot read the FITS file" in frame.error for frame in frames[N // 2 :]] == [True] * 3


def write_video(path, frames, code, depth):
    options = [cv2.VIDEOWRITER_PROP_DEPTH, depth, cv2.VIDEOWRITER_PROP_IS_COLOR, 0]
    fourcc = cv2.VideoWriter_fourcc(*code)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, 30.0, SHAPE[::-1], options)
    if not writer.isOpened():
        pytest.skip(f"this OpenCV writes no {code}")
    for frame in frames:
        writer.write(frame)
    writer.release()


def test_videos_keep_their_depth(tmp_path):
    write_video(tmp_path / "deep.avi", COUNTS, "FFV1", cv2.CV_16U)
    sequence = open_sequence([tmp_path / "deep.avi"])
    assert (sequence.n_frames, sequence.frame_rate) == (N, 30.0)
    assert_counts(list(sequence.frames()))
    grey = (COUNTS >> 6).astype(np.uint8)
    write_video(tmp_path / "grey.avi", grey, "FFV1", cv2.CV_8U)
    assert_counts(read(tmp_path / "grey.avi"), grey)


def test_a_truncated_video_says_so_behind_its_frames(tmp_path):
    path = tmp_path / "clip.avi"
    write_video(path, np.repeat(COUNTS, 20, axis=0), "FFV1", cv2.CV_16U)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    *good, last = read(path)
    assert good
    assert not any(frame.error for frame in good)
    assert "truncated or damaged" in last.error
    path.write_bytes(b"no video")
    (bad,) = read(path)
    assert "cannot open the video" in bad.error


def test_containers_are_refused_with_a_way_out(tmp_path):
    for name, hint in (("a.seq", "16-bit TIFF"), ("a.ptw", "export"), ("a.raw", "numpy.save")):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(UsageError, match=hint):
            open_sequence([tmp_path / name])
    with pytest.raises(UsageError, match="is not read"):
        open_sequence([tmp_path])
    with pytest.raises(UsageError, match="there is no image"):
        open_sequence([tmp_path / "none.tif"])


def test_a_painted_preview_is_no_frame(tmp_path):
    plain = cv2.imencode(".jpg", np.zeros((16, 16), np.uint8))[1].tobytes()
    flir = b"FLIR\0\x01\0\0" + bytes(40)
    segment = b"\xff\xe1" + (len(flir) + 2).to_bytes(2, "big") + flir
    (tmp_path / "plain.jpg").write_bytes(plain)
    (tmp_path / "thermal.jpg").write_bytes(plain[:2] + segment + plain[2:])
    good, bad = read(tmp_path / "plain.jpg", tmp_path / "thermal.jpg")
    assert good.error == ""
    assert "RawThermalImage" in bad.error


def test_spread_frames_come_from_everywhere(tmp_path):
    np.save(tmp_path / "a.npy", COUNTS)
    cv2.imwrite(str(tmp_path / "b.png"), COUNTS[0])
    assert len(list(open_sequence([tmp_path]).spread(3))) == 3
    assert len(list(open_sequence([tmp_path]).spread(100))) == N + 1
