"""Scenes above the horizon: broken clouds, and a clear sky with cirrus.

Sizes are pixels, so a larger image is a wider field of view and not an
enlargement. Radiances are in units of their own.
"""

from __future__ import annotations

import numpy as np

from ._synth_fields import (
    coordinates,
    fractal_noise,
    order_statistics,
    sample,
    smoothstep,
    value_noise,
)
from ._synth_stream import Floats, Stream

Shape = tuple[int, int]

# How far a field reaches beyond the image on each side, so that it can be bent.
_MARGIN = 16


def clouds(stream: Stream, shape: Shape) -> Floats:
    """Broken clouds with bright rims: a fractal field through a soft threshold."""
    density = _bent_noise(
        stream,
        shape,
        cell=stream.uniform(24, 72),
        roughness=stream.uniform(0.5, 0.68),
        stretch=stream.uniform(1.0, 2.2),
    )
    (edge,) = order_statistics(density, 1.0 - stream.uniform(0.2, 0.7))
    cover = smoothstep((density - edge) / stream.uniform(0.25, 1.5))
    depth = smoothstep((density - edge) / 2.5)
    texture = fractal_noise(stream, shape, 16.0, 0.6)
    # The sun, or the warm ground, is on one side: that side's rims are the bright ones.
    lit = smoothstep(0.5 + 0.5 * value_noise(stream, shape, (40.0, 40.0)))
    rim = cover * (1.0 - cover) * 4.0 * lit * stream.uniform(0.0, 0.5)
    body = cover * (0.55 + 0.3 * depth + 0.09 * texture)
    return np.asarray(body + rim + stream.uniform(0.0, 0.35) * _gradient(stream, shape))


def sky(stream: Stream, shape: Shape) -> Floats:
    """A smooth gradient with thin cirrus: streaks of one direction."""
    rows, columns = coordinates(shape)
    cosine, sine = stream.direction()
    extent = int(1.5 * max(shape)) + 2 * _MARGIN
    streaks = fractal_noise(
        stream,
        (extent, extent),
        cell=stream.uniform(12, 36),
        roughness=stream.uniform(0.4, 0.6),
        stretch=stream.uniform(2.0, 5.0),
        finest=2.5,
    )
    middle = extent / 2
    y, x = rows - shape[0] / 2, columns - shape[1] / 2
    bend = 6.0 * value_noise(stream, shape, (40.0, 40.0))
    streaks = sample(streaks, middle + y * cosine - x * sine + bend, middle + y * sine + x * cosine)
    veil = smoothstep(0.5 + 0.6 * value_noise(stream, shape, (60.0, 60.0)))
    wisps = smoothstep(0.35 * streaks + 0.35)
    return np.asarray(_gradient(stream, shape) + stream.uniform(0.3, 1.2) * veil * wisps)


def _gradient(stream: Stream, shape: Shape) -> Floats:
    """A slope from 0 to about 1, mostly down the image."""
    rows, columns = coordinates(shape)
    slant, curve = stream.uniform(-0.5, 0.5), stream.uniform(-0.6, 0.6)
    y = rows / shape[0]
    return np.asarray(y + curve * y * (1.0 - y) + slant * (columns / shape[1] - 0.5))


def _bent_noise(
    stream: Stream, shape: Shape, cell: float, roughness: float, stretch: float
) -> Floats:
    """Fractal noise displaced by smooth noise, which hides the lattice and rolls the edges up."""
    wide = (shape[0] + 2 * _MARGIN, shape[1] + 2 * _MARGIN)
    field = fractal_noise(stream, wide, cell, roughness, stretch)
    rows, columns = coordinates(shape)
    reach = cell / 6
    down = reach * fractal_noise(stream, shape, cell / 2, 0.5, finest=cell / 5)
    right = reach * fractal_noise(stream, shape, cell / 2, 0.5, finest=cell / 5)
    return sample(field, rows + _MARGIN + down, columns + _MARGIN + right)
