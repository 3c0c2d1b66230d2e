"""Charts as the template draws them: everything in the units of the picture.

They are drawn by a template, not by a plotting library: so drawn they are small, take
their colours from the style sheet, dark or light, and their text can be read aloud.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.figures.pareto import pareto_front
from irbench.pictures.styles import MethodStyle

from ._html_axes import Axis

WIDTH, HEIGHT = 440, 320
LEFT, RIGHT, TOP, BOTTOM = 46, 18, 12, 46

_CHARACTER, _BOLD, _LINE = 6.4, 7.4, 13
"""Size of a letter, to keep labels apart."""

Place = TypeVar("Place", float, NDArray[np.float64])

_SHAPES = (
    "M{x:.1f} {y:.1f}m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
    "M{x:.1f} {y:.1f}m-4 -4h8v8h-8z",
    "M{x:.1f} {y:.1f}m0 -5.5l5 9h-10z",
    "M{x:.1f} {y:.1f}m0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z",
)


@dataclass(frozen=True)
class ChartLine:
    """A curve: ``path`` is of SVG, as is ``mark``, the operating point on it; may be empty."""

    style: MethodStyle
    path: str
    mark: str


@dataclass(frozen=True)
class ChartPoint:
    """A method in a scatter plot, with its label beside it."""

    style: MethodStyle
    path: str
    tooltip: str
    label_x: float
    label_y: float
    anchor: str
    on_front: bool


@dataclass(frozen=True)
class Chart:
    """A chart with axes.

    Attributes
    ----------
    title, note : str
    x, y : Axis
    lines : tuple of ChartLine
    points : tuple of ChartPoint
    front : str
        Path of the Pareto front; empty for none.
    """

    title: str
    note: str
    x: Axis
    y: Axis
    lines: tuple[ChartLine, ...] = ()
    points: tuple[ChartPoint, ...] = ()
    front: str = ""
    x_ticks: list[tuple[float, str]] = field(init=False)
    y_ticks: list[tuple[float, str]] = field(init=False)

    def __post_init__(self) -> None:
        x_ticks = [(_x(place), text) for place, text in self.x.ticks]
        y_ticks = [(_y(place), text) for place, text in self.y.ticks]
        object.__setattr__(self, "x_ticks", x_ticks)
        object.__setattr__(self, "y_ticks", y_ticks)


def line(
    style: MethodStyle,
    x: Axis,
    y: Axis,
    values: tuple[ArrayLike, ArrayLike],
    operating_point: tuple[float | None, float | None] = (None, None),
) -> ChartLine:
    """A curve through points, without those that would not be seen apart.

    Parameters
    ----------
    style : MethodStyle
    x, y : Axis
    values : ((n,) array_like, (n,) array_like)
        In the units of the axes.
    operating_point : (float or None, float or None)
        Marked on it.
    """
    points = np.stack([_x(x.positions(values[0])), _y(y.positions(values[1]))], axis=1).round(1)
    points = points[np.isfinite(points).all(axis=1)]
    moved = np.abs(np.diff(points, axis=0)).max(axis=1) > 0 if len(points) > 1 else []
    points = points[np.concatenate([[True], moved]).astype(bool)] if len(points) else points
    path = "L".join(f"{px:g} {py:g}" for px, py in points.tolist())
    at_x, at_y = operating_point
    mark = ""
    if at_x is not None and at_y is not None:
        mark = _shape(style, _x(float(x.positions(at_x))), _y(float(y.positions(at_y))))
    return ChartLine(style, f"M{path}" if path else "", mark)


def scatter(
    x: Axis,
    y: Axis,
    values: Mapping[MethodStyle, tuple[float, float]],
    tooltips: Mapping[MethodStyle, str],
) -> tuple[tuple[ChartPoint, ...], str]:
    """Points with labels that do not overlap, where there is room; and the Pareto front.

    Parameters
    ----------
    x, y : Axis
        Of a cost and of a merit.
    values : mapping of MethodStyle to (float, float)
    tooltips : mapping of MethodStyle to str

    Returns
    -------
    points : tuple of ChartPoint
    front : str
        A path in steps, which nothing measured lies above or left of.
    """
    places = {
        style: (_x(float(x.positions(cost))), _y(float(y.positions(merit))))
        for style, (cost, merit) in values.items()
    }
    front = pareto_front(list(values.values()))
    best = {style for style, on_front in zip(values, front, strict=True) if on_front}
    taken = [(px - 6, py - 6, px + 6, py + 6) for px, py in places.values()]
    points = []
    for style, (px, py) in sorted(places.items(), key=lambda one: one[1][1]):
        label_x, label_y, anchor = _label_place(style.title, px, py, taken, style in best)
        points.append(
            ChartPoint(
                style, _shape(style, px, py), tooltips[style], label_x, label_y, anchor,
                style in best,
            )
        )  # fmt: skip
    return tuple(points), _steps(sorted(places[style] for style in best))


def _steps(front: Sequence[tuple[float, float]]) -> str:
    if not front:
        return ""
    path = f"M{front[0][0]:.1f} {HEIGHT - BOTTOM}V{front[0][1]:.1f}"
    path += "".join(f"H{px:.1f}V{py:.1f}" for px, py in front[1:])
    return f"{path}H{WIDTH - RIGHT}"


def _label_place(
    title: str, x: float, y: float, taken: list[tuple[float, float, float, float]], on_front: bool
) -> tuple[float, float, str]:
    """Beside the point, above or below it: the first place that is free."""
    width = (_BOLD if on_front else _CHARACTER) * len(title)
    # The front runs to the right of its points, and their names above it.
    for dy in (-7, 16, -19) if on_front else (4, -7, 15, -18, 26):
        for anchor, x0 in (("start", x + 8), ("end", x - 8 - width)):
            label = (x0, y + dy - _LINE + 3, x0 + width, y + dy + 2)
            inside = (
                label[0] >= LEFT
                and label[2] <= WIDTH
                and label[1] >= 0
                and label[3] <= HEIGHT - BOTTOM
            )
            if inside and not any(_overlap(label, other) for other in taken):
                taken.append(label)
                return (x0 if anchor == "start" else x - 8), y + dy, anchor
    return (x - 8, y + 4, "end") if x + width > WIDTH else (x + 8, y + 4, "start")


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _shape(style: MethodStyle, x: float, y: float) -> str:
    return _SHAPES[style.variant].format(x=x, y=y)


def _x(place: Place) -> Place:
    return LEFT + place * (WIDTH - LEFT - RIGHT)


def _y(place: Place) -> Place:
    return HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM)
