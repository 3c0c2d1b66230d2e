"""Floors of the filters: the OpenCV calls and NumPy passes that their equations ask for.

Each computes the method's score map, except near the border, in as few passes as are
known here. Left out is what surrounds the equations: padding, cutting into strips,
allocation, checks, and care for values that are not finite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from _floor_model import FloatArray, Floor, Recipe
from _shifted_planes import ShiftablePlane, largest_means


def square(height: int, width: int) -> Any:
    """A rectangular structuring element."""
    return np.ones((height, width), np.uint8)


def eight_neighbours(cell: int) -> Any:
    """The structuring element of the eight positions ``cell`` pixels away."""
    element = np.zeros((2 * cell + 1, 2 * cell + 1), np.uint8)
    element[::cell, ::cell] = 1
    element[cell, cell] = 0
    return element


def _tophat(method: Any, image: FloatArray) -> Floor:
    element, out = square(method.size, method.size), image.copy()
    return Floor(lambda: cv2.morphologyEx(image, cv2.MORPH_TOPHAT, element, dst=out))


def _newtophat(method: Any, image: FloatArray) -> Floor:
    outer, inner = method.outer_radius, method.inner_radius
    thickness, middle = outer - inner, (outer + inner + 1) // 2
    flat, tall = square(thickness, 2 * outer + 1), square(2 * inner + 1, thickness)
    small = square(method.element_size, method.element_size)
    # OpenCV's anchor of an even square is the other middle.
    anchor = ((method.element_size - 1) // 2,) * 2
    flat_bars, tall_bars = ShiftablePlane(image, outer), ShiftablePlane(image, outer)
    ring, out = image.copy(), image.copy()

    # The bars are centred when their thickness is odd; else half a pixel is lost here.
    def run() -> FloatArray:
        cv2.dilate(image, flat, dst=flat_bars.plane)
        cv2.dilate(image, tall, dst=tall_bars.plane)
        total = ring.ravel()
        np.maximum(flat_bars.shifted(-middle, 0), flat_bars.shifted(middle, 0), out=total)
        np.maximum(total, tall_bars.shifted(0, -middle), out=total)
        np.maximum(total, tall_bars.shifted(0, middle), out=total)
        cv2.erode(ring, small, dst=out, anchor=anchor)
        np.subtract(image, out, out=out)
        return np.maximum(out, 0.0, out=out)

    return Floor(run)


def _maxmedian(method: Any, image: FloatArray) -> Floor:
    if method.length != 5:
        raise ValueError("the floor of maxmedian is written for lines of 5 pixels")
    source = ShiftablePlane(image, 3)
    smaller, larger = ShiftablePlane(image, 3), ShiftablePlane(image, 3)
    middle = [image.ravel().copy() for _ in range(4)]
    low, high, lower, upper = middle
    out = image.copy()

    def run() -> FloatArray:
        for index, (dy, dx) in enumerate(((0, 1), (1, 0), (1, 1), (1, -1))):
            # Of the pairs on both sides of the pixel, the two middle values bound the median.
            np.minimum(source.flat, source.shifted(dy, dx), out=smaller.flat)
            np.maximum(source.flat, source.shifted(dy, dx), out=larger.flat)
            before, after = (-2 * dy, -2 * dx), (dy, dx)
            np.maximum(smaller.shifted(*before), smaller.shifted(*after), out=low)
            np.minimum(larger.shifted(*before), larger.shifted(*after), out=high)
            if index == 0:
                np.minimum(low, high, out=lower)
                np.maximum(low, high, out=upper)
                continue
            # max(lower, min(low, high)) and max(upper, max(low, high)), low reused.
            np.maximum(upper, high, out=upper)
            np.maximum(upper, low, out=upper)
            np.minimum(low, high, out=low)
            np.maximum(lower, low, out=lower)
        np.minimum(upper, source.flat, out=upper)
        np.maximum(upper, lower, out=upper)
        np.subtract(source.flat, upper, out=out.ravel())
        return out

    return Floor(run)


def _lcm(method: Any, image: FloatArray) -> Floor:
    mean, around, bright, best = (image.copy() for _ in range(4))

    def run() -> FloatArray:
        for index, cell in enumerate(method.scales):
            out = around if index else best
            cv2.blur(image, (cell, cell), dst=mean)
            cv2.dilate(mean, eight_neighbours(cell), dst=around)
            cv2.dilate(image, square(cell, cell), dst=bright)
            np.divide(bright, around, out=around)
            np.multiply(around, bright, out=out)
            if index:
                np.maximum(best, around, out=best)
        return best

    return Floor(run)


def _mpcm(method: Any, image: FloatArray) -> Floor:
    cells = method.scales or ((3, 5, 7) if method.clamped else (3, 5, 7, 9))
    mean = ShiftablePlane(image, max(cells))
    one, other, least, best = (image.ravel().copy() for _ in range(4))

    def run() -> FloatArray:
        for scale, cell in enumerate(cells):
            cv2.blur(image, (cell, cell), dst=mean.plane)
            total = least if scale else best
            for index, (dy, dx) in enumerate(((0, cell), (cell, 0), (cell, cell), (cell, -cell))):
                np.subtract(mean.flat, mean.shifted(dy, dx), out=one)
                np.subtract(mean.flat, mean.shifted(-dy, -dx), out=other)
                np.multiply(one, other, out=one if index else total)
                if index:
                    np.minimum(total, one, out=total)
            if scale:
                np.maximum(best, least, out=best)
        return best.reshape(image.shape)

    return Floor(run)


def _rlcm(method: Any, image: FloatArray) -> Floor:
    counts = sorted({*method.k1, *method.k2})
    select, means = largest_means(ShiftablePlane(image, method.cell), method.cell, counts)
    mean_of = dict(zip(counts, means, strict=True))
    around, best = image.copy(), image.copy()
    element = eight_neighbours(method.cell)

    def run() -> FloatArray:
        select()
        for index, (k1, k2) in enumerate(zip(method.k1, method.k2, strict=True)):
            out = around if index else best
            cv2.dilate(mean_of[k2], element, dst=around)
            _contrast(mean_of[k1], around, out)
            if index:
                np.maximum(best, around, out=best)
        return np.maximum(best, 0.0, out=best)

    return Floor(run)


def _tllcm(method: Any, image: FloatArray) -> Floor:
    cells = method.scales or (9,)
    source = ShiftablePlane(image, max(cells))
    selections = [(cell, *largest_means(source, cell, [method.k])) for cell in cells]
    smooth, around, best = (image.copy() for _ in range(3))

    def run() -> FloatArray:
        cv2.GaussianBlur(image, (3, 3), 0, dst=smooth)
        for index, (cell, select, (bright,)) in enumerate(selections):
            out = around if index else best
            select()
            cv2.dilate(bright, eight_neighbours(cell), dst=around)
            _contrast(smooth, around, out)
            if index:
                np.maximum(best, around, out=best)
        return np.maximum(best, 0.0, out=best)

    return Floor(run)


def _wslcm(method: Any, image: FloatArray) -> Floor:
    source = ShiftablePlane(image, max(method.scales))
    selections = [
        (cell, *largest_means(source, cell, [method.k]), _spread(image, cell))
        for cell in method.scales
    ]
    smooth, around, weight, best = (image.copy() for _ in range(4))

    def run() -> FloatArray:
        cv2.GaussianBlur(image, (3, 3), 0, dst=smooth)
        for index, (cell, select, (bright,), (intensity, spread)) in enumerate(selections):
            element = eight_neighbours(cell)
            select()
            cv2.dilate(bright, element, dst=around)
            _contrast(smooth, around, around)
            np.maximum(around, 0.0, out=around)
            cv2.blur(image, (cell, cell), dst=intensity)
            np.subtract(bright, intensity, out=intensity)
            cv2.dilate(intensity, element, dst=weight)
            np.subtract(intensity, weight, out=weight)
            np.maximum(weight, 0.0, out=weight)
            np.multiply(weight, intensity, out=weight)
            np.divide(weight, np.maximum(spread(), method.xi), out=weight)
            np.multiply(around, weight, out=around if index else best)
            if index:
                np.maximum(best, around, out=best)
        return best

    return Floor(run)


def _spread(image: FloatArray, cell: int) -> tuple[FloatArray, Callable[[], FloatArray]]:
    """A plane, and what finds the standard deviation over the eight neighbours of it."""
    values, squares, sides, triples = (ShiftablePlane(image, cell) for _ in range(4))
    total, energy = image.ravel().copy(), image.ravel().copy()

    def add_neighbours(of: ShiftablePlane, out: FloatArray) -> None:
        np.add(of.shifted(0, -cell), of.shifted(0, cell), out=sides.flat)
        np.add(sides.flat, of.flat, out=triples.flat)
        np.add(triples.shifted(-cell, 0), triples.shifted(cell, 0), out=out)
        np.add(out, sides.flat, out=out)

    def run() -> FloatArray:
        np.multiply(values.flat, values.flat, out=squares.flat)
        add_neighbours(values, total)
        add_neighbours(squares, energy)
        np.multiply(total, total, out=total)
        np.multiply(total, 1 / 8, out=total)
        np.subtract(energy, total, out=energy)
        np.maximum(energy, 0.0, out=energy)
        np.multiply(energy, 1 / 7, out=energy)
        return np.sqrt(energy, out=energy).reshape(image.shape)

    return values.plane, run


def _contrast(centre: FloatArray, around: FloatArray, out: FloatArray) -> None:
    """``centre ** 2 / around - centre``; overwrites ``around``."""
    np.divide(centre, around, out=around)
    np.multiply(around, centre, out=around)
    np.subtract(around, centre, out=out)


FILTER_FLOORS = {
    "tophat": Recipe("`cv2.morphologyEx` itself", _tophat),
    "newtophat": Recipe("two dilations by bars, read shifted; an erosion", _newtophat),
    "maxmedian": Recipe("4 directional medians of 5, by minima and maxima", _maxmedian),
    "lcm": Recipe("per scale a box mean and two dilations", _lcm),
    "mpcm": Recipe("per scale a box mean, 8 shifted differences, 4 products", _mpcm),
    "rlcm": Recipe("selection network of a 9x9 cell; 3 dilations", _rlcm),
    "tllcm": Recipe("selection network of a 9x9 cell; a dilation", _tllcm),
    "wslcm": Recipe("per scale a selection network, a box mean, two dilations", _wslcm),
}
"""By name of the method."""
