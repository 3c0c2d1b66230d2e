"""Small detectors of each kind, good and bad, for the tests of the engine."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

from irbench import BoxDetector, MethodInfo, ScoreMapDetector, SegmentationDetector, parameter


def info(name, **more):
    return MethodInfo(
        name=name, title=name.title(), group="Test Methods", year=2026, reference="none", **more
    )


class Brightness(ScoreMapDetector):
    """The image itself, above its median."""

    info = info("brightness")
    gain: float = parameter(default=1.0, low=0.1, high=10, help="factor")

    def compute(self, image):
        return self.gain * (image - np.median(image))


class Bright(SegmentationDetector):
    """A probability that rises with the grey level."""

    info = info("segments")

    def compute(self, image):
        spread = image.std() or 1.0
        return 1 / (1 + np.exp(-(image - image.mean() - 4 * spread) / spread))


class Boxes(BoxDetector):
    """A box of 3 px round the brightest pixel."""

    info = info("boxes")

    def compute(self, image):
        row, column = np.unravel_index(np.argmax(image), image.shape)
        height, width = image.shape
        box = [max(column - 1, 0), max(row - 1, 0), min(column + 2, width), min(row + 2, height)]
        return np.array([box], np.float32), np.array([image.max()], np.float32)


class Fragile(Brightness):
    """Raises on some of the images."""

    info = info("fragile", default=False)

    def compute(self, image):
        if int(image.sum()) % 7 == 0:
            raise ValueError("this image is not to my liking")
        return super().compute(image)


class Broken(Brightness):
    """Raises on every image."""

    info = info("broken", default=False)

    def compute(self, image):
        raise RuntimeError("never works")


class Crashing(Brightness):
    """Takes its process with it on some of the images."""

    info = info("crashing", default=False)

    def compute(self, image):
        if int(image.sum()) % 7 == 0:
            os._exit(11)
        return super().compute(image)


class Hanging(Brightness):
    """Does not come back on some of the images."""

    info = info("hanging", default=False)

    def compute(self, image):
        if int(image.sum()) % 7 == 0:
            time.sleep(3600)
        return super().compute(image)


class Slow(Brightness):
    """Takes its time, so that a test can kill it in the middle.

    With ``HOLD_AFTER`` set, a worker does so many images and waits to be killed.
    """

    info = info("slow", default=False)
    n_computed = 0

    def compute(self, image):
        time.sleep(0.05)
        while Slow.n_computed >= int(os.environ.get("HOLD_AFTER", "1000")):
            time.sleep(0.05)
        Slow.n_computed += 1
        return super().compute(image)


def is_unlucky(image):
    """Some of the images."""
    return int(image.sum()) % 7 == 0


class Segfaulting(Brightness):
    """Reads address 0 on some of the images."""

    info = info("segfaulting", default=False)

    def compute(self, image):
        if is_unlucky(image):
            faulthandler.disable()
            ctypes.string_at(0)
        return super().compute(image)


class Greedy(Brightness):
    """Needs more memory than there is on some of the images."""

    info = info("greedy", default=False)

    def compute(self, image):
        if is_unlucky(image):
            resource.setrlimit(resource.RLIMIT_AS, (2**32, resource.RLIM_INFINITY))
            return np.ones((2**33,))
        return super().compute(image)


class UntellableError(Exception):
    """Of a plug-in, and such that pickle cannot put it together again."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class Untellable(Brightness):
    """Raises what the parent cannot read, on some of the images."""

    info = info("untellable", default=False)

    def compute(self, image):
        if is_unlucky(image):
            raise UntellableError("this", "that")
        return super().compute(image)


class Exiting(Brightness):
    """Wants to end the program on some of the images."""

    info = info("exiting", default=False)

    def compute(self, image):
        if is_unlucky(image):
            sys.exit(3)
        return super().compute(image)


class Endless(Brightness):
    """Writes the number of its process beside the run, and computes for ever."""

    info = info("endless", default=False)

    def compute(self, image):
        Path(f"worker-{os.getpid()}").touch()
        while True:
            image = np.sqrt(image * image)
