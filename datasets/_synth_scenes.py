"""What the sensor looks at, in grey levels, before optics and noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._synth_air import clouds, sky
from ._synth_fields import order_statistics
from ._synth_stream import Floats, Stream
from ._synth_surface import sea, terrain, town

Shape = tuple[int, int]


@dataclass(frozen=True)
class Family:
    """A family of scenes.

    Attributes
    ----------
    weight : float
        Its share of the images.
    paint : callable
        ``(stream, shape)`` to radiance.
    contrast : (float, float)
        Grey levels between the scene's 1st and 99th percentile.
    """

    weight: float
    paint: Callable[[Stream, Shape], Floats]
    contrast: tuple[float, float]


FAMILIES = {
    "clouds": Family(0.3, clouds, (30.0, 140.0)),
    "sky": Family(0.15, sky, (12.0, 70.0)),
    "terrain": Family(0.2, terrain, (40.0, 150.0)),
    "sea": Family(0.15, sea, (25.0, 110.0)),
    "town": Family(0.2, town, (40.0, 150.0)),
}


def render_scene(stream: Stream, shape: Shape) -> tuple[str, Floats]:
    """Draw a scene.

    Parameters
    ----------
    stream : Stream
    shape : (int, int)
        Height and width, in pixels.

    Returns
    -------
    family : str
    radiance : (H, W) ndarray of float64
        Grey levels, 16 to 235.
    """
    name = stream.choose({name: family.weight for name, family in FAMILIES.items()})
    family = FAMILIES[name]
    contrast = stream.uniform(*family.contrast)
    black = stream.uniform(16.0, 200.0 - contrast)
    radiance = family.paint(stream.child("paint"), shape)
    low, high = order_statistics(radiance, 0.01, 0.99)
    grey = black + (radiance - low) * (contrast / (high - low))
    return name, np.clip(grey, 16.0, 235.0)
