"""Where targets are, and how bright, so that each has the signal-to-clutter ratio drawn for it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ._synth_fields import dilate
from ._synth_sensor import Sensor
from ._synth_sources import PATCH_REACH, PATCH_SIDE, Source, draw_source
from ._synth_stream import Floats, Stream, ordered_sum

Bools = NDArray[np.bool_]

COUNT_WEIGHTS = {"0": 0.10, "1": 0.40, "2": 0.25, "3": 0.15, "4": 0.10}
SCR_RANGE = (1.5, 10.0)
BACKGROUND_REACH_PX = 20

# What a place must offer; see the docstring of `Synth`.
MIN_PEAK = 6.0
MIN_SNR = 6.0
MAX_LEVEL = 245.0
MARGIN_PX = 3
GAP_PX = 3

_N_PLACES = 25
_N_DRAWS = 8
_N_REFINEMENTS = 6


@dataclass(frozen=True)
class SynthTarget:
    """What is known of one target.

    Attributes
    ----------
    x, y : float
        Centre of the source in pixels; whole numbers are the centres of pixels.
    length_px, width_px : float
        Diameters of the source before the optics: 1 to 9, and 0.45 to 1 times that.
    area_px : int
        Pixels of its mask.
    peak : float
        Grey levels that it adds to its brightest pixel.
    nominal_scr : float
        The signal-to-clutter ratio that was drawn for it.
    scr : float
        The one measured on the finished image.
    """

    x: float
    y: float
    length_px: float
    width_px: float
    area_px: int
    peak: float
    nominal_scr: float
    scr: float


@dataclass(frozen=True, eq=False)
class _Placed:
    """A source at a place: its middle pixel, its mask in the image, its amplitude."""

    source: Source
    row: int
    column: int
    mask: Bools
    nominal_scr: float
    amplitude: float = 0.0

    def describe(self, scr: float) -> SynthTarget:
        return SynthTarget(
            x=self.column + self.source.offset[1],
            y=self.row + self.source.offset[0],
            length_px=self.source.length_px,
            width_px=self.source.width_px,
            area_px=int(np.count_nonzero(self.mask)),
            peak=self.amplitude,
            nominal_scr=self.nominal_scr,
            scr=scr,
        )


def add_targets(
    stream: Stream, base: Floats, sensor: Sensor
) -> tuple[NDArray[np.uint8], Bools, tuple[SynthTarget, ...]]:
    """Add 0 to 4 targets to an exposed image, and round it.

    Parameters
    ----------
    stream : Stream
    base : (H, W) ndarray of float64
        The image without targets, noise included, in grey levels.
    sensor : Sensor
        Of the image.

    Returns
    -------
    image : (H, W) ndarray of uint8
    mask : (H, W) ndarray of bool
    targets : tuple of SynthTarget
        In raster order of the first pixels of their masks.
    """
    placed: list[_Placed] = []
    union = np.zeros(base.shape, dtype=bool)
    for _ in range(int(stream.choose(COUNT_WEIGHTS))):
        target = _place(stream, base, sensor, union)
        if target is not None:
            placed.append(target)
            union = union | target.mask
    placed.sort(key=lambda target: int(np.argmax(target.mask)))
    image, placed, scrs = _adjust(base, placed, dilate(union))
    targets = tuple(target.describe(scr) for target, scr in zip(placed, scrs, strict=True))
    return image, union, targets


def local_contrast(image: NDArray[np.uint8], target: Bools, blocked: Bools) -> tuple[float, float]:
    """Contrast of a target to its surroundings, and their standard deviation.

    Parameters
    ----------
    image : (H, W) ndarray of uint8
    target : (H, W) ndarray of bool
        The mask of one target.
    blocked : (H, W) ndarray of bool
        All masks of the image dilated by 1 px; never background.

    Returns
    -------
    contrast : float
        Mean over the target less mean over the background, which is the target's
        bounding box grown by 20 px a side, less ``blocked``.
    deviation : float
        Standard deviation of the background. The ratio of the two is the SCR.
    """
    rows, columns = np.flatnonzero(target.any(axis=1)), np.flatnonzero(target.any(axis=0))
    window = tuple(
        slice(max(int(ends[0]) - BACKGROUND_REACH_PX, 0), int(ends[-1]) + 1 + BACKGROUND_REACH_PX)
        for ends in (rows, columns)
    )
    # In integers, so that the sums are exact in any order.
    background = image[window][~blocked[window]].astype(np.int64)
    own = image[target].astype(np.int64)
    n, total = background.size, int(background.sum())
    scatter = n * int((background * background).sum()) - total * total
    return int(own.sum()) / own.size - total / n, math.sqrt(scatter) / n


def _place(stream: Stream, base: Floats, sensor: Sensor, union: Bools) -> _Placed | None:
    """A new target at a place that suits it; None where many draws found none."""
    keep_off = union
    for _ in range(GAP_PX):
        keep_off = dilate(keep_off)
    level = _round(base)
    for _ in range(_N_DRAWS):
        source = draw_source(stream, sensor.psf_sigma_px)
        u = stream.uniform()
        nominal_scr = SCR_RANGE[0] + (SCR_RANGE[1] - SCR_RANGE[0]) * u * u
        for _ in range(_N_PLACES):
            row, column = (stream.integer(0, length - 1) for length in base.shape)
            mask = _mask_at(source, row, column, base.shape)
            inside = mask[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
            is_whole = np.count_nonzero(inside) == np.count_nonzero(source.mask)
            if not is_whole or (mask & keep_off).any():
                continue
            contrast, deviation = local_contrast(level, mask, dilate(mask | union))
            amplitude = (nominal_scr * deviation - contrast) / source.mean_in_mask
            target = _Placed(source, row, column, mask, nominal_scr, amplitude)
            if (
                amplitude >= MIN_PEAK
                and amplitude * source.norm >= MIN_SNR * sensor.noise_std
                and _render(base, [target])[mask].max() <= MAX_LEVEL
            ):
                return target
    return None


def _adjust(
    base: Floats, placed: list[_Placed], blocked: Bools
) -> tuple[NDArray[np.uint8], list[_Placed], list[float]]:
    """Bring every measured SCR as near to the nominal one as rounding permits.

    The SCR is all but linear in the amplitude, so a few Newton steps do. Rounding
    makes the last ones wander: the step with the least total error is kept.
    """
    least = math.inf
    best: tuple[NDArray[np.uint8], list[_Placed], list[float]] = (_round(base), [], [])
    for _ in range(_N_REFINEMENTS if placed else 0):
        image = _round(_render(base, placed))
        scrs, corrected = [], []
        for target in placed:
            contrast, deviation = local_contrast(image, target.mask, blocked)
            scrs.append(contrast / deviation)
            lacking = target.nominal_scr * deviation - contrast
            amplitude = target.amplitude + lacking / target.source.mean_in_mask
            corrected.append(replace(target, amplitude=amplitude))
        error = ordered_sum(
            abs(scr - target.nominal_scr) for scr, target in zip(scrs, placed, strict=True)
        )
        if error < least:
            least, best = error, (image, placed, scrs)
        placed = corrected
    return best


def _mask_at(source: Source, row: int, column: int, shape: tuple[int, ...]) -> Bools:
    padded = np.zeros((shape[0] + 2 * PATCH_REACH, shape[1] + 2 * PATCH_REACH), dtype=bool)
    padded[row : row + PATCH_SIDE, column : column + PATCH_SIDE] = source.mask
    return padded[PATCH_REACH:-PATCH_REACH, PATCH_REACH:-PATCH_REACH]


def _render(base: Floats, placed: list[_Placed]) -> Floats:
    """The image with its targets, not rounded; a patch may hang over the border."""
    padded = np.pad(base, PATCH_REACH)
    for target in placed:
        rows = slice(target.row, target.row + PATCH_SIDE)
        columns = slice(target.column, target.column + PATCH_SIDE)
        padded[rows, columns] += target.amplitude * target.source.profile
    return padded[PATCH_REACH:-PATCH_REACH, PATCH_REACH:-PATCH_REACH]


def _round(image: Floats) -> NDArray[np.uint8]:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
