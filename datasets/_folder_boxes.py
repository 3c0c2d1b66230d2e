"""The boxes of one image of a folder: read by its layout, and sorted by what their classes are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from irbench.conventions import Conventions
from irbench.data.annotations import BoxLabels, read_labelme, read_voc, read_yolo
from irbench.data.annotations.box_order import yolo_contradiction
from irbench.data.annotations.voc_survey import UNPROVEN, VocSurvey, survey_voc
from irbench.data.yolo_columns import rows_of
from irbench.detections.boxes import without_repeats
from irbench.errors import AnnotationError, UnknownNameError, UsageError

from ._folder_pairing import Index

_TITLES = {"coco": "COCO", "cvat": "CVAT"}

_N_SURVEYED = 2000
"""So many label files are looked at for the order of their numbers."""

CROWD = (
    "a crowd (iscrowd) is ignored: detections in it are no false alarms; CVAT and Datumaro call "
    "every drawn mask one, which an export as CVAT for images keeps as a target"
)


@dataclass(frozen=True, eq=False)
class SortedBoxes:
    """The boxes of one image by what they are.

    Attributes
    ----------
    targets, ignored : (N, 4) ndarray of float32
    counts : dict of str to int
        Labels of each class, those included that are neither.
    notes : tuple of str
    """

    targets: NDArray[np.float32]
    ignored: NDArray[np.float32]
    counts: dict[str, int]
    notes: tuple[str, ...]


class FolderBoxes:
    """Reads the boxes of a folder whose labels are boxes.

    Attributes
    ----------
    conventions : Conventions
        With names of classes where numbers were stated.
    """

    def __init__(self, root: Path, index: Index, conventions: Conventions) -> None:
        self.root, self.index = root, index
        classes, ignored = (
            None if stated is None else tuple(index.class_names.get(one, one) for one in stated)
            for stated in (conventions.classes, conventions.ignore_classes)
        )
        self.conventions = replace(conventions, classes=classes, ignore_classes=ignored)

    def read(self, sample_id: str, shape: tuple[int, int]) -> SortedBoxes:
        """The boxes of one image.

        Parameters
        ----------
        sample_id : str
        shape : (int, int)
            Height and width of the image.

        Raises
        ------
        AnnotationError
        """
        notes = self._check_voc() if self.index.layout == "voc" else ()
        if self._wrong_order:
            raise AnnotationError(self._wrong_order)
        labels = self._read(sample_id, shape)
        found = self._sort(labels)
        return replace(found, notes=(*found.notes, *notes)) if len(labels) else found

    def check_classes(self) -> None:
        """Refuse classes that were stated and that no label has.

        Raises
        ------
        UsageError
            In masks too, which have no classes.
        """
        stated = (*(self.conventions.classes or ()), *(self.conventions.ignore_classes or ()))
        if not stated:
            return
        if self.index.layout == "masks":
            raise UsageError(
                f"--classes and --ignore-classes are of box labels; {self.root} is read as masks. "
                "Leave them out, or state another --layout."
            )
        known = self.known_classes
        for name in stated:
            if name not in known:
                raise UnknownNameError(f"class of {self.root}", name, known)

    @cached_property
    def known_classes(self) -> set[str]:
        """The classes that occur, or that a file of names lists."""
        if self.index.layout == "voc":
            return self._survey.classes
        found = set(self.index.class_names.values())
        for sample_id in self.index.ids:
            try:
                found |= {self._name(one) for one in self._read(sample_id, None).classes}
            # Its turn comes when the image is read.
            except AnnotationError:
                continue
        return found

    def label(self, sample_id: str) -> Path:
        """The label file of an image.

        Raises
        ------
        AnnotationError
            If it has none.
        """
        path = self.index.labels.get(sample_id)
        if path is not None:
            return path
        raise AnnotationError(
            f"the image {self.index.images[sample_id]} has no labels: expected "
            f"{missing_label(self.index, sample_id)}; an image without targets needs an empty file."
        )

    @cached_property
    def _wrong_order(self) -> str:
        """What proves that YOLO labels are corners, as an error; empty if nothing does."""
        if self.index.layout != "yolo":
            return ""
        rows, example = rows_of(islice(self.index.labels.values(), _N_SURVEYED), 5)
        found = yolo_contradiction(rows[:, 1:])
        return f"{example}: expected 'class cx cy w h': {found}." if found else ""

    @cached_property
    def _survey(self) -> VocSurvey:
        return survey_voc(self.index.labels.values())

    def _check_voc(self) -> tuple[str, ...]:
        """Refuse a convention that one of the files rules out, for all of them; else a note."""
        origin, inclusive = self.conventions.voc_origin, self.conventions.voc_inclusive
        if origin is not None and inclusive is not None:
            return ()
        if contradiction := self._survey.contradiction(origin, inclusive):
            raise AnnotationError(f"{contradiction}.")
        proven = self._survey.proves_standard or origin is not None or inclusive is not None
        return () if proven else (UNPROVEN,)

    def _name(self, text: str) -> str:
        return self.index.class_names.get(text, text)

    def _sort(self, labels: BoxLabels) -> SortedBoxes:
        roles = [self.conventions.role_of(self._name(one)) for one in labels.classes]
        crowd = np.zeros(len(labels), bool) if labels.crowd is None else labels.crowd
        ignored = np.array([role == "ignored" for role in roles], dtype=bool) | crowd
        targets = np.array([role == "target" for role in roles], dtype=bool) & ~crowd
        boxes, repeated = without_repeats(labels.boxes[targets])
        counts = Counter(map(self._name, labels.classes))
        notes = (*labels.notes, *repeated, *((CROWD,) if crowd.any() else ()))
        return SortedBoxes(boxes, labels.boxes[ignored], dict(counts), notes)

    def _read(self, sample_id: str, shape: tuple[int, int] | None) -> BoxLabels:
        layout, stated = self.index.layout, self.conventions
        if layout == "yolo":
            # Fractions mean the same classes whatever the size.
            return read_yolo(
                self.label(sample_id),
                shape or (1_000_000, 1_000_000),
                confidence=stated.yolo_confidence or "last",
            )
        if layout == "labelme":
            return read_labelme(self.label(sample_id), shape)
        if layout == "voc":
            return read_voc(
                self.label(sample_id),
                shape,
                origin=1 if stated.voc_origin is None else stated.voc_origin,
                inclusive=stated.voc_inclusive is not False,
            )
        return self._read_listed(sample_id, shape)

    def _read_listed(self, sample_id: str, shape: tuple[int, int] | None) -> BoxLabels:
        if sample_id not in self.index.coco:
            raise AnnotationError(
                f"no {_TITLES[self.index.layout]} file of {self.root} lists the image "
                f"{self.index.images[sample_id]}; an image without targets must be listed too."
            )
        if sample_id in self.index.damaged:
            raise self.index.damaged[sample_id]
        listed, labels = self.index.coco[sample_id]
        if shape is not None and listed.shape not in ((0, 0), shape):
            raise AnnotationError(
                f"the {_TITLES[self.index.layout]} file of {self.root} says that "
                f"{listed.file_name} has the shape {listed.shape}, got {shape}."
            )
        return labels


def missing_label(index: Index, sample_id: str) -> str:
    """What the label file of an image that has none would be called, and where it would lie."""
    example = next(iter(index.labels.values()))
    return f"{sample_id}{index.suffix}{example.suffix} beside {example}"
