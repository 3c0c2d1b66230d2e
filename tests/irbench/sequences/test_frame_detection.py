"""A detector on a sequence: past bad frames, by the range that was found, in constant memory."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

import irbench
from irbench.cli.frame_watch import FrameWatch
from irbench.detections import Detections
from irbench.errors import ImageError
from irbench.images.auto_range import clip_to_range, find_range
from irbench.messages.progress import Progress
from irbench.sequences.alarm_pictures import ContactSheet
from irbench.sequences.frame_detection import (
    FrameReading,
    FrameResult,
    detect_frames,
)
from irbench.sequences.frame_source import Frame
from irbench.sequences.opened_frames import open_sequence
from irbench.sequences.read_ahead import read_ahead
from irbench.statistics.poisson import poisson_interval

RNG = np.random.default_rng(1)


def camera_frames(n=6, shape=(40, 48)):
    frames = RNG.normal(7000, 20, (n, *shape)).round().astype(np.uint16)
    frames[:, 20:23, 30:33] += 300
    return frames


def test_it_passes_a_bad_frame(tmp_path):
    frames = camera_frames().astype(np.float32)
    frames[2, 0, 0] = np.nan
    np.save(tmp_path / "clip.npy", frames)
    sequence = open_sequence([tmp_path / "clip.npy"])
    detector = irbench.load_method("tophat")
    results = list(
        detect_frames(detector, sequence, FrameReading.of(sequence, (0, 16383)), extent=0.2)
    )
    assert [result.found is None for result in results] == [n == 2 for n in range(6)]
    assert "NaN" in results[2].error
    expected = detector.detect(frames[4], value_range=(0, 16383), extent=0.2)
    assert results[4].found == expected


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_frames_of_a_black_hot_camera_are_turned_round(tmp_path, dtype):
    frames = camera_frames(2)
    np.save(tmp_path / "clip.npy", (16383 - frames).astype(dtype))
    detector = irbench.load_method("tophat")
    sequence = open_sequence([tmp_path / "clip.npy"])
    results = detect_frames(detector, sequence, FrameReading.of(sequence, (16383, 0)))
    for frame, result in zip(frames, results, strict=True):
        assert result.value_range == (0, 16383)
        assert result.found == detector.detect(frame, value_range=(0, 16383))


def test_dead_pixels_are_replaced_where_that_is_asked_for(tmp_path):
    frames = camera_frames().astype(np.float32)
    frames[2, 0, 0] = np.nan
    frames[:, 5, 5] = 16383
    np.save(tmp_path / "clip.npy", frames)
    sequence = open_sequence([tmp_path / "clip.npy"])
    for choice, n_fixed in (("nan", [0, 0, 1, 0, 0, 0]), ("auto", [1, 1, 2, 1, 1, 1])):
        reading = FrameReading.of(sequence, (0, 16383), choice)
        results = list(detect_frames(irbench.load_method("tophat"), sequence, reading))
        assert [result.n_dead for result in results] == n_fixed
        assert all(result.found is not None for result in results)
        # What is drawn is what the detector saw.
        assert np.isfinite(results[2].frame.pixels).all()
        assert (results[1].frame.pixels.max() == 16383) == (choice == "nan")
    assert FrameReading.of(sequence).dead is None


def test_a_found_range_clips_dead_pixels_and_no_target(tmp_path):
    frames = camera_frames(shape=(120, 160))
    frames[:, 5, 5], frames[:, 9, 9] = 0, 16383
    low, high = find_range(frames)
    assert 6700 < low < 6950
    assert 7060 < high < 7400
    clipped, n_clipped = clip_to_range(frames[0], (low, high))
    target, background = clipped[20:23, 30:33], clipped[24:]
    assert n_clipped == 2 + np.count_nonzero(frames[0, 20:23, 30:33] > high)
    # However far the dead pixels lie, the target stands out as before.
    assert target.min() > background.max() + 50
    np.save(tmp_path / "clip.npy", frames)
    for choice in ("auto", "auto-frame"):
        sequence = open_sequence([tmp_path])
        reading = FrameReading.of(sequence, choice)
        results = list(detect_frames(irbench.load_method("tophat"), sequence, reading))
        assert all(result.n_clipped >= 2 for result in results)
        assert len({result.value_range for result in results}) == (1 if choice == "auto" else 6)


def test_ranges_that_cannot_be_found():
    with pytest.raises(ImageError, match="no frame with a finite pixel"):
        find_range([np.full((4, 4), np.nan)])
    with pytest.raises(ImageError, match="several types"):
        find_range([np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint16)])
    low, high = find_range([np.full((4, 4), 7)])
    assert low < 7 < high


def test_another_type_in_a_sequence_is_a_bad_frame(tmp_path):
    np.save(tmp_path / "a.npy", camera_frames(1)[0])
    np.save(tmp_path / "b.npy", np.zeros((40, 48), np.uint8))
    good, bad = detect_frames(
        irbench.load_method("tophat"), open_sequence([tmp_path]), FrameReading()
    )
    assert good.error == ""
    assert "convert them to one type" in bad.error


def test_reading_ahead_stops_with_its_reader():
    made = []

    def items():
        for index in range(10_000):
            made.append(index)
            yield index

    stream = read_ahead(items(), 3)
    assert [next(stream) for _ in range(5)] == list(range(5))
    stream.close()
    n_made = len(made)
    assert n_made <= 5 + 3 + 2
    time.sleep(0.01)
    assert len(made) == n_made

    def broken():
        yield 1
        raise ImageError("broken")

    stream = read_ahead(broken())
    assert next(stream) == 1
    with pytest.raises(ImageError, match="broken"):
        next(stream)


@pytest.mark.parametrize("count", [0, 1, 7, 250])
def test_poisson_limits_have_their_tails(count):
    scipy_stats = pytest.importorskip("scipy.stats")
    low, high = poisson_interval(count, 10)
    assert scipy_stats.poisson.cdf(count, 10 * high) == pytest.approx(0.025)
    if count:
        assert scipy_stats.poisson.sf(count - 1, 10 * low) == pytest.approx(0.025)


def test_the_contact_sheet_keeps_the_strongest():
    sheet = ContactSheet(n_shown=3)
    frame = RNG.integers(0, 255, (50, 50)).astype(np.uint8)
    scores = [3.0, 9.0, 1.0, 7.0, 5.0]
    for name, score in zip("abcde", scores, strict=True):
        sheet.add(name, frame, irbench.Detections([[0, 0, 3, 3]], [score]))
    assert [entry[0] for entry in sorted(sheet._best)[::-1]] == [9.0, 7.0, 5.0]
    assert sheet.draw().shape[2] == 3
    assert ContactSheet().draw() is None


@pytest.mark.parametrize(
    ("of_model", "n_hints"), [(None, 1), ((6800, 7400), 0), ((7400, 6800), 0), ((0, 16383), 1)]
)
def test_frames_are_held_against_the_range_of_a_model(of_model, n_hints):
    said = []
    progress = Progress()
    progress.warn = said.append
    watch = FrameWatch(progress, None, of_model=of_model)
    for frame in camera_frames(2):
        watch.look_at(
            FrameResult(Frame(Path("clip.npy"), 0, frame), frame, found=Detections.empty())
        )
    assert len(said) == n_hints
    assert all("of its value range" in text for text in said)
