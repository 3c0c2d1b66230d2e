"""A candidate on frames, in this process: what makes it too slow, which frames are passed over."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from irbench.choosing import measuring
from irbench.choosing.measuring import ChooseJob, measure
from irbench.engine.jobs.specs import MethodSpec
from irbench.sequences.frame_detection import FrameReading


@pytest.fixture
def frames(tmp_path, monkeypatch):
    # The threads of this process stay as they are.
    monkeypatch.setattr(measuring, "_set_threads", lambda n: None)
    random = np.random.default_rng(0)
    for number in range(5):
        pixels = random.normal(100, 5, (40, 48)).round().astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), pixels)
    return tmp_path


def job(frames, least_fps=1.0, implants=True):
    reading = FrameReading()
    return ChooseJob(MethodSpec("tophat"), (str(frames),), reading, 1, least_fps, 60.0, implants)


def test_what_it_waited_makes_no_candidate_too_slow(frames, monkeypatch):
    monkeypatch.setattr(measuring, "waited_s", lambda: None)
    assert measure(job(frames, least_fps=1e9)).too_slow
    # All of its time, by the clock of the system.
    monkeypatch.setattr(measuring, "waited_s", lambda: 2 * time.perf_counter())
    busy = measure(job(frames, least_fps=1e9))
    assert not busy.given_up
    assert busy.waited == busy.seconds
    assert len(busy.seconds) == len(busy.on_implants) == 5


def test_frames_that_no_target_fits_into_are_passed_over(frames):
    cv2.imwrite(str(frames / "2.png"), np.zeros((20, 48), np.uint8))
    found = measure(job(frames))
    assert len(found.seconds) == 4
    assert list(found.unread) == [str(frames / "2.png")]
    assert not measure(job(frames, implants=False)).unread
