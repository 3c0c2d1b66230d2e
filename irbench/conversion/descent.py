"""The peaks of a map and their regions in one descent, as compiled code.

The pixels are visited from the highest to the lowest and joined to their visited
neighbours (union-find). A component belongs to its first pixel, which is its peak, and
carries its bounding box along. The box of a peak's region at some cut is that of its
component when the visit falls below the cut; a peak ends where its component meets that
of an earlier peak. So one pass serves every extent, where
:mod:`irbench.conversion.flooding` floods each region by itself. Both return the same to
the last bit; this one is used wherever numba can compile, but for the first map of a process.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from irbench.conversion.flooding import PeakRegions, region_cuts
from irbench.detections.regions import Regions
from irbench.process.compiling import compiled


def descended_regions(
    image: NDArray[np.float64],
    mean: float,
    lowest_peak: float,
    extents: Sequence[float],
    max_regions: int,
    keep_regions: bool,
) -> list[PeakRegions]:
    """Peaks and their regions; see :func:`irbench.conversion.flooding.flooded_regions`."""
    flat = np.ascontiguousarray(image).ravel()
    floor = _floor(mean, lowest_peak, min(extents, default=1.0))
    order = visiting_order(flat, floor)
    # Extents as they come may repeat and have any order.
    levels = np.unique(np.asarray(extents, dtype=np.float64))[::-1].copy()
    width = image.shape[1]
    peaks, accepted, boxes = descend(flat, width, order, mean, lowest_peak, levels)
    found = []
    for extent in extents:
        level = int(np.flatnonzero(levels == extent)[0])
        chosen = np.flatnonzero(accepted[:, level])[:max_regions]
        values = flat[peaks[chosen]]
        regions = None
        if keep_regions:
            cuts = region_cuts(values, mean, extent)
            labels = label_regions(flat, width, floor, peaks[chosen], cuts)
            regions = Regions.from_labels(labels.reshape(image.shape), len(chosen))
        found.append(PeakRegions(values, boxes[chosen, level].astype(np.float32), regions))
    return found


def _floor(mean: float, lowest_peak: float, extent: float) -> float:
    """A level that no cut lies below; the pixels under it need not be visited."""
    height = lowest_peak - mean
    # Rounding moves a cut by some units in the last place of the peak, and the margin is wider.
    if not height > 1e-9 * abs(lowest_peak):
        return mean
    return max(mean, mean + 0.999 * extent * height)


_DIGIT_BITS = 11
_N_DIGITS = 6


@compiled
def visiting_order(flat: NDArray[np.float64], floor: float) -> NDArray[np.int32]:
    """Raster indices of the pixels above ``floor``, by descending value, then raster order.

    A radix sort: stable, and linear in the number of pixels.

    Parameters
    ----------
    flat : (N,) ndarray of float64
    floor : float
        Not negative: the bits of positive numbers have the order of the numbers.

    Returns
    -------
    (n,) ndarray of int32
    """
    bits = flat.view(np.int64)
    n_values = 1 << _DIGIT_BITS
    last_digit = n_values - 1
    counts = np.zeros((_N_DIGITS, n_values), np.int64)
    order = np.empty(len(flat), np.int32)
    n = 0
    for pixel in range(len(flat)):
        if flat[pixel] > floor:
            order[n] = pixel
            n += 1
            key = bits[pixel]
            for k in range(_N_DIGITS):
                counts[k, (key >> (k * _DIGIT_BITS)) & last_digit] += 1
    other = np.empty(n, np.int32)
    order = order[:n]
    for k in range(_N_DIGITS):
        # Where the numbers share a digit, as they often do the first, there is nothing to sort.
        if n == 0 or counts[k, (bits[order[0]] >> (k * _DIGIT_BITS)) & last_digit] == n:
            continue
        start = 0
        for digit in range(last_digit, -1, -1):
            count = counts[k, digit]
            counts[k, digit] = start
            start += count
        for position in range(n):
            pixel = order[position]
            digit = (bits[pixel] >> (k * _DIGIT_BITS)) & last_digit
            other[counts[k, digit]] = pixel
            counts[k, digit] += 1
        order, other = other, order
    return order


@compiled
def descend(
    flat: NDArray[np.float64],
    width: int,
    order: NDArray[np.int32],
    mean: float,
    lowest_peak: float,
    extents: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int32]]:
    """Visit the pixels in ``order`` and return what every peak holds at every extent.

    Parameters
    ----------
    flat : (N,) ndarray of float64
        The map in raster order.
    width : int
        Pixels of a row.
    order : (n,) ndarray of int32
        See :func:`visiting_order`.
    mean : float
        Of the map; extents count from it.
    lowest_peak : float
        Only peaks strictly above are returned.
    extents : (K,) ndarray of float64
        In descending order.

    Returns
    -------
    peaks : (P,) ndarray of int64
        Raster index of each peak, in the order of visits.
    accepted : (P, K) ndarray of bool
        Whether the region of that extent meets no earlier peak.
    boxes : (P, K, 4) ndarray of int32
        ``(x0, y0, x1, y1)``, half-open, of accepted regions; else undefined.
    """
    n_extents = len(extents)
    height = len(flat) // width
    # Component of each visited pixel, in a frame that saves the tests for the borders.
    stride = width + 2
    component_at = np.full((height + 2) * stride, -1, np.int32)
    n_capacity = 1024
    root = np.empty(n_capacity, np.int32)
    extrema = np.empty((n_capacity, 4), np.int32)
    n_components = 0
    high_capacity = 256
    peaks = np.empty(high_capacity, np.int64)
    accepted = np.zeros((high_capacity, n_extents), np.bool_)
    boxes = np.empty((high_capacity, n_extents, 4), np.int32)
    cuts = np.empty((high_capacity, n_extents), np.float64)
    # The first extent of a peak whose box is not yet known.
    pending = np.zeros(high_capacity, np.int64)
    n_high = 0
    neighbours = np.array(
        [-stride - 1, -stride, -stride + 1, -1, 1, stride - 1, stride, stride + 1]
    )
    met = np.empty(8, np.int32)
    for position in range(len(order)):
        pixel = order[position]
        value = flat[pixel]
        y, x = pixel // width, pixel % width
        place = (y + 1) * stride + x + 1
        n_met = 0
        eldest = -1
        previous = -1
        for step in neighbours:
            one = component_at[place + step]
            if one < 0 or one == previous:
                continue
            previous = one
            while root[one] != one:
                root[one] = root[root[one]]
                one = root[one]
            new = True
            for k in range(n_met):
                if met[k] == one:
                    new = False
                    break
            if new:
                met[n_met] = one
                n_met += 1
                if eldest < 0 or one < eldest:
                    eldest = one
        if n_met == 0:
            if n_components == n_capacity:
                n_capacity *= 2
                larger_root = np.empty(n_capacity, np.int32)
                larger_root[:n_components] = root
                root = larger_root
                larger_extrema = np.empty((n_capacity, 4), np.int32)
                larger_extrema[:n_components] = extrema
                extrema = larger_extrema
            root[n_components] = n_components
            extrema[n_components, 0] = x
            extrema[n_components, 1] = y
            extrema[n_components, 2] = x + 1
            extrema[n_components, 3] = y + 1
            component_at[place] = n_components
            # Values descend, so the peaks that count are the first components.
            if value > lowest_peak:
                if n_high == high_capacity:
                    high_capacity *= 2
                    larger_peaks = np.empty(high_capacity, np.int64)
                    larger_peaks[:n_high] = peaks
                    peaks = larger_peaks
                    larger_accepted = np.zeros((high_capacity, n_extents), np.bool_)
                    larger_accepted[:n_high] = accepted
                    accepted = larger_accepted
                    larger_boxes = np.empty((high_capacity, n_extents, 4), np.int32)
                    larger_boxes[:n_high] = boxes
                    boxes = larger_boxes
                    larger_cuts = np.empty((high_capacity, n_extents), np.float64)
                    larger_cuts[:n_high] = cuts
                    cuts = larger_cuts
                    larger_pending = np.zeros(high_capacity, np.int64)
                    larger_pending[:n_high] = pending
                    pending = larger_pending
                peaks[n_high] = pixel
                for k in range(n_extents):
                    # Rounding may lift a cut above its own peak.
                    cuts[n_high, k] = min(mean + extents[k] * (value - mean), value)
                n_high += 1
            n_components += 1
            continue
        # Cuts above this pixel see the components as they were before it.
        for k in range(n_met):
            one = met[k]
            if one >= n_high:
                continue
            while pending[one] < n_extents and cuts[one, pending[one]] > value:
                accepted[one, pending[one]] = True
                boxes[one, pending[one]] = extrema[one]
                pending[one] += 1
            if one != eldest:
                pending[one] = n_extents
        for k in range(n_met):
            one = met[k]
            if one != eldest:
                root[one] = eldest
                extrema[eldest, 0] = min(extrema[eldest, 0], extrema[one, 0])
                extrema[eldest, 1] = min(extrema[eldest, 1], extrema[one, 1])
                extrema[eldest, 2] = max(extrema[eldest, 2], extrema[one, 2])
                extrema[eldest, 3] = max(extrema[eldest, 3], extrema[one, 3])
        extrema[eldest, 0] = min(extrema[eldest, 0], x)
        extrema[eldest, 1] = min(extrema[eldest, 1], y)
        extrema[eldest, 2] = max(extrema[eldest, 2], x + 1)
        extrema[eldest, 3] = max(extrema[eldest, 3], y + 1)
        component_at[place] = eldest
    for one in range(n_high):
        while pending[one] < n_extents:
            accepted[one, pending[one]] = True
            boxes[one, pending[one]] = extrema[one]
            pending[one] += 1
    return peaks[:n_high], accepted[:n_high], boxes[:n_high]


@compiled
def label_regions(
    flat: NDArray[np.float64],
    width: int,
    floor: float,
    peaks: NDArray[np.int64],
    cuts: NDArray[np.float64],
) -> NDArray[np.int32]:
    """Number the pixels of disjoint regions.

    Parameters
    ----------
    flat : (N,) ndarray of float64
        The map in raster order.
    width : int
        Pixels of a row.
    floor : float
        Pixels not above it are in no region.
    peaks : (M,) ndarray of int64
        Raster index of a pixel of each region.
    cuts : (M,) ndarray of float64
        A region is the 8-connected component of ``map >= cut`` around its peak.

    Returns
    -------
    (N,) ndarray of int32
        1 to M, or 0.
    """
    height = len(flat) // width
    labels = np.zeros(len(flat), np.int32)
    stack = np.empty(len(flat), np.int64)
    for index in range(len(peaks)):
        cut = cuts[index]
        stack[0] = peaks[index]
        labels[peaks[index]] = index + 1
        n_stack = 1
        while n_stack > 0:
            n_stack -= 1
            pixel = stack[n_stack]
            y, x = pixel // width, pixel % width
            for row in range(max(y - 1, 0), min(y + 2, height)):
                for column in range(max(x - 1, 0), min(x + 2, width)):
                    other = row * width + column
                    value = flat[other]
                    if labels[other] == 0 and value >= cut and value > floor:
                        labels[other] = index + 1
                        stack[n_stack] = other
                        n_stack += 1
    return labels
