"""``Detections``: what every detector returns, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.detections.regions import Regions
from irbench.errors import DetectionsError

_NO_NUMBERS = "cSUMm"
"""NumPy's kinds of types that it makes numbers of by losing something: complex, texts, times."""


@dataclass(frozen=True, eq=False, init=False)
class Detections:
    """The targets that a detector claims on one image.

    Frozen, and checked when it is made. Use the ``from_*`` constructors to come
    from a score map, a probability map or a mask.

    Parameters
    ----------
    boxes : (N, 4) array_like of float32
        ``(x0, y0, x1, y1)`` in pixels, half-open: a target on the pixels 3..5
        has ``x0 = 3`` and ``x1 = 6``. ``x0 < x1`` and ``y0 < y1``.
    scores : (N,) array_like of float32
        Finite; higher is more target-like.
    regions : Regions, optional
        The pixels of each detection, for score-map and segmentation methods.

    Raises
    ------
    DetectionsError
        Naming the argument, the index, what was expected and what came.

    Examples
    --------
    >>> from irbench import Detections
    >>> found = Detections(boxes=[[3, 4, 6, 7]], scores=[0.9])
    >>> len(found), found.centroids.tolist()
    (1, [[4.0, 5.0]])
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    regions: Regions | None = None

    def __init__(self, boxes: ArrayLike, scores: ArrayLike, regions: Regions | None = None) -> None:
        boxes = _as_float32("boxes", boxes)
        scores = _as_float32("scores", scores)
        if boxes.size == 0:
            boxes = boxes.reshape(0, 4)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise DetectionsError(f"boxes must have shape (N, 4), got {boxes.shape}.")
        if scores.shape != (len(boxes),):
            raise DetectionsError(
                f"scores must have shape ({len(boxes)},) as there are {len(boxes)} boxes, "
                f"got {scores.shape}."
            )
        # Ten of an image are made by calibration, and all of them are good.
        is_good = (boxes[:, 2:] > boxes[:, :2]).all() and np.isfinite(boxes).all()
        if not (is_good and np.isfinite(scores).all()):
            _refuse("boxes", boxes, ~np.isfinite(boxes).all(axis=1), "finite numbers")
            _refuse("scores", scores, ~np.isfinite(scores), "a finite number")
            inverted = (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
            _refuse("boxes", boxes, inverted, "(x0, y0, x1, y1) with x0 < x1 and y0 < y1")
        if regions is not None and len(regions) != len(boxes):
            raise DetectionsError(
                f"regions must be as many as boxes ({len(boxes)}), got {len(regions)}."
            )
        boxes.setflags(write=False)
        scores.setflags(write=False)
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "scores", scores)
        object.__setattr__(self, "regions", regions)

    @classmethod
    def empty(cls, shape: tuple[int, int] | None = None) -> Detections:
        """No detection; with ``shape`` (height, width), as a method with regions says it."""
        regions = None if shape is None else Regions.empty(shape)
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), regions)

    @classmethod
    def from_score_map(cls, score_map: NDArray[Any], extent: float) -> Detections:
        """Turn a score map into detections by the conversion ``components/1``.

        See :func:`irbench.conversion.components.detect_components`.
        """
        from irbench.conversion.components import detect_components

        return detect_components(score_map, (extent,))[0]

    @classmethod
    def from_probability(cls, probability: NDArray[Any], threshold: float = 0.5) -> Detections:
        """Turn a probability map into detections by the conversion ``segments/1``.

        See :func:`irbench.conversion.segments.detect_segments`.
        """
        from irbench.conversion.segments import detect_segments

        return detect_segments(probability, threshold)

    @classmethod
    def from_mask(cls, mask: NDArray[Any]) -> Detections:
        """The 8-connected components of a binary mask, each with score 1."""
        from irbench.conversion.segments import detect_mask

        return detect_mask(mask)

    @property
    def centroids(self) -> NDArray[np.float64]:
        """``(N, 2)`` positions ``(x, y)`` in pixels: of the region, else of the filled box."""
        if self.regions is not None:
            return self.regions.centroids
        return box_centroids(self.boxes)

    @property
    def areas(self) -> NDArray[np.float64]:
        """``(N,)`` areas in pixels: of the region, else of the box."""
        if self.regions is not None:
            return self.regions.areas.astype(np.float64)
        return box_areas(self.boxes)

    def take(self, indices: NDArray[Any] | Sequence[int]) -> Detections:
        """The chosen detections, in the order of ``indices``."""
        chosen = np.asarray(indices, dtype=np.int64)
        regions = None if self.regions is None else self.regions.take(chosen)
        return Detections(self.boxes[chosen], self.scores[chosen], regions)

    def above(self, threshold: float) -> Detections:
        """Those with ``score >= threshold``."""
        return self.take(self.indices_above(threshold))

    def indices_above(self, threshold: float) -> NDArray[np.int64]:
        """Which have ``score >= threshold``, ascending."""
        # In double precision: a float32 comparison would round the threshold.
        return np.flatnonzero(self.scores.astype(np.float64) >= threshold)

    def best(self, n: int) -> Detections:
        """The ``n`` best-scored, in order of (score descending, x0, y0, x1, y1).

        Itself, in its own order, where there are no more than ``n``.
        """
        if len(self) <= n:
            return self
        x0, y0, x1, y1 = self.boxes.T
        return self.take(np.lexsort((y1, x1, y0, x0, -self.scores))[:n])

    def __len__(self) -> int:
        return len(self.boxes)

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], float]]:
        for box, score in zip(self.boxes, self.scores, strict=True):
            yield box, float(score)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Detections):
            return NotImplemented
        same = np.array_equal(self.boxes, other.boxes) and np.array_equal(self.scores, other.scores)
        if self.regions is None or other.regions is None:
            return same and self.regions is other.regions
        return (
            same
            and self.regions.shape == other.regions.shape
            and np.array_equal(self.regions.offsets, other.regions.offsets)
            and np.array_equal(self.regions.runs, other.regions.runs)
        )

    __hash__ = None  # type: ignore[assignment]


def box_centroids(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """``(N, 2)`` mean pixel positions ``(x, y)`` of ``(N, 4)`` filled half-open boxes."""
    # Pixel x covers [x, x + 1), so the pixels of a half-open box are centred half lower.
    return np.asarray((boxes[:, :2].astype(np.float64) + boxes[:, 2:] - 1) / 2)


def box_areas(boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """``(N,)`` areas of ``(N, 4)`` boxes, in pixels."""
    sides = boxes[:, 2:].astype(np.float64) - boxes[:, :2]
    return np.asarray(sides[:, 0] * sides[:, 1])


def _as_float32(name: str, values: Any) -> NDArray[np.float32]:
    # Made ten times an image by calibration, of arrays as they are to be.
    if type(values) is np.ndarray and values.dtype == np.float32:
        return values.copy()
    # NumPy would drop the mask, the imaginary part, or read a text as a number.
    if isinstance(values, np.ma.MaskedArray):
        raise DetectionsError(f"{name} must be without a mask, got a numpy.ma.MaskedArray.")
    kind = np.dtype(getattr(values, "dtype", np.float64))
    if kind.kind in _NO_NUMBERS:
        raise DetectionsError(f"{name} must be real numbers, got {kind}.")
    try:
        with np.errstate(over="ignore"):
            return np.array(values, dtype=np.float32, order="C")
    except (TypeError, ValueError) as error:
        raise DetectionsError(
            f"{name} must be numbers, got {type(values).__name__}: {error}."
        ) from error


def _refuse(name: str, values: NDArray[Any], bad: Any, expected: str) -> None:
    if bad.any():
        index = int(np.argmax(bad))
        raise DetectionsError(f"{name}[{index}] must be {expected}, got {values[index].tolist()}.")
