"""What a dataset is: a sequence of samples, found on disk or made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from irbench.conventions import Conventions
from irbench.detections.boxes import no_boxes
from irbench.detections.regions import Regions
from irbench.errors import AnnotationError, MaskError, UnknownNameError, UsageError
from irbench.images import ValueRange
from irbench.images.masks import mask_regions


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """What is known of a dataset.

    Parameters
    ----------
    name : str
        As typed on the command line.
    title : str
        As printed in a table.
    reference : str
        Authors, title, venue and DOI.
    url : str
        Where it is published; empty for generated data.
    licence : str
    schemes : tuple of str
        Split schemes, the default one first.
    n_images, n_targets : int or None
        What a complete copy holds.
    """

    name: str
    title: str
    reference: str
    url: str = ""
    licence: str = ""
    schemes: tuple[str, ...] = ()
    n_images: int | None = None
    n_targets: int | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """One image with its ground truth.

    Parameters
    ----------
    id : str
        Unique within the dataset.
    image : (H, W) ndarray of uint8, uint16 or float
        As stored.
    mask : (H, W) ndarray of bool, or None
        None for data with box labels only.
    boxes : (N, 4) ndarray of float32, optional
        ``(x0, y0, x1, y1)``, half-open, in pixels. By default those of the
        mask's 8-connected components, in raster order of their first pixel.
    value_range : (float, float), optional
        Values of black and white where they are not the dtype's.
    n_odd : int
        Pixels of the stored mask that are neither 0 nor full.
    notes : tuple of str
        What a person should know of how its files were read, a clause each. The same
        clause of many samples is reported once.
    ignored : (K, 4) ndarray of float32, optional
        Boxes in which a detection that hits no target is no false alarm; see
        :mod:`irbench.metrics.ignored_regions`.
    label_counts : mapping of str to int
        Number of labels of each class in its files, be they targets or not; empty where the
        labels have no classes.

    Raises
    ------
    MaskError, AnnotationError
        If mask or boxes do not fit the image.
    """

    id: str
    image: NDArray[Any]
    mask: NDArray[np.bool_] | None
    boxes: NDArray[np.float32] = None  # type: ignore[assignment]
    value_range: ValueRange | None = None
    n_odd: int = 0
    notes: tuple[str, ...] = ()
    ignored: NDArray[np.float32] = field(default_factory=no_boxes)
    label_counts: Mapping[str, int] = field(default_factory=dict)
    targets: Regions | None = field(default=None, init=False)
    """The pixels of each target, where there is a mask, in the order of ``boxes``."""

    def __post_init__(self) -> None:
        if self.mask is not None:
            if self.mask.shape != self.image.shape:
                raise MaskError(
                    f"the mask of {self.id!r} must have the image's shape {self.image.shape}, "
                    f"got {self.mask.shape}."
                )
            targets = mask_regions(self.mask)
            object.__setattr__(self, "targets", targets)
        given: Any = self.boxes
        if given is None:
            given = np.zeros((0, 4)) if self.targets is None else self.targets.boxes
        boxes = np.array(given, dtype=np.float32).reshape(-1, 4)
        height, width = self.image.shape
        bad = ~np.isfinite(boxes).all(axis=1) | ~(
            (boxes[:, 0] >= 0)
            & (boxes[:, 1] >= 0)
            & (boxes[:, 2] <= width)
            & (boxes[:, 3] <= height)
            & (boxes[:, 0] < boxes[:, 2])
            & (boxes[:, 1] < boxes[:, 3])
        )
        if bad.any():
            index = int(np.argmax(bad))
            raise AnnotationError(
                f"box {index} of {self.id!r} must be (x0, y0, x1, y1) with x0 < x1 and y0 < y1 "
                f"inside the {height}x{width} image, got {boxes[index].tolist()}."
            )
        object.__setattr__(self, "boxes", boxes)
        ignored = np.array(self.ignored, dtype=np.float32).reshape(-1, 4)
        object.__setattr__(self, "ignored", ignored)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return (self.image.shape[0], self.image.shape[1])


class Dataset(ABC, Sequence[Sample]):
    """A named sequence of samples of one split.

    Subclasses implement :meth:`split_ids` and :meth:`load`, and set ``info``. Those whose files
    leave conventions open implement :meth:`with_conventions` and keep them in ``conventions``.

    Parameters
    ----------
    root : path-like, optional
        Folder of the dataset itself, or one that holds it; by default it is
        looked for under ``$IRBENCH_DATA``, then the user data directory.
    split : {"train", "val", "test", "all"}
    scheme : str, optional
        Split scheme; by default the first of ``info.schemes``.

    Raises
    ------
    MissingDataError
        If it is not on this machine: where it was looked for, where it is
        published, and how to import it.
    UnknownNameError
        For a split or scheme that does not exist.
    """

    info: ClassVar[DatasetInfo]
    conventions: Conventions = Conventions()
    """What was stated of how its files are to be read."""

    @property
    def class_names(self) -> Mapping[str, str]:
        """Names of the classes that labels call by numbers; empty where there are none."""
        return {}

    @property
    def image_numbers(self) -> Mapping[int | str, str]:
        """Samples by the numbers that label files give to images; empty where they give none."""
        return {}

    def __init__(
        self, root: Path | str | None = None, split: str = "test", scheme: str | None = None
    ) -> None:
        if scheme is None:
            scheme = self.info.schemes[0] if self.info.schemes else ""
        self._check_scheme(scheme)
        self.scheme = scheme
        self.split = split
        self.root = self.locate(root)
        self._check_split(split)

    def locate(self, root: Path | str | None) -> Path | None:
        """Find the dataset on disk; None for data that needs nothing on disk."""
        return None

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that exist under this scheme, ``"all"`` included."""
        return ("train", "val", "test", "all")

    @abstractmethod
    def split_ids(self, split: str) -> list[str]:
        """The ids of a split, in the order of its list."""

    @abstractmethod
    def load(self, sample_id: str) -> Sample:
        """Read one sample.

        Raises
        ------
        ImageError, MaskError, AnnotationError
            If it cannot be used; the benchmark then leaves it out for every method.
        """

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of this split."""
        return tuple(self.split_ids(self.split))

    def with_split(self, split: str) -> Dataset:
        """The same data, another split.

        Opened anew, so that a subclass whose constructor takes further arguments must
        pass them on here.
        """
        return type(self)(root=self.root, split=split, scheme=self.scheme or None)

    def _check_scheme(self, scheme: str) -> None:
        if self.info.schemes and scheme not in self.info.schemes:
            raise UnknownNameError(f"split scheme of {self.info.name}", scheme, self.info.schemes)

    def with_conventions(self, conventions: Conventions) -> Dataset:
        """The same data, read by other conventions.

        Raises
        ------
        UsageError
            Of a dataset whose files leave nothing to state, which is the default.
        """
        # That one is of predictions, too.
        stated = [name for name in conventions.stated() if name != "yolo_confidence"]
        if not stated:
            return self
        options = ", ".join(f"--{name.replace('_', '-')}" for name in stated)
        raise UsageError(
            f"{options}: such conventions are stated of a folder of your own data; how "
            f"{self.info.name} is read is fixed. Leave them out."
        )

    def _check_split(self, split: str) -> None:
        if split not in self.splits:
            raise UnknownNameError(f"split of {self.info.name}", split, self.splits)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self.load(sample_id) for sample_id in self.ids[index]]
        return self.load(self.ids[index])

    def __iter__(self) -> Iterator[Sample]:
        for sample_id in self.ids:
            yield self.load(sample_id)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(root={str(self.root) if self.root else None!r}, "
            f"split={self.split!r}, scheme={self.scheme!r})"
        )
