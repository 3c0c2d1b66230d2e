"""Predictions of several classes, where the dataset's conventions choose among its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from irbench.conventions import Conventions
from irbench.data.annotations import BoxLabels
from irbench.data.coco_predictions import to_detections
from irbench.detections import Detections
from irbench.errors import DetectionsError


@dataclass(frozen=True)
class ClassChoice:
    """Which predictions count, by their classes.

    As in COCO's evaluation, where the detections of a class do not count for another: where
    ``classes`` or ``ignore_classes`` are stated, predictions of other classes than the targets'
    are left out, if they are called as the labels call them. Where nothing is stated, all count.

    Parameters
    ----------
    conventions : Conventions
    class_names : mapping of str to str
        Names of the dataset's classes by their numbers.
    """

    conventions: Conventions
    class_names: Mapping[str, str]

    def detections(
        self, labels: Mapping[str, BoxLabels]
    ) -> tuple[dict[str, Detections], list[str]]:
        """The detections that count, by image, and notes of what does not.

        Raises
        ------
        DetectionsError
            If none would be left.
        """
        stated = self.conventions.classes or self.conventions.ignore_classes
        if not stated:
            return {name: to_detections(one) for name, one in labels.items()}, []
        dropped: Counter[str] = Counter()
        found = {name: to_detections(self._chosen(one, dropped)) for name, one in labels.items()}
        if not dropped:
            return found, []
        shown = ", ".join(f"{name}: {n}" for name, n in dropped.most_common())
        if not any(map(len, found.values())):
            wanted = ", ".join(self.conventions.classes or ("all but the ignored ones",))
            raise DetectionsError(
                f"all predictions are of classes that are no targets ({shown}); targets are "
                f"{wanted}. Number the classes of the predictions as the labels do, or state other "
                "--classes."
            )
        return found, [f"predictions of classes that are no targets are left out ({shown})"]

    def _chosen(self, labels: BoxLabels, dropped: Counter[str]) -> BoxLabels:
        names = [self.class_names.get(one, one) for one in labels.classes]
        # A prediction without a class is of any.
        counts = np.array(
            [not name or self.conventions.role_of(name) == "target" for name in names], dtype=bool
        )
        dropped.update(name for name, keep in zip(names, counts, strict=True) if not keep)
        return replace(
            labels,
            boxes=labels.boxes[counts],
            classes=tuple(one for one, keep in zip(labels.classes, counts, strict=True) if keep),
            scores=None if labels.scores is None else labels.scores[counts],
        )
