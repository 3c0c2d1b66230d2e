"""What every label format has in common: boxes with classes and scores, and their checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.data.annotations.place import Place
from irbench.errors import AnnotationError

Shape = tuple[int, int]

OVERHANG_PX = 0.5
"""How far a true box may reach out of its image; it is then clipped.

Less than half a pixel is the rounding of numbers in text. More is another image
size or another convention, and an error.
"""

MAX_COORDINATE_PX = 2**24
"""Single precision, which boxes are kept in, tells whole pixels apart up to here."""

CLASS_NAME = "target"
"""What written labels call a target; irbench knows one class."""


@dataclass(frozen=True, eq=False)
class BoxLabels:
    """The boxes of one image, as a label file states them.

    Attributes
    ----------
    boxes : (N, 4) ndarray of float32
        ``(x0, y0, x1, y1)`` in pixels, half-open, in the order of the file.
    classes : tuple of str
        Class of each box as the file calls it. To irbench all are targets.
    scores : (N,) ndarray of float32, or None
        Confidence of each box; None where the file has none.
    crowd : (N,) ndarray of bool, or None
        Whether each box is around a crowd, as COCO has them; None where none is.
    notes : tuple of str
        What a person should know of how they were made, a clause each.
    """

    boxes: NDArray[np.float32]
    classes: tuple[str, ...]
    scores: NDArray[np.float32] | None = None
    crowd: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.boxes)

    def joined(self, other: BoxLabels) -> BoxLabels:
        """The boxes of both, in turn; scores where both have them."""
        scores = None
        if self.scores is not None and other.scores is not None:
            scores = np.append(self.scores, other.scores)
        boxes = np.concatenate([self.boxes, other.boxes])
        return BoxLabels(boxes, (*self.classes, *other.classes), scores)

    @classmethod
    def gather(
        cls,
        boxes: Sequence[Sequence[float]],
        classes: Sequence[str],
        scores: Sequence[float] | None = None,
        crowd: Sequence[bool] | None = None,
        notes: Sequence[str] = (),
    ) -> BoxLabels:
        """Put lists, as a reader collects them, into arrays."""
        return cls(
            np.array(boxes, dtype=np.float64).reshape(-1, 4).astype(np.float32),
            tuple(classes),
            None if scores is None else np.array(scores, dtype=np.float32),
            np.array(crowd, dtype=bool) if any(crowd or ()) else None,
            tuple(notes),
        )


def check_side(value: Any, place: Place) -> int:
    """A side of an image, which is a whole number of pixels from 1 on."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 1 <= value < MAX_COORDINATE_PX or value != int(value):
        raise place.invalid("a whole number of pixels", value)
    return int(value)


def check_stated_shape(stated: Shape, shape: Shape | None, place: Place) -> Shape:
    """The shape that a label file states, which must be the image's where that is known."""
    if shape is not None and stated != tuple(shape):
        raise place.invalid(f"the image's {shape[0]}x{shape[1]} pixels", stated)
    return stated


def check_box(
    box: Sequence[float], shape: Shape | None, place: Place, overhang: bool
) -> list[float]:
    """Check one half-open box against its image.

    Parameters
    ----------
    box : sequence of float
        ``(x0, y0, x1, y1)`` in pixels, finite.
    shape : (int, int) or None
        Height and width of the image; None if they are not known.
    place : Place
    overhang : bool
        Whether the box may reach far out of the image, as those of detectors do. It
        must still overlap it, for a box beside the image belongs to another size.

    Returns
    -------
    list of float
        The box, clipped to the image.

    Raises
    ------
    AnnotationError
        If the box is empty or inverted, or does not lie in the image.
    """
    x0, y0, x1, y1 = box
    if max(map(abs, box)) > MAX_COORDINATE_PX:
        raise place.invalid(f"pixels up to {MAX_COORDINATE_PX}", list(box))
    if not _has_area(box):
        raise place.invalid("a box of positive width and height", [x1 - x0, y1 - y0])
    if shape is None:
        return [x0, y0, x1, y1]
    height, width = shape
    clipped = [max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height)]
    if overhang:
        if not _has_area(clipped):
            raise place.invalid(f"a box that meets the {height}x{width} image", list(box))
        return clipped
    if min(x0, y0, width - x1, height - y1) < -OVERHANG_PX or not _has_area(clipped):
        raise place.invalid(f"a box inside the {height}x{width} image", list(box))
    return clipped


def _has_area(box: Sequence[float]) -> bool:
    # In the precision it is kept in: what is thinner than that has no area.
    x0, y0, x1, y1 = (np.float32(side) for side in box)
    return bool(x0 < x1 and y0 < y1)


def checked_boxes(boxes: Any, what: str) -> NDArray[np.float64]:
    """Boxes that are about to be written: ``(N, 4)``, finite, of positive sides."""
    array = np.asarray(boxes, dtype=np.float64)
    array = array.reshape(0, 4) if array.size == 0 else array
    if array.ndim != 2 or array.shape[1] != 4:
        raise AnnotationError(f"the boxes of {what} must have shape (N, 4), got {array.shape}.")
    good = np.isfinite(array).all(axis=1)
    good &= (array[:, 0] < array[:, 2]) & (array[:, 1] < array[:, 3])
    if not good.all():
        index = int(np.argmin(good))
        raise Place(what, f"box {index}").invalid(
            "finite x0 < x1 and y0 < y1", array[index].tolist()
        )
    return array
