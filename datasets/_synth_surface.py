"""Scenes with the earth in them: ridges below a skyline, the sea, a town from above.

Sizes are pixels, so a larger image is a wider field of view and not an
enlargement. Radiances are in units of their own.
"""

from __future__ import annotations

import numpy as np

from ._synth_fields import blur, coordinates, fractal_noise, sample, smoothstep, value_noise
from ._synth_shapes import Vector, add_blob, paint_line, paint_rectangle, parcels
from ._synth_stream import Floats, Stream

Shape = tuple[int, int]


def terrain(stream: Stream, shape: Shape) -> Floats:
    """Sky over two to four ridges with jagged skylines, and sometimes hot structures."""
    rows, _ = coordinates(shape)
    haze = value_noise(stream, shape, (20.0, 60.0))
    canvas = 0.25 * rows / shape[0] + 0.04 * haze + np.zeros(shape)
    n_ridges = stream.integer(2, 4)
    horizon = stream.uniform(0.15, 0.6) * shape[0]
    step = (shape[0] - horizon) / n_ridges
    for ridge in range(n_ridges):
        cell = stream.uniform(24, 60)
        profile = fractal_noise(stream, (1, shape[1]), cell, stream.uniform(0.4, 0.6))
        skyline = horizon + ridge * step + stream.uniform(3, 10) * profile
        forest = stream.uniform(0.0, 2.5) * np.abs(fractal_noise(stream, (1, shape[1]), 4.0, 0.7))
        below = np.clip(rows - skyline + forest + 0.5, 0, 1)
        level = 0.35 + 0.45 * stream.uniform() + 0.1 * ridge
        growth = fractal_noise(stream, shape, stream.uniform(8, 24), 0.6, stream.uniform(1.0, 3.0))
        patches = smoothstep(0.5 + 1.5 * growth)
        relief = stream.uniform(0.05, 0.15) * growth + stream.uniform(0.0, 0.2) * patches
        ground = level + (relief if stream.chance(0.5) else -relief)
        canvas += below * (ground - canvas)
    if stream.chance(0.5):
        for _ in range(_per_side(stream, shape, 1, 3)):
            _add_building(stream, canvas, (horizon / shape[0], 1.0), (1.0, 0.0), hot=0.3)
    return canvas


def sea(stream: Stream, shape: Shape) -> Floats:
    """Waves seen at a slant, with a lane of glint, and sometimes the horizon."""
    rows, columns = coordinates(shape)
    horizon = stream.uniform(0.1, 0.4) * shape[0] if stream.chance(0.5) else -0.4 * shape[0]
    # Perspective: waves shrink towards the horizon, in height more than in width.
    nearness = np.clip((rows - horizon) / (shape[0] - horizon), 0.04, 1.0)
    scale = 1.0 / (0.35 + 0.65 * nearness)
    distance = 1.5 * (shape[0] - horizon) * (scale - 1.0)
    swell = 2.0 * value_noise(stream, shape, (24.0, 24.0))
    extent = (int(2.5 * shape[0]) + 32, int(1.65 * shape[1]) + 2)
    waves = fractal_noise(stream, extent, stream.uniform(5, 12), 0.6, stream.uniform(1.5, 3.0))
    across = (columns - shape[1] / 2) * np.sqrt(scale)
    waves = sample(waves, 16.0 + distance + swell, extent[1] / 2 + across)
    lane = smoothstep(
        1.0 - np.abs(columns / shape[1] - stream.uniform(0.1, 0.9)) / stream.uniform(0.15, 0.6)
    )
    glints = smoothstep((waves - stream.uniform(0.8, 1.5)) / 1.2) * lane
    surface = 0.35 + 0.25 * nearness + 0.1 * waves * np.sqrt(nearness)
    surface = surface + stream.uniform(0.1, 0.5) * glints + 0.15 * lane
    above = 0.25 + stream.uniform(0.0, 0.6) + 0.15 * rows / shape[0] + np.zeros(shape)
    above += 0.08 * fractal_noise(stream, shape, 24.0, 0.5, 2.5)
    water = np.clip(rows - horizon + 0.5, 0, 1)
    return np.asarray(above + water * (surface - above))


def town(stream: Stream, shape: Shape) -> Floats:
    """Parcels of land from above, with roads, buildings, hot corners and warm blobs."""
    n_parcels = _per_side(stream, shape, 5, 12)
    canvas = 0.5 * blur(parcels(stream, shape, n_parcels), 0.7)
    canvas += 0.12 * fractal_noise(stream, shape, stream.uniform(8, 30), 0.65)
    heading = stream.direction()
    built = stream.uniform(0.0, 1.0)
    for _ in range(stream.integer(1, 3)):
        through = (stream.uniform() * shape[0], stream.uniform() * shape[1])
        along = heading if stream.chance(0.5) else (-heading[1], heading[0])
        half_width = stream.uniform(0.7, 2.5)
        paint_line(canvas, through, along, half_width, stream.uniform(0.0, 1.0))
    for _ in range(_per_side(stream, shape, 0, int(14 * built))):
        _add_building(stream, canvas, (0.0, 1.0), heading, hot=0.25)
    for _ in range(_per_side(stream, shape, 0, 3)):
        centre = (stream.uniform() * shape[0], stream.uniform() * shape[1])
        sigmas = (stream.uniform(4, 9), stream.uniform(3, 6))
        add_blob(canvas, centre, sigmas, stream.direction(), stream.uniform(0.2, 0.6))
    return canvas


def _add_building(
    stream: Stream,
    canvas: Floats,
    band: tuple[float, float],
    heading: Vector,
    hot: float,
) -> None:
    """A roof or wall with a darker side and, with probability ``hot``, a hot part."""
    height, width = canvas.shape
    centre = (stream.uniform(*band) * height, stream.uniform() * width)
    half = (stream.uniform(3, 13), stream.uniform(2, 8))
    level = stream.uniform(0.2, 1.0)
    side = (centre[0] + 1.5 * heading[1], centre[1] + 1.5 * heading[0])
    paint_rectangle(canvas, side, half, heading, level - 0.3)
    paint_rectangle(canvas, centre, half, heading, level)
    if stream.chance(hot):
        # In a corner, and longer than a target is wide: a distractor with a reason.
        along, across = 0.7 * half[0], 0.7 * half[1]
        part = (
            centre[0] + along * heading[1] + across * heading[0],
            centre[1] + along * heading[0] - across * heading[1],
        )
        sides = (stream.uniform(1.0, 3.5), stream.uniform(0.7, 1.5))
        paint_rectangle(canvas, part, sides, heading, level + stream.uniform(0.3, 0.8))


def _per_side(stream: Stream, shape: Shape, low: int, high: int) -> int:
    """A number that is ``low`` to ``high`` on 128x128 pixels, and grows with the side."""
    return stream.integer(low, max(high, low)) * max(shape) // 128
