"""The models of degradation, each with one level in grey levels, pixels, percent or bits.

Images come as grey levels from 0 (black) to 255 (white), not rounded, and stay inside. What is
drawn at random is drawn from the seed: a fixed pattern is the same on all images of one size,
all else differs from image to image.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UnknownNameError, UsageError

Grey = NDArray[np.float64]
WHITE = 255.0


@dataclass(frozen=True)
class Model:
    """A way in which images get worse.

    Attributes
    ----------
    name : str
    unit : str
        Of the level.
    low, high : float
        Levels that it takes, both included.
    levels : tuple of float
        For a curve, the mildest first.
    description : str
    fixed : bool
        Whether the pattern is the same on all images of one size.
    apply : callable
        From grey levels, the level and a generator to grey levels.
    """

    name: str
    unit: str
    low: float
    high: float
    levels: tuple[float, ...]
    description: str
    fixed: bool
    apply: Callable[[Grey, float, np.random.Generator], Grey]


def _noise(grey: Grey, level: float, random: np.random.Generator) -> Grey:
    return grey + random.normal(0.0, level, grey.shape)


def _stripes(grey: Grey, level: float, random: np.random.Generator) -> Grey:
    return grey + random.normal(0.0, level, grey.shape[1])


def _dead(grey: Grey, level: float, random: np.random.Generator) -> Grey:
    n_dead = round(level / 100 * grey.size)
    pixels = random.choice(grey.size, n_dead, replace=False)
    worse = grey.copy()
    worse.reshape(-1)[pixels] = random.choice([0.0, WHITE], n_dead)
    return worse


def _blur(grey: Grey, level: float, random: np.random.Generator) -> Grey:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(grey, level, mode="nearest"))


def _gain(grey: Grey, level: float, random: np.random.Generator) -> Grey:
    return grey * (1 + random.uniform(-level, level) / 100)


def _offset(grey: Grey, level: float, random: np.random.Generator) -> Grey:
    return grey + random.uniform(-level, level)


def _quantise(grey: Grey, level: float, random: np.random.Generator) -> Grey:
    step = WHITE / (2 ** round(level) - 1)
    return np.asarray(np.rint(grey / step) * step)


def _jpeg(grey: Grey, level: float, random: np.random.Generator) -> Grey:
    import cv2

    stored = np.rint(grey.clip(0, WHITE)).astype(np.uint8)
    encoded = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, round(level)])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.float64)


MODELS = {
    model.name: model
    for model in (
        Model("noise", "grey levels", 0, 255, (1, 2, 4, 8), "Gaussian noise", False, _noise),
        Model(
            *("stripes", "grey levels", 0, 255, (1, 2, 4, 8)),
            *("columns with an offset each, a fixed pattern", True, _stripes),
        ),
        Model(
            *("dead", "% of the pixels", 0, 50, (0.01, 0.03, 0.1, 0.3)),
            *("pixels that are always black or white", True, _dead),
        ),
        Model("blur", "px", 0, 50, (0.5, 1, 1.5, 2), "Gaussian blur", False, _blur),
        Model("gain", "%", 0, 100, (5, 10, 20, 40), "each image brighter or darker", False, _gain),
        Model(
            *("offset", "grey levels", 0, 255, (5, 10, 20, 40)),
            *("each image lifted or lowered", False, _offset),
        ),
        Model("quantise", "bit", 1, 16, (8, 6, 5, 4), "fewer grey levels", False, _quantise),
        Model("jpeg", "quality", 1, 100, (95, 80, 50, 20), "JPEG at 8 bit", False, _jpeg),
    )
}
"""By name; levels of the noise are standard deviations, of drifts the most either way."""


@dataclass(frozen=True)
class Degradation:
    """A model at a level.

    Raises
    ------
    UnknownNameError, UsageError
        For a model that does not exist, or a level that it cannot have.

    Examples
    --------
    >>> str(Degradation.parse("noise=4"))
    'noise=4'
    """

    name: str
    level: float
    seed: int = 0

    def __post_init__(self) -> None:
        if self.name not in MODELS:
            raise UnknownNameError("degradation", self.name, MODELS)
        model = MODELS[self.name]
        if not (math.isfinite(self.level) and model.low <= self.level <= model.high):
            raise UsageError(
                f"--degrade {self.name}: the level must be {model.low:g} to {model.high:g} "
                f"{model.unit}, got {self.level:g}."
            )

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> Degradation:
        """Read ``NAME=LEVEL``."""
        name, equals, level = text.partition("=")
        try:
            if not equals:
                raise ValueError
            return cls(name.strip(), float(level), seed)
        except UsageError:
            raise
        except ValueError:
            raise UsageError(
                f"--degrade must be NAME=LEVEL, such as noise=4, got {text!r}. Names: "
                f"{', '.join(MODELS)}."
            ) from None

    def apply(self, grey: Grey, image: str) -> Grey:
        """Make the image called ``image`` worse; a new array in 0 to 255."""
        model = MODELS[self.name]
        identity = f"{grey.shape}" if model.fixed else image
        digest = hashlib.sha256(f"{self.seed} {self.name} {identity}".encode()).digest()
        random = np.random.default_rng(int.from_bytes(digest[:8], "little"))
        return np.asarray(np.clip(model.apply(grey, self.level, random), 0.0, WHITE))

    def __str__(self) -> str:
        return f"{self.name}={self.level:g}"


def degrade(grey: Grey, image: str, degradations: Iterable[Degradation]) -> Grey:
    """One degradation after another, in the order given."""
    for one in degradations:
        grey = one.apply(grey, image)
    return grey
