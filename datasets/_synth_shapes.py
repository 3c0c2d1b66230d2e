"""Structures with edges: rectangles, lines, hot blobs, parcels of land."""

from __future__ import annotations

import numpy as np

from ._synth_fields import coordinates, exp_neg
from ._synth_stream import Floats, Stream

Vector = tuple[float, float]


def paint_rectangle(
    canvas: Floats, centre: Vector, half_sides: Vector, heading: Vector, level: float
) -> None:
    """Cover a rotated rectangle with a level, its edges anti-aliased.

    Parameters
    ----------
    canvas : (H, W) ndarray of float64
        Painted in place.
    centre : (float, float)
        Row and column.
    half_sides : (float, float)
        Along ``heading`` and across, in pixels.
    heading : (float, float)
        Unit vector, along the columns and along the rows.
    level : float
    """
    reach = half_sides[0] + half_sides[1] + 2
    window, dy, dx = _window(canvas, centre, reach)
    if not canvas[window].size:
        return
    along = np.abs(dx * heading[0] + dy * heading[1])
    across = np.abs(dy * heading[0] - dx * heading[1])
    cover = np.clip(half_sides[0] + 0.5 - along, 0, 1) * np.clip(half_sides[1] + 0.5 - across, 0, 1)
    canvas[window] += cover * (level - canvas[window])


def paint_line(
    canvas: Floats, through: Vector, heading: Vector, half_width: float, level: float
) -> None:
    """Cover a straight band through the whole canvas with a level; as :func:`paint_rectangle`."""
    rows, columns = coordinates((canvas.shape[0], canvas.shape[1]))
    across = (rows - through[0]) * heading[0] - (columns - through[1]) * heading[1]
    cover = np.clip(half_width + 0.5 - np.abs(across), 0, 1)
    canvas += cover * (level - canvas)


def add_blob(
    canvas: Floats, centre: Vector, sigmas: Vector, heading: Vector, amplitude: float
) -> None:
    """Add a Gaussian of heat, cut off at 4 sigma; as :func:`paint_rectangle`."""
    window, dy, dx = _window(canvas, centre, 4 * max(sigmas))
    if not canvas[window].size:
        return
    along = (dx * heading[0] + dy * heading[1]) / sigmas[0]
    across = (dy * heading[0] - dx * heading[1]) / sigmas[1]
    canvas[window] += amplitude * exp_neg(0.5 * (along * along + across * across))


def parcels(stream: Stream, shape: tuple[int, int], n_parcels: int) -> Floats:
    """Fields of land: each pixel has the level of the nearest of random points.

    Returns
    -------
    (H, W) ndarray of float64
        Levels in [0, 1).
    """
    rows, columns = coordinates(shape)
    cosine, sine = stream.direction()
    # Distances are stretched along one direction, as fields are longer than wide.
    along, across = columns * cosine + rows * sine, (rows * cosine - columns * sine) * 2.0
    nearest = np.full(shape, np.inf)
    levels = np.zeros(shape)
    for seed_row, seed_column, level in stream.uniforms(n_parcels, 3):
        y, x = seed_row * shape[0], seed_column * shape[1]
        to_along = along - (x * cosine + y * sine)
        to_across = across - (y * cosine - x * sine) * 2.0
        distance = to_along * to_along + to_across * to_across
        closer = distance < nearest
        nearest = np.where(closer, distance, nearest)
        levels = np.where(closer, level, levels)
    return levels


def _window(
    canvas: Floats, centre: Vector, reach: float
) -> tuple[tuple[slice, slice], Floats, Floats]:
    """The part of the canvas within ``reach``, and its offsets from the centre."""
    height, width = canvas.shape
    top, bottom = max(int(centre[0] - reach), 0), min(int(centre[0] + reach) + 2, height)
    left, right = max(int(centre[1] - reach), 0), min(int(centre[1] + reach) + 2, width)
    window = (slice(top, max(bottom, top)), slice(left, max(right, left)))
    dy = np.arange(top, max(bottom, top), dtype=np.float64)[:, None] - centre[0]
    dx = np.arange(left, max(right, left), dtype=np.float64)[None, :] - centre[1]
    return window, dy, dx
