"""Dead pixels: which they are, by a written rule or a list, and what is put in their place.

A pixel that is not finite is dead on its own frame. Pixels that are stuck are dead on all frames
of a camera: those of a list, or by the rule ``auto/1`` those which, on each of up to 64 frames,
evenly spread, lie above (or on each below) all but one of their eight neighbours by more than
8 standard deviations of what pixels differ from their neighbours. A target that stays where it is
on all frames, on one pixel or two, is such a pixel too; where that may be, give a list.

In the place of a dead pixel comes the median of the good ones among its eight neighbours, the lower
one of an even number, so that integers stay integers; where none is good, of the 24 around it, and
so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ImageError, UsageError
from irbench.images.reading import IMAGE_SUFFIXES, read_image

NAN, AUTO = "nan", "auto"
"""Words in place of a file: pixels that are not finite only; stuck ones too, as they are found."""

RULES = {NAN: "nan/1", AUTO: "auto/1"}
FROM_FILE = "file"
LEAST_FRAMES = 4
N_STD = 8.0
MOST_SHARE = 0.01
"""Where more of the pixels seem to be stuck, something else stays the same on all frames."""

MOST_LISTED = 2**16
_STD_OF_MAD = 1.4826
_LEAST_STD = 0.5
_SIDE_PX = 640


@dataclass(frozen=True)
class DeadPixels:
    """Dead pixels of a camera.

    Attributes
    ----------
    asked : str
        ``"nan"``, ``"auto"`` or the name of a file.
    rule : str
        Name and version.
    places : tuple of (int, int)
        Row and column of each pixel that is dead on every frame, in raster order.
    shape : (int, int) or None
        Height and width of the frames that they are of, where that is known.
    """

    asked: str
    rule: str
    places: tuple[tuple[int, int], ...] = ()
    shape: tuple[int, int] | None = None

    def replaced(self, image: NDArray[Any], name: str) -> tuple[NDArray[Any], int]:
        """An image without dead pixels, and how many of its pixels were.

        Parameters
        ----------
        image : (H, W) ndarray
            Not modified.
        name : str
            For errors.

        Returns
        -------
        image : (H, W) ndarray of the same type
            The image itself where none is dead.
        n_replaced : int

        Raises
        ------
        ImageError
            If the list is of frames of another size, or no pixel is good.

        Examples
        --------
        >>> image = np.arange(9.0).reshape(3, 3)
        >>> image[1, 1] = np.nan
        >>> DeadPixels("nan", "nan/1").replaced(image, "a.tif")[0][1, 1]
        np.float64(3.0)
        """
        dead = ~np.isfinite(image) if image.dtype.kind == "f" else np.zeros(image.shape, bool)
        if self.places:
            places = np.array(self.places).T
            if self.shape not in (None, image.shape) or (places.max(1) >= image.shape).any():
                known = "" if self.shape is None else f" {self.shape[0]}x{self.shape[1]}"
                raise ImageError(
                    f"{name} has {image.shape[0]}x{image.shape[1]} pixels, the dead pixels of "
                    f"{self.asked} are of{known or ' larger'} frames; give those of this camera."
                )
            dead[tuple(places)] = True
        n_dead = int(dead.sum())
        return (_without(image, dead, name), n_dead) if n_dead else (image, 0)

    def describe(self) -> str:
        """What is replaced, for a person."""
        if not self.places:
            return f"not finite ({self.rule})"
        return f"{len(self.places)} on every frame ({self.rule}), and what is not finite"

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            # The folder of a list changes nothing.
            "asked": Path(self.asked).name,
            "rule": self.rule,
            "places": [list(place) for place in self.places],
            "shape": None if self.shape is None else list(self.shape),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> DeadPixels:
        """Read what :meth:`as_dict` gave."""
        shape = content["shape"]
        places = tuple((int(row), int(column)) for row, column in content["places"])
        return cls(
            content["asked"],
            content["rule"],
            places,
            None if shape is None else (int(shape[0]), int(shape[1])),
        )


DeadChoice = str | DeadPixels | None
"""A word or a file, what they came to, or None: dead pixels are not looked for."""


def find_dead_pixels(choice: str, frames: Iterable[NDArray[Any]]) -> DeadPixels:
    """What a word or a file comes to.

    Parameters
    ----------
    choice : str
        ``"nan"``, ``"auto"``, or a file: an image whose pixels other than 0 are dead, or lines of
        row and column, from 0.
    frames : iterable of (H, W) ndarray
        Of one size, evenly spread; drawn for ``"auto"`` only.

    Raises
    ------
    UsageError
        For a file that cannot be read, too few frames, or frames of several sizes.
    ImageError
        If too many pixels seem to be stuck.
    """
    if choice == NAN:
        return DeadPixels(NAN, RULES[NAN])
    if choice != AUTO:
        return _listed(Path(choice))
    # Above all but one of its neighbours on every frame so far, and below them.
    sides: NDArray[np.bool_] | None = None
    n_frames = 0
    for frame in frames:
        n_frames += 1
        found = _sticks_out(frame)
        if sides is not None and sides.shape != found.shape:
            raise UsageError(
                f"--dead-pixels {AUTO}: frames have several sizes ({sides.shape[1:]} and "
                f"{found.shape[1:]}), so that none can be compared; --dead-pixels {NAN}, or a file "
                "of them."
            )
        sides = found if sides is None else sides & found
    if sides is None or n_frames < LEAST_FRAMES:
        raise UsageError(
            f"--dead-pixels {AUTO} needs at least {LEAST_FRAMES} frames to see what is the same on "
            f"all, got {n_frames}; --dead-pixels {NAN}, or a file of them."
        )
    stuck = sides.any(axis=0)
    if stuck.mean() > MOST_SHARE:
        raise ImageError(
            f"--dead-pixels {AUTO}: {stuck.mean():.1%} of the pixels stick out on every frame, "
            f"more than {MOST_SHARE:.0%}: these are no dead pixels; give a file of them."
        )
    places = tuple((int(row), int(column)) for row, column in np.argwhere(stuck))
    return DeadPixels(AUTO, RULES[AUTO], places, (stuck.shape[0], stuck.shape[1]))


def suspected_dead_pixels(frames: Iterable[NDArray[Any]]) -> tuple[tuple[int, int], ...]:
    """What ``"auto"`` would take for stuck, on few frames; nothing where that cannot be seen.

    Parameters
    ----------
    frames : iterable of (H, W) ndarray
        Evenly spread. The first 640 rows and columns of each are looked at.

    Returns
    -------
    tuple of (int, int)
        Row and column, in raster order.
    """
    try:
        return find_dead_pixels(AUTO, (frame[:_SIDE_PX, :_SIDE_PX] for frame in frames)).places
    except (UsageError, ImageError):  # too few, of several sizes, or a pattern of many pixels
        return ()


def _listed(path: Path) -> DeadPixels:
    if not path.is_file():
        raise UsageError(
            f"--dead-pixels: expected {NAN}, {AUTO} or a file of pixels, got {str(path)!r}."
        )
    shape: tuple[int, int] | None = None
    if path.suffix.lower() in IMAGE_SUFFIXES:
        image = read_image(path)
        shape = (image.shape[0], image.shape[1])
        places = [(int(row), int(column)) for row, column in np.argwhere(image != 0)]
    else:
        places = _lines(path)
    if not 0 < len(places) <= MOST_LISTED:
        raise UsageError(
            f"--dead-pixels {path}: expected 1 to {MOST_LISTED} dead pixels, got {len(places)}."
        )
    return DeadPixels(str(path), FROM_FILE, tuple(sorted(set(places))), shape)


def _lines(path: Path) -> list[tuple[int, int]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"--dead-pixels {path}: cannot be read: {error}.") from error
    places = []
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        if len(words) != 2 or not all(one.isascii() and one.isdecimal() for one in words):
            raise UsageError(
                f"--dead-pixels {path}, line {number}: expected row and column from 0, such as "
                f"17 320, got {line[:60]!r}."
            )
        # Longer numbers are no pixels, and int refuses the longest.
        places.append((int(words[0][-9:]), int(words[1][-9:])))
    return places


def _sticks_out(frame: NDArray[Any]) -> NDArray[np.bool_]:
    """``(2, H, W)``: where a pixel lies above, and below, all but one of its neighbours by far."""
    grey = np.where(np.isfinite(frame), frame, np.nan).astype(np.float64)
    padded = np.pad(grey, 1, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(*grey.shape, 9)
    near = np.sort(np.delete(windows, 4, axis=-1), axis=-1)  # the eight neighbours, NaN last
    n_near = np.isfinite(near).sum(-1, keepdims=True)
    highest = np.take_along_axis(near, np.maximum(n_near - 2, 0), -1)[..., 0]
    middle = np.take_along_axis(near, np.maximum((n_near - 1) // 2, 0), -1)[..., 0]
    apart = np.abs(grey - middle)
    std = _STD_OF_MAD * float(np.nanmedian(apart)) if np.isfinite(apart).any() else 0.0
    # Frames without noise have steps of a grey level all the same.
    margin = N_STD * (max(std, _LEAST_STD) if frame.dtype.kind in "ui" else std)
    with np.errstate(invalid="ignore"):
        sides = np.stack([grey - highest > margin, near[..., 1] - grey > margin])
    return np.asarray(sides & (n_near[..., 0] >= 3))


def _without(image: NDArray[Any], dead: NDArray[np.bool_], name: str) -> NDArray[Any]:
    if dead.all():
        raise ImageError(f"{name} has no good pixel: all are dead.")
    fixed = image.copy()
    rows, columns = np.nonzero(dead)
    radius = 1
    while len(rows):
        steps = np.arange(-radius, radius + 1)
        down, across = (one.ravel() for one in np.meshgrid(steps, steps, indexing="ij"))
        y, x = rows[:, None] + down, columns[:, None] + across
        inside = (y >= 0) & (y < image.shape[0]) & (x >= 0) & (x < image.shape[1])
        y, x = np.where(inside, y, 0), np.where(inside, x, 0)
        good = inside & ~dead[y, x]
        # The good ones first, by value.
        values = image[y, x]
        order = np.lexsort((values, ~good), axis=1)
        n_good = good.sum(1)
        middle = np.maximum(n_good - 1, 0) // 2
        chosen = np.take_along_axis(values, np.take_along_axis(order, middle[:, None], 1), 1)[:, 0]
        done = n_good > 0
        fixed[rows[done], columns[done]] = chosen[done]
        rows, columns, radius = rows[~done], columns[~done], radius + 1
    return fixed
