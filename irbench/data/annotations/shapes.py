"""Shapes that labelling tools draw, and the box that each means.

One rule for labelme and CVAT. Coordinates are edges: pixel column ``x`` covers ``[x, x + 1)``.

=====================  =====================================================================
rectangle              its sides; four corners only if they are those of an upright one
polygon                the least box around its vertices
circle                 centre ± radius, the rim being given by a point; cut at the image
ellipse                centre ± half-axes; cut at the image
point                  the pixel that it lies in
mask                   the least box around its pixels
anything else          refused by its name: a line has no area, a turned box is none
=====================  =====================================================================
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.data.annotations.labels import Shape, check_box
from irbench.data.annotations.place import Place, check_number

POINTS = "points as labels: each is a box of the one pixel it lies in; distances say more than IoU"
"""A note of images whose targets were labelled by points."""

_UPRIGHT_PX = 0.5
"""So far the corners of a rectangle may be from those of an upright one: the rounding of text."""

Box = list[float]


def rectangle(points: Sequence[Sequence[float]], shape: Shape | None, place: Place) -> Box:
    """The box of two opposite corners, or of all four."""
    if len(points) not in (2, 4):
        raise place.invalid("two opposite corners, or four", points)
    box = _around(points)
    if len(points) == 4:
        for x, y in points:
            to_side = min(abs(x - box[0]), abs(x - box[2])), min(abs(y - box[1]), abs(y - box[3]))
            if max(to_side) > _UPRIGHT_PX:
                raise place.invalid("an upright rectangle; turned boxes are not supported", points)
    return check_box(box, shape, place, overhang=False)


def polygon(points: Sequence[Sequence[float]], shape: Shape | None, place: Place) -> Box:
    """The least box around the vertices."""
    if len(points) < 3:
        raise place.invalid("a polygon of at least three points", points)
    return check_box(_around(points), shape, place, overhang=False)


def circle(points: Sequence[Sequence[float]], shape: Shape | None, place: Place) -> Box:
    """The box of a centre and a point on the rim."""
    if len(points) != 2:
        raise place.invalid("a centre and a point on the rim", points)
    (x, y), rim = points
    radius = math.hypot(rim[0] - x, rim[1] - y)
    return ellipse((x, y), (radius, radius), shape, place)


def ellipse(
    centre: Sequence[float], half_axes: Sequence[float], shape: Shape | None, place: Place
) -> Box:
    """The box of an upright ellipse."""
    (x, y), (rx, ry) = centre, half_axes
    return check_box((x - rx, y - ry, x + rx, y + ry), shape, place, overhang=True)


def point(points: Sequence[Sequence[float]], shape: Shape | None, place: Place) -> Box:
    """The pixel that a point lies in; one on the far edge of the image is in the last pixel."""
    if len(points) != 1:
        raise place.invalid("one point", points)
    x, y = points[0]
    if shape is not None:
        height, width = shape
        if not (0 <= x <= width and 0 <= y <= height):
            raise place.invalid(f"a point inside the {height}x{width} image", [x, y])
        x, y = min(x, width - 1), min(y, height - 1)
    column, row = math.floor(x), math.floor(y)
    return check_box((column, row, column + 1, row + 1), shape, place, overhang=False)


def mask(
    pixels: NDArray[np.bool_], left: float, top: float, shape: Shape | None, place: Place
) -> Box:
    """The least box around the pixels of a part of the image.

    Parameters
    ----------
    pixels : (H, W) ndarray of bool
    left, top : float
        Column and row of its first pixel in the image.
    """
    if not pixels.any():
        raise place.invalid("a mask with a pixel", f"{pixels.shape[0]}x{pixels.shape[1]} of none")
    if left != int(left) or top != int(top):
        raise place.invalid("a mask at whole pixels", [left, top])
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    box = (
        left + int(columns[0]),
        top + int(rows[0]),
        left + int(columns[-1]) + 1,
        top + int(rows[-1]) + 1,
    )
    return check_box(box, shape, place, overhang=False)


def pairs(value: Any, place: Place) -> list[list[float]]:
    """A list of points ``[x, y]``, each a finite number."""
    if not isinstance(value, list) or not all(isinstance(p, list) and len(p) == 2 for p in value):
        raise place.invalid("a list of points [x, y]", value)
    return [[check_number(number, place) for number in point] for point in value]


def joined(boxes: Sequence[Box]) -> Box:
    """The least box around several."""
    corners = np.array(boxes)
    return [*corners[:, :2].min(axis=0).tolist(), *corners[:, 2:].max(axis=0).tolist()]


def _around(points: Sequence[Sequence[float]]) -> Box:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return [min(xs), min(ys), max(xs), max(ys)]
