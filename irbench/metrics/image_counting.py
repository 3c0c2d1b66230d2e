"""Counts of a plug-in's own: numbers of one image, whose sums over images a metric is made of.

irbench counts hits, false alarms and pixels. A metric of something else brings a function of one
image, and everything else is that of any metric: value, interval, comparison and gate come from
the table of what the function returned, a row for each image.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from irbench.errors import MetricError, UsageError
from irbench.metrics.components import components_of
from irbench.metrics.plugin_failure import plugin_failure
from irbench.metrics.point_matching import match_by_assignment, match_in_raster_order

if TYPE_CHECKING:
    from irbench.detections import Detections
    from irbench.detections.regions import Regions
    from irbench.ground_truth import GroundTruth
    from irbench.metrics.points import PointMatching
    from irbench.protocol import Protocol

Source = Literal["detections", "kept", "masks", "score map"]
"""What a counting looks at: all detections that count, those at or above the operating point,
the same where they and the targets have pixels, or the method's score map."""


@dataclass(frozen=True, eq=False)
class CountedImage:
    """One image as a counting sees it.

    Attributes
    ----------
    id : str
    truth : GroundTruth
        ``boxes``, ``centroids`` and ``areas`` of the targets, ``ignored`` regions, ``shape``.
    protocol : Protocol
    """

    id: str
    truth: GroundTruth
    protocol: Protocol

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.truth.shape

    @cached_property
    def true_mask(self) -> NDArray[np.bool_]:
        """``(H, W)`` the pixels of all targets.

        Raises
        ------
        MetricError
            For box labels.
        """
        return _mask_of(self.truth.targets, "the targets")


@dataclass(frozen=True, eq=False)
class DetectedImage(CountedImage):
    """One image with what a method found on it.

    Attributes
    ----------
    detections : Detections
        As many of the best as the protocol counts, or those of them that are kept.
    """

    detections: Detections

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """``(H, W)`` the pixels of all detections.

        Raises
        ------
        MetricError
            For boxes.
        """
        if not len(self.detections):
            return np.zeros(self.shape, dtype=bool)
        return _mask_of(self.detections.regions, "the detections")

    def matched(self, matching: PointMatching = "raster") -> NDArray[np.int64]:
        """``(n_targets,)`` the detection of each target by centroid distance, -1 where missed.

        Parameters
        ----------
        matching : {"raster", "hungarian"}
            As ``pd`` matches, or ``pd_hungarian``, at the protocol's distance.
        """
        match = match_in_raster_order if matching == "raster" else match_by_assignment
        return match(
            components_of(self.detections.boxes, self.detections.regions, self.truth),
            components_of(self.truth.boxes, self.truth.targets, self.truth),
            self.protocol.distance_px,
        )


@dataclass(frozen=True, eq=False)
class MappedImage(CountedImage):
    """One image with the score map of a method.

    Attributes
    ----------
    score_map : (H, W) ndarray
        As the method gave it; read-only.
    grey_levels : (H, W) ndarray
        The image, 0 to 255; read-only.
    """

    score_map: NDArray[Any]
    grey_levels: NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Counting:
    """What a plug-in counts in each image: the ``needs`` of a metric of its own.

    Parameters
    ----------
    name : str
        Lower-case letters, digits and underscores. Metrics may share a counting.
    of : {"detections", "kept", "masks", "score map"}
        What it looks at. Where a method or the data has none, its metrics are undefined, for
        the reason that is known there.
    columns : tuple of str
        Names of the numbers that it returns.
    count : callable
        From a :class:`DetectedImage`, or for ``"score map"`` a :class:`MappedImage`, to as many
        finite numbers as there are columns.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> from irbench.metrics.image_counting import Counting
    >>> found = Counting(
    ...     name="found", of="kept", columns=("n",), count=lambda image: [len(image.detections)]
    ... )
    >>> found.key
    'own.found'
    """

    name: str
    of: Source
    columns: tuple[str, ...]
    count: Callable[[Any], Any]

    def __post_init__(self) -> None:
        columns = self.columns
        demands = {
            "name": (_is_name(self.name), "lower-case letters, digits and underscores"),
            "of": (self.of in get_args(Source), f"one of {', '.join(map(repr, get_args(Source)))}"),
            "columns": (
                isinstance(columns, tuple)
                and bool(columns)
                and all(map(_is_name, columns))
                and len(set(columns)) == len(columns),
                "a tuple of different names of lower-case letters, digits and underscores",
            ),
            "count": (callable(self.count), "a function of one image"),
        }
        for field, (holds, expected) in demands.items():
            if not holds:
                raise UsageError(
                    f"{field} of the counting {self.name!r} must be {expected}, "
                    f"got {getattr(self, field)!r}."
                )

    @property
    def key(self) -> str:
        """Its name among the counts of an evaluation, and in files."""
        return f"own.{self.name}"

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.columns)}) of each image's {self.of}"

    @cached_property
    def version(self) -> str:
        """Hash of the code that counts: what another version counted is not taken for its own."""
        from irbench.plugins.code_version import code_version

        count = self.count
        try:
            return code_version(count if isinstance(count, FunctionType) else type(count))
        except (TypeError, OSError):
            # Typed into a notebook: no file has it, and so no run can store what it counts.
            return ""

    def __call__(self, image: CountedImage) -> NDArray[np.float64]:
        """``(n_columns,)`` numbers of one image.

        Raises
        ------
        MetricError
            If the function raises, or returns anything but as many finite numbers.
        """
        what = f"the counting {self.name!r}"
        try:
            found = np.array(self.count(image), dtype=np.float64)
        except Exception as error:
            raise plugin_failure(f"{what} of image {image.id!r}", error) from error
        if found.shape != (len(self.columns),):
            raise MetricError(
                f"{what} must return {len(self.columns)} numbers ({', '.join(self.columns)}) of "
                f"each image, got shape {found.shape} of image {image.id!r}."
            )
        if not np.isfinite(found).all():
            raise MetricError(
                f"{what} must return finite numbers, got {found.tolist()} of image {image.id!r}; "
                "let what is undefined add nothing to either sum of a ratio."
            )
        return found


@dataclass(frozen=True, eq=False)
class OwnCounts:
    """What a counting returned of every image.

    ``counts["hits"]`` is the ``(n_images,)`` column of that name.

    Attributes
    ----------
    columns : tuple of str
    values : (n_images, n_columns) ndarray of float64
    """

    columns: tuple[str, ...]
    values: NDArray[np.float64]

    @property
    def n_images(self) -> int:
        """Number of images."""
        return len(self.values)

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        if column not in self.columns:
            raise MetricError(
                f"the columns of the counting are {', '.join(self.columns)}; {column!r} is none."
            )
        return self.values[:, self.columns.index(column)]


def _is_name(text: Any) -> bool:
    return isinstance(text, str) and bool(re.fullmatch("[a-z][a-z0-9_]*", text))


def _mask_of(regions: Regions | None, what: str) -> NDArray[np.bool_]:
    if regions is None:
        raise MetricError(f"{what} have no pixels here; a counting of of='masks' is not asked.")
    return regions.to_mask()
