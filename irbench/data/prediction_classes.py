"""Predictions of several classes, where the dataset's conventions choose among its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from irbench.conventions import Conventions
from irbench.data.annotations import BoxLabels
from irbench.detections import Detections
from irbench.errors import DetectionsError


def detections_of_targets(
    labels: Mapping[str, BoxLabels], conventions: Conventions, class_names: Mapping[str, str]
) -> tuple[dict[str, Detections], list[str]]:
    """Predicted boxes as detections, those of classes that are no targets left out.

    As in COCO's evaluation, where the detections of a class do not count for another: where
    ``classes`` or ``ignore_classes`` are stated, predictions of other classes than the targets'
    are left out, if they are called as the labels call them. Where nothing is stated, all count.

    Parameters
    ----------
    labels : mapping of str to BoxLabels
        Predictions by image.
    conventions : Conventions
    class_names : mapping of str to str
        Names of the dataset's classes by their numbers.

    Returns
    -------
    detections : dict of str to Detections
        By image.
    notes : list of str
        What was left out.

    Raises
    ------
    DetectionsError
        If all are left out.
    """
    if not (conventions.classes or conventions.ignore_classes):
        return {name: _with_scores(one) for name, one in labels.items()}, []
    dropped: Counter[str] = Counter()
    found = {}
    for image, predicted in labels.items():
        names = [class_names.get(one, one) for one in predicted.classes]
        # A prediction without a class is of any.
        keep = [not name or conventions.role_of(name) == "target" for name in names]
        dropped.update(name for name, is_target in zip(names, keep, strict=True) if not is_target)
        found[image] = _with_scores(predicted).take(np.flatnonzero(keep))
    if not dropped:
        return found, []
    shown = ", ".join(f"{name}: {n}" for name, n in dropped.most_common())
    if not any(map(len, found.values())):
        wanted = ", ".join(conventions.classes or ("all but the ignored ones",))
        raise DetectionsError(
            f"all predictions are of classes that are no targets ({shown}); targets are {wanted}. "
            "Number the classes of the predictions as the labels do, or state other --classes."
        )
    return found, [f"predictions of classes that are no targets are left out ({shown})"]


def _with_scores(labels: BoxLabels) -> Detections:
    """Boxes with their scores; 1 where there are none."""
    scores = np.ones(len(labels)) if labels.scores is None else labels.scores
    return Detections(labels.boxes, scores)
