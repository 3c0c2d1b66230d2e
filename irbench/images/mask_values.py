"""Which stored values of a mask are target: one written rule, or a refusal.

The rule stands in ``docs/add-your-data.md``. In short: of two values the greater one;
of numbers, of a palette's indices and of colours every one but zero; of soft masks, whose
edges are blurred, the values over half of the range. A mask that fits none of these, or
whose reading would lose targets or fill the image, is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.detections.regions import label_mask
from irbench.errors import MaskError

TWO_VALUES = "two values, neither 0 and 255 nor 0 and 1: the greater one is target"
NUMBERS = "values that number targets or classes: every one over 0 is target"
INDICES = "a palette: every index over 0 is target"
COLOURS = "one colour a label: every colour but black is target"

MAX_COVER = 0.5
"""A target that covers more of its image is a complement, or no target."""

_NOISE = 1 / 8  # of the range: what JPEG adds round a target
_RINGING = 1 / 4  # of the range: what strong JPEG compression adds in single pixels
_MAX_LOST = 0.2  # of all non-zero pixels; IRSTD-1k has single stray ones
_FEW_VALUES = 4  # zero included
_MAX_GREY_CLASSES = 32
_VOID, _VOID_COLOUR = 255, (192, 224, 224)
# Channels of the palettes of PASCAL VOC and of overlays; others arise by blurring.
_PURE = (0, 32, 64, 96, 128, 160, 192, 224, 255)


@dataclass(frozen=True, eq=False)
class Mask:
    """A ground-truth mask and what was found odd in its file.

    Attributes
    ----------
    pixels : (H, W) ndarray of bool
    n_odd : int
        Pixels of a soft mask that are neither 0 nor full; over half of the range
        they are target.
    how : str
        How its values are read where they are not 0 and 255 or 0 and 1, as a clause.
    """

    pixels: NDArray[np.bool_]
    n_odd: int
    how: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """``how`` as a note of a sample; none for a mask as it should be."""
        return (f"masks of {self.how}",) if self.how else ()


def binarise(stored: NDArray[Any], white: float | None = None) -> Mask:
    """Decide which pixels of a grey mask are target.

    Parameters
    ----------
    stored : (H, W) ndarray of numbers
    white : float, optional
        The full range; by default 1 for fractions, 255, or 65535, as the values say.

    Returns
    -------
    Mask

    Raises
    ------
    MaskError
        If they cannot be decided: negative values or NaN, non-zero pixels that all or in
        good part would be background, a picture instead of a mask, or a target that
        covers more than half of the image.
    """
    if stored.size == 0:
        return Mask(np.zeros(stored.shape, dtype=bool), 0)
    smallest, largest = stored.min(), stored.max()
    # NaN fails the comparison.
    if not (smallest >= 0 and np.isfinite(largest)):
        raise MaskError(
            f"a mask must hold values from 0, got {smallest:g} to {largest:g}; write "
            "background as 0 and target as 255."
        )
    if largest == 0:
        return Mask(np.zeros(stored.shape, dtype=bool), 0)
    target = stored == largest
    n_two = np.count_nonzero(target) + np.count_nonzero(stored == smallest)
    if smallest == largest or n_two == stored.size:
        usual = smallest == 0 and largest in (1, 255, 65535)
        return _covered(Mask(target, 0, "" if usual else TWO_VALUES))
    white = _white(stored, float(largest)) if white is None else white
    if _is_numbered(stored, white):
        return _covered(Mask(stored > 0, 0, NUMBERS))
    return _soft(stored, white)


def binarise_indices(indices: NDArray[np.integer], colours: NDArray[Any]) -> Mask:
    """Decide which pixels of a mask with a palette are target.

    Parameters
    ----------
    indices : (H, W) ndarray of integers
    colours : (H, W, C) ndarray of uint8, or (H, W)
        What they are shown as, blue, green, red.

    Raises
    ------
    MaskError
        As :func:`binarise`; and for PASCAL VOC's void, which is neither target nor
        background.
    """
    shown = colours[..., None] if colours.ndim == 2 else colours[..., :3]
    used, first = np.unique(indices, return_index=True)
    shades = shown.reshape(-1, shown.shape[-1])[first]
    if (shades == shades[:, :1]).all():
        greys = shades[:, 0]
        distinct = len(np.unique(greys)) == len(greys)
        is_ramp = bool((greys == used).all())
        by_class = used[0] == 0 and greys[0] == greys.min() and len(used) <= _MAX_GREY_CLASSES
        # A grey picture that a tool has packed into a palette, in whatever order.
        if distinct and (is_ramp or not by_class):
            return binarise(np.ascontiguousarray(shown[..., 0]))
    elif len(used) > 2 and used[-1] == _VOID and tuple(shades[-1]) == _VOID_COLOUR:
        raise MaskError(
            "index 255 of its palette is PASCAL VOC's void, which is neither target nor "
            "background; write it as the one or the other."
        )
    return _covered(Mask(indices > 0, 0, INDICES if indices.any() else ""))


def binarise_colours(colours: NDArray[Any]) -> Mask:
    """Decide which pixels of a mask in colour are target; see :func:`binarise`.

    Parameters
    ----------
    colours : (H, W, 3 or 4) ndarray of unsigned integers
        Blue, green, red[, alpha]; what is wholly transparent is background.
    """
    bgr = colours[..., :3]
    if colours.shape[2] == 4:
        bgr = np.where(colours[..., 3:] > 0, bgr, 0)
        if not bgr.any() and np.ptp(colours[..., 3]) > 0:
            raise MaskError(
                "its colours are all black and only its alpha channel varies; write the mask "
                "as grey, background 0 and target 255."
            )
    if (bgr == bgr[..., :1]).all():
        return binarise(np.ascontiguousarray(bgr[..., 0]))
    code = bgr.astype(np.int64) @ np.array([1, 2**16, 2**32])
    if code.all():
        raise MaskError(
            "it is in colour and no pixel of it is black; expected one colour a label on a "
            "black background, not an overlay on the image."
        )
    if np.isin(bgr, _PURE).all() or is_flat(code):
        return _covered(Mask(code > 0, 0, COLOURS))
    return _soft(bgr.max(axis=2), _white(bgr, float(bgr.max())))


def _white(stored: NDArray[Any], largest: float) -> float:
    if stored.dtype.kind == "f" and largest <= 1:
        return 1.0
    return next((white for white in (255.0, 65535.0) if largest <= white), largest)


def _is_numbered(stored: NDArray[Any], white: float) -> bool:
    """Whether several values are numbers of targets or classes, not shades of an edge."""
    values = np.unique(stored)
    if values[0] != 0 or (values != np.floor(values)).any():
        return False
    if values[-1] == len(values) - 1 and values[-1] <= white // 2:
        return True
    return bool(values[-1] != white) and is_flat(stored)


def is_flat(stored: NDArray[Any]) -> bool:
    """Whether every 8-connected patch of non-zero pixels has one value."""
    labels, n_patches = label_mask(stored != 0)
    firsts = np.zeros(n_patches + 1, dtype=stored.dtype)
    firsts[labels.ravel()[::-1]] = stored.ravel()[::-1]
    return bool((firsts[labels] == stored).all())


def _soft(stored: NDArray[Any], white: float) -> Mask:
    target = stored > white / 2
    n_target = int(np.count_nonzero(target))
    low, high = stored.min(), stored.max()
    n_nonzero = int(np.count_nonzero(stored))
    if not n_target:
        raise MaskError(
            f"its {n_nonzero} non-zero pixels, of values up to {high:g}, would all be read as "
            f"background (target is over {white / 2:g}); write background as 0 and target as 255."
        )
    n_odd = n_nonzero - int(np.count_nonzero(stored == white))
    if n_odd > stored.size / 2:
        raise MaskError(
            f"{n_odd} of its {stored.size} pixels are neither 0 nor {white:g} (values {low:g} "
            f"to {high:g}): this is a picture, no mask. Write background as 0 and target as 255."
        )
    lost, is_whole = _lost(stored, target, white)
    n_lost = int(np.count_nonzero(lost))
    if is_whole or n_lost > _MAX_LOST * (n_lost + n_target):
        examples = ", ".join(f"{value:g}" for value in np.unique(stored[lost])[:5])
        raise MaskError(
            f"{n_lost} non-zero pixels, of values such as {examples}, would be read as "
            f"background beside {n_target} pixels of target (over {white / 2:g}); write every "
            "target as 255 and everything else as 0."
        )
    return _covered(Mask(target, n_odd))


def _lost(
    stored: NDArray[Any], target: NDArray[np.bool_], white: float
) -> tuple[NDArray[np.bool_], bool]:
    """Pixels that are no shade of a target's edge, and yet background by half of the range.

    Returns
    -------
    lost : (H, W) ndarray of bool
    is_whole : bool
        Whether they hold a whole patch of two pixels or more, as targets are, or the blurred
        remains of one pixel: a peak with a rim.
    """
    labels, n_patches = label_mask(stored != 0)
    kept = np.zeros(n_patches + 1, dtype=bool)
    kept[labels[target]] = True
    kept[0] = True
    # Edges have many shades; of a few values, each means something.
    is_few = len(np.unique(stored)) <= _FEW_VALUES
    alone = ~kept[labels] & (stored > (0 if is_few else white * _NOISE))
    lost = (stored != 0) & ~target if is_few else alone
    sizes = np.bincount(labels[alone])
    rimmed = np.bincount(labels.ravel())[labels[alone & (stored > white * _RINGING)]]
    return lost, bool((sizes > 1).any() or (rimmed > 1).any())


def _covered(mask: Mask) -> Mask:
    """The mask, unless its target covers most of the image."""
    share = np.count_nonzero(mask.pixels) / mask.pixels.size
    if share > MAX_COVER:
        raise MaskError(
            f"its target would cover {share:.0%} of the image, and more than {MAX_COVER:.0%} is "
            "taken for a complement; write background as 0 and target as 255."
        )
    return mask
