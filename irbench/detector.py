"""What a detector is: one class with ``info``, parameters and ``compute``.

A method is one file with one class. The class derives from the kind of detector
that it is and implements :meth:`~Detector.compute`; the base does the rest:
checks the image, maps its values, converts the result to :class:`Detections`.

============================  ============================  =========================
kind                          ``compute`` receives          ``compute`` returns
============================  ============================  =========================
:class:`ScoreMapDetector`     float64 grey levels 0 to 255  score map ``(H, W)``
:class:`SegmentationDetector` float32 in [0, 1]             probability map ``(H, W)``
:class:`BoxDetector`          float32 in [0, 1]             ``(boxes, scores)``
============================  ============================  =========================
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, dataclass_transform

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.detections.boxes import outside_image
from irbench.detections.checked_map import checked_map
from irbench.errors import DetectionsError
from irbench.images import ValueRange, to_grey_levels, to_unit_range
from irbench.parameters import parameter, parameter_specs, validate_parameters

Kind = Literal["score-map", "segmentation", "box"]

GROUPS = (
    "Background Suppression",
    "HVS-based Methods",
    "Low-rank and Sparse Decomposition",
    "Deep Learning Methods",
)
"""The headings of the paper's Table I, in its order."""


def group_rank(group: str) -> tuple[int, str]:
    """Sorts groups in the order of Table I, others behind, by name."""
    return (GROUPS.index(group) if group in GROUPS else len(GROUPS)), group


def table_order(group: str, year: int, name: str) -> tuple[int, str, int, str]:
    """Sorts methods as Table I lists them: by group, then by year and name."""
    return *group_rank(group), year, name


DEFAULT_EXTENT = 0.2
"""Extent of a score-map method that was never calibrated."""


@dataclass(frozen=True, kw_only=True)
class MethodInfo:
    """What is known of a method.

    Parameters
    ----------
    name : str
        Lower-case identifier, as typed on the command line.
    title : str
        As printed in a table.
    group : str
        The heading of Table I it stands under, such as ``"HVS-based Methods"``.
    year : int
    reference : str
        Authors, title, venue and DOI of the paper.
    default : bool
        Whether ``--methods all`` includes it; ablations and variants run by name.
    extended : bool
        Whether ``--methods extended`` includes it though ``all`` does not: a further row for
        tables that have it. Where ``default`` is true it is included in any case.
    with_weights : bool
        Whether ``--methods all`` includes it where there are weights that were trained on the
        dataset, though ``default`` is false.
    trainable : bool
        Whether it has weights that are learned from data.
    n_parameters : int or None
        Of its network with default settings, those that are never trained included, so that a
        list need not build it; None for a method without, and where it is not stated.
    note : str
        A remark that is printed under every table with this method, such as
        "reconstructed from the abstract".
    min_pixels, max_pixels : int or None
        Image sizes for which sets include the method, where another one stands
        in for it at other sizes. By name it runs at any size.
    """

    name: str
    title: str
    group: str
    year: int
    reference: str
    default: bool = True
    extended: bool = False
    with_weights: bool = False
    trainable: bool = False
    n_parameters: int | None = None
    note: str = ""
    min_pixels: int | None = None
    max_pixels: int | None = None

    def suits(self, n_pixels: int) -> bool:
        """Whether ``all`` or ``extended`` includes the method for images of ``n_pixels``."""
        low = 0 if self.min_pixels is None else self.min_pixels
        return n_pixels >= low and (self.max_pixels is None or n_pixels <= self.max_pixels)

    @property
    def order(self) -> tuple[int, str, int, str]:
        """Sorts methods; see :func:`table_order`."""
        return table_order(self.group, self.year, self.name)


@dataclass_transform(kw_only_default=True, field_specifiers=(parameter,))
class Detector(ABC):
    """Base of all detectors.

    Subclasses are made dataclasses: annotated class attributes with
    :func:`irbench.parameter` become keyword arguments, checked when the
    detector is made.

    Attributes
    ----------
    info : MethodInfo
    kind : {"score-map", "segmentation", "box"}
    """

    info: ClassVar[MethodInfo]
    kind: ClassVar[Kind]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(kw_only=True, eq=False)(cls)

    def __post_init__(self) -> None:
        validate_parameters(self)

    @property
    def title(self) -> str:
        """Title of its row: that of the method, with what changes what computes it."""
        return self.info.title

    @property
    def params(self) -> dict[str, Any]:
        """Values of the declared parameters, in order of declaration."""
        return {name: getattr(self, name) for name in parameter_specs(self)}

    @abstractmethod
    def preprocess(self, image: NDArray[Any], value_range: ValueRange | None = None) -> Any:
        """Check an image and map it to what :meth:`compute` expects."""

    @abstractmethod
    def compute(self, image: Any) -> Any:
        """The method itself, on the output of :meth:`preprocess`."""

    @abstractmethod
    def postprocess(self, output: Any, shape: tuple[int, int]) -> Detections:
        """Turn the output of :meth:`compute` into detections.

        Parameters
        ----------
        output : object
        shape : (int, int)
            Height and width of the image.
        """

    def detect(self, image: NDArray[Any], *, value_range: ValueRange | None = None) -> Detections:
        """Detect the targets on one image.

        Parameters
        ----------
        image : (H, W) ndarray of uint8, uint16 or float
            Not modified.
        value_range : (float, float), optional
            Values of black and white; by default the dtype's (uint8 0 to 255,
            uint16 0 to 65535, float 0 to 1). A 14-bit camera passes ``(0, 16383)``.

        Returns
        -------
        Detections

        Raises
        ------
        ImageError
            For another shape or type, NaN, or values outside the range.
        """
        # What is prepared is not held while its output is converted: a scene may be large.
        output = self.compute(self.preprocess(image, value_range))
        return self.postprocess(output, (image.shape[0], image.shape[1]))

    def detect_batch(
        self, images: Iterable[NDArray[Any]], *, value_range: ValueRange | None = None
    ) -> list[Detections]:
        """Detect the targets on several images, each of any size; see :meth:`detect`."""
        return [self.detect(image, value_range=value_range) for image in images]


class ScoreMapDetector(Detector):
    """A detector whose raw output is a score map; all classical methods are."""

    kind: ClassVar[Kind] = "score-map"

    def preprocess(
        self, image: NDArray[Any], value_range: ValueRange | None = None
    ) -> NDArray[np.float64]:
        """Check the image and map it to grey levels 0 to 255, not rounded."""
        return to_grey_levels(image, value_range)

    @abstractmethod
    def compute(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the score map.

        Parameters
        ----------
        image : (H, W) ndarray of float64
            Grey levels 0 to 255; a private copy, which may be overwritten.

        Returns
        -------
        (H, W) ndarray of float64
            Higher is more target-like; never rescaled per image.
        """

    def score_map(
        self, image: NDArray[Any], *, value_range: ValueRange | None = None
    ) -> NDArray[np.float64]:
        """The method's raw score map of an image.

        Parameters
        ----------
        image : (H, W) ndarray of uint8, uint16 or float
            Not modified.
        value_range : (float, float), optional
            See :meth:`Detector.detect`.

        Returns
        -------
        (H, W) ndarray of float64
        """
        return checked_map(
            self.compute(self.preprocess(image, value_range)), image.shape, _source(self)
        )

    def detect(
        self,
        image: NDArray[Any],
        *,
        value_range: ValueRange | None = None,
        extent: float | None = None,
    ) -> Detections:
        """Detect the targets on one image; see :meth:`Detector.detect`.

        Parameters
        ----------
        image : (H, W) ndarray of uint8, uint16 or float
        value_range : (float, float), optional
        extent : float, optional
            How far down from its peak a region reaches, in (0, 1): a region holds
            the pixels above ``mean + extent * (peak - mean)``. By default the
            extent that ships with the method.
        """
        output = self.compute(self.preprocess(image, value_range))
        return self.postprocess(output, image.shape, extent)

    def postprocess(
        self,
        output: NDArray[np.float64],
        shape: tuple[int, ...],
        extent: float | None = None,
    ) -> Detections:
        """Turn a score map into detections by the conversion ``components/1``."""
        if extent is None:
            from irbench.scoring.calibration import shipped_calibration

            shipped = shipped_calibration(self.info.name)
            extent = DEFAULT_EXTENT if shipped is None else shipped.extent
            assert extent is not None
        return Detections.from_score_map(checked_map(output, shape, _source(self)), extent)


class SegmentationDetector(Detector):
    """A detector whose raw output is a probability per pixel."""

    kind: ClassVar[Kind] = "segmentation"

    def preprocess(
        self, image: NDArray[Any], value_range: ValueRange | None = None
    ) -> NDArray[np.float32]:
        """Check the image and map it to [0, 1]."""
        return to_unit_range(image, value_range)

    @abstractmethod
    def compute(self, image: NDArray[np.float32]) -> NDArray[Any]:
        """Compute the ``(H, W)`` probability map, in [0, 1], of an image in [0, 1]."""

    def probability_map(
        self, image: NDArray[Any], *, value_range: ValueRange | None = None
    ) -> NDArray[Any]:
        """The probability of each pixel to belong to a target, ``(H, W)`` in [0, 1]."""
        return checked_map(
            self.compute(self.preprocess(image, value_range)), image.shape, _source(self)
        )

    def postprocess(self, output: NDArray[Any], shape: tuple[int, ...]) -> Detections:
        """Turn a probability map into detections by the conversion ``segments/1``."""
        return Detections.from_probability(checked_map(output, shape, _source(self)))


class BoxDetector(Detector):
    """A detector whose raw output is boxes with scores."""

    kind: ClassVar[Kind] = "box"

    def preprocess(
        self, image: NDArray[Any], value_range: ValueRange | None = None
    ) -> NDArray[np.float32]:
        """Check the image and map it to [0, 1]."""
        return to_unit_range(image, value_range)

    @abstractmethod
    def compute(self, image: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Compute ``(N, 4)`` boxes in pixels of the image and inside it, and ``(N,)`` scores."""

    def postprocess(
        self, output: tuple[NDArray[Any], NDArray[Any]], shape: tuple[int, ...]
    ) -> Detections:
        """Validate boxes and scores."""
        boxes, scores = output
        found = Detections(boxes, scores)
        outside = outside_image(found.boxes, shape)
        if outside.any():
            index = int(np.argmax(outside))
            raise DetectionsError(
                f"{type(self).__name__}.compute must return boxes (x0, y0, x1, y1) inside the "
                f"{shape[0]}x{shape[1]} image, got {found.boxes[index].tolist()} as "
                f"boxes[{index}]; clip them to it."
            )
        return found


def _source(detector: Detector) -> str:
    return f"{type(detector).__name__}.compute"
