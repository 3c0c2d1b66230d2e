"""Makes the pictures of docs/methods.md: the score map of each method on one synth image.

Run it from the repository's root: ``python docs/make_gallery.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import irbench
from irbench.detector import ScoreMapDetector
from irbench.pictures.drawing import to_display
from irbench.plugins.registry import catalogue

SAMPLE = "test-0017"
"""Two targets in gaps of the clouds, whose rims resemble targets."""

SCALE = 2
ORANGE = (0, 159, 230)  # Okabe and Ito's, as cv2 has it: blue, green, red


def score_map_picture(detector: ScoreMapDetector, sample: irbench.Sample) -> NDArray[np.uint8]:
    """The score map from 0 to its maximum, targets circled."""
    scores = np.clip(np.nan_to_num(detector.score_map(sample.image)), 0, None)
    grey = np.rint(255 * scores / (scores.max() or 1)).astype(np.uint8)
    return picture(grey, sample)


def picture(grey: NDArray[np.uint8], sample: irbench.Sample) -> NDArray[np.uint8]:
    """``(H, W)`` grey levels, enlarged, with a circle round each target."""
    large = cv2.resize(grey, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_NEAREST)
    large = large & 0xFC | 0x02  # 64 grey levels, for small files
    colour = cv2.cvtColor(large, cv2.COLOR_GRAY2BGR)
    for x0, y0, x1, y1 in sample.boxes * SCALE:
        centre = round(float(x0 + x1) / 2), round(float(y0 + y1) / 2)
        radius = round(float(max(x1 - x0, y1 - y0)) / 2) + 5 * SCALE
        cv2.circle(colour, centre, radius, ORANGE, 1, cv2.LINE_AA)
    return np.asarray(colour, dtype=np.uint8)


def main() -> None:
    """Write one PNG for the image and each score-map method."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("gallery"))
    parser.add_argument("--methods", default="", help="names separated by commas; default: all")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    sample = next(one for one in irbench.load_dataset("synth") if one.id == SAMPLE)
    write(options.out / "image.png", picture(to_display(sample.image), sample))
    for name in options.methods.split(",") if options.methods else score_map_methods():
        detector = irbench.load_method(name)
        if isinstance(detector, ScoreMapDetector):
            write(options.out / f"{name}.png", score_map_picture(detector, sample))


def score_map_methods() -> list[str]:
    """Names of all methods that answer a score map."""
    classes = catalogue("methods").classes
    return [name for name, cls in classes.items() if issubclass(cls, ScoreMapDetector)]


def write(file: Path, image: NDArray[np.uint8]) -> None:
    """Write a PNG, as small as it gets."""
    cv2.imwrite(str(file), image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(file)


if __name__ == "__main__":
    main()
