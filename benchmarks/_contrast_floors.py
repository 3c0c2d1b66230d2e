"""Floors of the further contrast measures; see :mod:`_filter_floors`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from _filter_floors import eight_neighbours
from _floor_model import FloatArray, Floor, Recipe
from _shifted_planes import ShiftablePlane


def _aagd(method: Any, image: FloatArray) -> Floor:
    around, inner, best = (image.copy() for _ in range(3))

    def run() -> FloatArray:
        cv2.blur(image, (method.outer, method.outer), dst=around)
        for index, side in enumerate(method.scales):
            out = inner if index else best
            _ring_contrast(image, around, side, method.outer, inner)
            np.multiply(inner, inner, out=out)
            if index:
                np.maximum(best, inner, out=best)
        return best

    return Floor(run)


def _admd(method: Any, image: FloatArray) -> Floor:
    mean, around, best = (image.copy() for _ in range(3))

    def run() -> FloatArray:
        for index, cell in enumerate(method.scales):
            out = around if index else best
            cv2.blur(image, (cell, cell), dst=mean)
            cv2.dilate(mean, eight_neighbours(cell), dst=around)
            np.subtract(mean, around, out=around)
            np.maximum(around, 0.0, out=around)
            np.multiply(around, around, out=out)
            if index:
                np.maximum(best, around, out=best)
        return best

    return Floor(run)


def _hbmlcm(method: Any, image: FloatArray) -> Floor:
    boosted, around, inner, least, most = (image.copy() for _ in range(5))

    def run() -> FloatArray:
        cv2.blur(image, (method.boost, method.boost), dst=boosted)
        np.subtract(image, boosted, out=boosted)
        np.maximum(boosted, 0.0, out=boosted)
        np.multiply(boosted, image, out=boosted)
        cv2.blur(boosted, (method.outer, method.outer), dst=around)
        for index, side in enumerate(method.scales):
            _ring_contrast(boosted, around, side, method.outer, inner)
            np.abs(inner, out=inner if index else most)
            if index:
                np.minimum(inner, least if index > 1 else most, out=least)
                np.maximum(inner, most, out=most)
        np.subtract(most, least, out=most)
        return np.multiply(most, most, out=most)

    return Floor(run)


def _vardiff(method: Any, image: FloatArray) -> Floor:
    n_internal, n_pixels = method.internal**2, method.internal**2 - 1
    own, own_spread = image.copy(), _spread(image, method.internal, 0)
    ring_spread = _spread(image, method.external, method.guard)
    around, inner = image.copy(), image.copy()

    def run() -> FloatArray:
        spread = ring_spread()
        cv2.blur(spread, (method.internal, method.internal), dst=own)
        np.multiply(own, n_internal / n_pixels, out=own)
        np.multiply(spread, 1 / n_pixels, out=spread)
        np.subtract(own, spread, out=own)
        np.subtract(own_spread(), own, out=own)
        np.maximum(own, 0.0, out=own)
        cv2.blur(image, (method.guard, method.guard), dst=around)
        _ring_contrast(image, around, method.internal, method.guard, inner)
        np.maximum(inner, 0.0, out=inner)
        np.multiply(inner, own, out=inner)
        np.multiply(inner, inner, out=inner)
        return np.multiply(inner, image, out=inner)

    return Floor(run)


def _ttldm(method: Any, image: FloatArray) -> Floor:
    k, scale = method.k, float(np.ptp(image))
    own_spread, ring_spread = _spread(image, 3 * k, 0), _spread(image, 5 * k, 3 * k)
    inner, middle, outer = (image.copy() for _ in range(3))

    def run() -> FloatArray:
        # (34 S1 - S3 - S5) / 16 K^2, in means.
        for side, weight, out in ((k, 34, inner), (3 * k, 9, middle), (5 * k, 25, outer)):
            cv2.blur(image, (side, side), dst=out)
            np.multiply(out, weight / 16, out=out)
        np.subtract(inner, middle, out=inner)
        np.subtract(inner, outer, out=inner)
        np.maximum(inner, 0.0, out=inner)
        own, around = own_spread(), ring_spread()
        np.add(around, method.sigma * scale, out=around)
        np.divide(own, around, out=around)
        np.multiply(around, own, out=around)
        np.subtract(around, own, out=around)
        np.maximum(around, 0.0, out=around)
        np.multiply(inner, around, out=inner)
        return np.multiply(inner, 1 / scale**2, out=inner)

    return Floor(run)


def _lig(method: Any, image: FloatArray) -> Floor:
    half = method.window // 2
    side, source = half + 1, ShiftablePlane(image, 1)
    gradient, count, least, most, total = (image.copy() for _ in range(5))
    positive = np.zeros(image.shape, np.uint8)

    def run() -> FloatArray:
        for index, (down, right) in enumerate(((1, 1), (1, -1), (-1, 1), (-1, -1))):
            # The quadrant ends at the pixel, in the sense of the gradient.
            anchor = (half if right > 0 else 0, half if down > 0 else 0)
            np.subtract(source.shifted(down, right), source.flat, out=gradient.ravel())
            np.maximum(gradient, 0.0, out=gradient)
            np.greater(gradient, 0, out=positive.view(np.bool_))
            np.multiply(gradient, gradient, out=gradient)
            cv2.boxFilter(
                positive, cv2.CV_64F, (side, side), dst=count, anchor=anchor, normalize=False
            )
            cv2.boxFilter(gradient, -1, (side, side), dst=gradient, anchor=anchor, normalize=False)
            np.add(count, 0.001, out=count)
            np.divide(gradient, count, out=gradient)
            for ufunc, so_far in ((np.minimum, least), (np.maximum, most), (np.add, total)):
                if index:
                    ufunc(so_far, gradient, out=so_far)
                else:
                    so_far[:] = gradient
        np.divide(least, most, out=least)
        np.multiply(total, least >= method.k, out=total)
        cv2.blur(image, (method.window, method.window), dst=count)
        np.subtract(image, count, out=count)
        np.multiply(count, count, out=count)
        return np.multiply(total, count, out=total)

    return Floor(run)


def _wldm(method: Any, image: FloatArray) -> Floor:
    *smaller, largest = sorted(set(method.scales))
    background, mean, least, most = (image.copy() for _ in range(4))
    weight = _entropy(image, method.entropy_window)

    def run() -> FloatArray:
        cv2.blur(image, (largest, largest), dst=background)
        least.fill(0.0)
        most.fill(0.0)
        for side in smaller:
            cv2.blur(image, (side, side), dst=mean)
            np.subtract(mean, background, out=mean)
            np.minimum(least, mean, out=least)
            np.maximum(most, mean, out=most)
        np.subtract(most, least, out=mean)
        np.negative(least, out=least)
        np.maximum(most, least, out=most)
        np.divide(most, mean, out=most)
        np.multiply(most, most, out=most)
        return np.multiply(most, weight(), out=most)

    return Floor(run)


def _entropy(image: FloatArray, size: int) -> Callable[[], FloatArray]:
    """Compare all pairs of pixels of each window, in bytes, and look the entropy up."""
    source = ShiftablePlane(image, size)
    pitch, n_pixels, n_entries = image.shape[1], size**2, image.size
    span = (size - 1) * (pitch + 1)
    shares = np.arange(1, n_pixels + 1) / n_pixels
    information = np.concatenate([[0.0], -np.log2(shares) / n_pixels])
    counts = np.ones((n_pixels, n_entries), np.uint8)
    half, difference, total = size // 2, image.ravel().copy(), image.copy()
    found = np.empty(n_entries)
    places = [(row, column) for row in range(size) for column in range(size)]
    pairs: dict[int, list[tuple[int, int, int]]] = {}
    for here, (row, column) in enumerate(places):
        for there in range(here + 1, n_pixels):
            distance = (places[there][0] - row) * pitch + places[there][1] - column
            pairs.setdefault(distance, []).append((row * pitch + column, here, there))

    def run() -> FloatArray:
        levels = source.shifted(-half, -half, beyond=span)
        bins = np.clip(np.ceil(levels - 0.5), 0, 255).astype(np.uint8)
        whole = bins.astype(np.float64)
        counts.fill(1)
        for distance, members in pairs.items():
            same = (bins[: bins.size - distance] == bins[distance:]).view(np.uint8)
            for offset, here, there in members:
                shared = same[offset : offset + n_entries]
                np.add(counts[here], shared, out=counts[here])
                np.add(counts[there], shared, out=counts[there])
        total.fill(0.0)
        for count, (row, column) in zip(counts, places, strict=True):
            offset = row * pitch + column
            np.subtract(whole[offset : offset + n_entries], source.flat, out=difference)
            np.multiply(difference, difference, out=difference)
            np.take(information, count, out=found, mode="clip")
            np.multiply(difference, found, out=difference)
            np.add(total.ravel(), difference, out=total.ravel())
        return total

    return run


def _ring_contrast(
    image: FloatArray, around: FloatArray, inner: int, outer: int, out: FloatArray
) -> None:
    """Mean of a square minus that of the ring round it; ``around`` is the mean of both."""
    cv2.blur(image, (inner, inner), dst=out)
    np.subtract(out, around, out=out)
    np.multiply(out, outer**2 / (outer**2 - inner**2), out=out)


def _spread(image: FloatArray, size: int, hole: int) -> Callable[[], FloatArray]:
    """The sample standard deviation over a square, or a square ring."""
    n_pixels = size**2 - hole**2
    squares, total, energy, part = (image.copy() for _ in range(4))

    def add_up(of: FloatArray, out: FloatArray) -> None:
        cv2.boxFilter(of, -1, (size, size), dst=out, normalize=False)
        if hole:
            cv2.boxFilter(of, -1, (hole, hole), dst=part, normalize=False)
            np.subtract(out, part, out=out)

    def run() -> FloatArray:
        np.multiply(image, image, out=squares)
        add_up(image, total)
        add_up(squares, energy)
        np.multiply(total, total, out=total)
        np.multiply(total, 1 / n_pixels, out=total)
        np.subtract(energy, total, out=energy)
        np.maximum(energy, 0.0, out=energy)
        np.multiply(energy, 1 / (n_pixels - 1), out=energy)
        return np.sqrt(energy, out=energy)

    return run


CONTRAST_FLOORS = {
    "aagd": Recipe("5 box means; per scale a difference and its square", _aagd),
    "admd": Recipe("a box mean, a dilation", _admd),
    "hbmlcm": Recipe("6 box means; per scale a difference", _hbmlcm),
    "vardiff": Recipe("9 box sums, two square roots", _vardiff),
    "ttldm": Recipe("9 box sums, two square roots", _ttldm),
    "lig": Recipe("4 differences, 9 box sums", _lig),
    "wldm": Recipe("4 box means; 300 pairs of a 5x5 window compared in bytes", _wldm),
}
"""By name of the method."""
