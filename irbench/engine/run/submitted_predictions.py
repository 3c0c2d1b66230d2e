"""Somebody else's detections as a row of a run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from irbench.conventions import YoloConfidence
from irbench.data.predictions import Predictions, read_predictions
from irbench.dataset import Dataset
from irbench.detections import Detections
from irbench.detector import MethodInfo
from irbench.engine.jobs.specs import MethodSpec
from irbench.engine.planning.plan import MethodPlan, RunPlan
from irbench.engine.run.method_outcome import MethodOutcome
from irbench.engine.run.session import VALIDATION, Session
from irbench.engine.run.submitted_name import check_name, slug
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.image_records import ImageRecord
from irbench.engine.storage.parquet_files import write_detections, write_timings
from irbench.engine.storage.results import RunResults, load_run
from irbench.errors import AnnotationError, DetectionsError, UsageError
from irbench.messages.events import Events
from irbench.messages.progress import Progress
from irbench.metrics.ignored_regions import without_ignored, without_ignored_of
from irbench.protocol import Protocol
from irbench.scoring.calibration import Calibration, calibrate

GROUP = "Submitted Predictions"


@dataclass(frozen=True)
class ExternalRow:
    """What is known of somebody else's output.

    Attributes
    ----------
    title : str
        Of the row.
    predictions : Path
        On the tested split.
    validation : Path or None
        On the validation split.
    kind : str or None
        What the files are; None to find it from their content.
    images : Path or None
        The COCO file that numbers the images.
    allow_extra : bool
        Whether predictions of other images are left out; else they are an error.
    threshold : float or None
        The score threshold, where it is given.
    yolo_confidence : {"last", "second"} or None
        Which column of YOLO text is the confidence, where it is stated.
    """

    title: str
    predictions: Path
    validation: Path | None = None
    kind: Any = None
    images: Path | None = None
    allow_extra: bool = False
    threshold: float | None = None
    yolo_confidence: YoloConfidence | None = None


def evaluate_predictions(
    row: ExternalRow,
    plan: RunPlan,
    directory: RunDirectory,
    progress: Progress,
    events: Events | None = None,
) -> RunResults:
    """Score predictions and add their row to a run directory.

    Parameters
    ----------
    row : ExternalRow
    plan : RunPlan
        Dataset, split and protocol; its methods are not run.
    directory : RunDirectory
        A new one, or one of ``irbench run`` on the same data and protocol.
    progress : Progress
    events : Events, optional

    Returns
    -------
    RunResults
        All rows of the directory.

    Raises
    ------
    UsageError
        If a method has the row's name: one that is registered, or one that was run in the
        directory.
    AnnotationError, DetectionsError
        If the predictions cannot be used.
    """
    if plan.protocol.squash is not None:
        raise UsageError(
            f"protocol {plan.protocol.name} measures on squares of {plan.protocol.squash} px; "
            "predictions are of the images as they are, so take --protocol basicirstd."
        )
    name = slug(row.title)
    # Before anything is read, which may take long, or written.
    before = directory.read() or {"methods": {}}
    check_name(row.title, before["methods"], directory)
    dataset = plan.dataset.open(plan.split)
    tested = _read(row, row.predictions, dataset, progress)
    _check_threshold(row, tested, plan.protocol, progress)
    validation = None
    if row.validation is not None:
        part = dataset.with_split(VALIDATION)
        validation = _read(row, row.validation, part, progress)
        _check_comparable(row, tested, validation)
    method = _method(row, tested, validation)
    session = Session(plan, directory, progress, events)
    with session.opened():
        session.write_truths()
        # Again, now that no other process can add a row.
        check_name(row.title, session.run["methods"], directory)
        calibration = _calibration(row, tested, validation, session)
        session.begin(method)
        # No map comes with predictions; what lies there is of something else.
        directory.map_statistics_file(name).unlink(missing_ok=True)
        truths = {truth.id: truth for truth in session.scans[plan.split].truths}
        entries = [
            ImageRecord(
                plan.split,
                image,
                {
                    None: without_ignored(
                        one, truths[image].boxes, truths[image].ignored, plan.protocol
                    )
                },
            )
            for image, one in tested.detections.items()
        ]
        write_detections(directory.detections_file(method.name), entries)
        write_timings(directory.timings_file(method.name), entries, {}, plan.split)
        session.finish(method, MethodOutcome(calibration))
    return load_run(directory.path)


def _read(row: ExternalRow, path: Path, dataset: Dataset, progress: Progress) -> Predictions:
    try:
        return read_predictions(
            path,
            dataset,
            kind=row.kind,
            images=row.images,
            allow_extra=row.allow_extra,
            yolo_confidence=row.yolo_confidence,
            progress=progress,
        )
    except (AnnotationError, DetectionsError) as error:
        raise type(error)(f"{row.title}: {error}") from None


def _check_threshold(
    row: ExternalRow, tested: Predictions, protocol: Protocol, progress: Progress
) -> None:
    """Refuse a threshold on another scale than the scores, such as percent or grey levels."""
    threshold = row.threshold if row.threshold is not None else protocol.fixed_threshold
    scores = np.concatenate([one.scores for one in tested.detections.values()])
    if threshold is None or not scores.size or scores.max() >= np.float32(threshold):
        return
    reached = f"the {scores.size} scores reach from {scores.min():.4g} to {scores.max():.4g}"
    if threshold > 1 >= scores.max():
        raise UsageError(
            f"--threshold must be on the scale of the scores, got {threshold:g}: {reached}."
        )
    progress.warn(f"{row.title}: nothing is kept at the threshold {threshold:g}: {reached}")


def _check_comparable(row: ExternalRow, tested: Predictions, validation: Predictions) -> None:
    """Refuse a threshold for scores of one scale that is chosen on scores of another."""
    if tested.kind == "mask" or _form(tested) == _form(validation):
        return
    raise DetectionsError(
        f"{row.title}: expected --validation to hold what --predictions hold, "
        f"{_form(tested)}, got {_form(validation)} in {row.validation}; give both in one form "
        "(--kind states it for both, where it was found from the values)."
    )


def _form(found: Predictions) -> str:
    if found.kind in ("mask", "probability"):
        return {"mask": "masks", "probability": "probability maps"}[found.kind]
    return "boxes with scores" if found.has_scores else "boxes without scores"


def _method(row: ExternalRow, found: Predictions, validation: Predictions | None) -> MethodPlan:
    notes = list(found.notes)
    if validation is not None and validation.missing and found.kind != "mask":
        n_missing, n_images = len(validation.missing), len(validation.detections)
        notes.append(
            f"{n_missing} of {n_images} validation images have no prediction and count as "
            "images without detections"
        )
    if found.kind == "mask":
        notes.append("binary masks: every score is 1 and AP is a single point of the curve")
    info = MethodInfo(
        name=slug(row.title),
        title=row.title,
        group=GROUP,
        year=0,
        reference="",
        note="; ".join(notes),
    )
    facts = {"predictions": found.kind, "content": _content_hash(found.detections)}
    kind: Any = "segmentation" if found.kind in ("mask", "probability") else "box"
    return MethodPlan(MethodSpec(info.name), info, kind, facts, "")


def _calibration(
    row: ExternalRow, tested: Predictions, validation: Predictions | None, session: Session
) -> Calibration:
    if row.threshold is not None:
        return Calibration(None, row.threshold, "given")
    if tested.kind == "mask":
        # Nothing to choose: the authors have kept what they kept.
        return Calibration(None, 1.0, "binary")
    if validation is None:
        return Calibration(None, None, "none")
    scan = session.scans.get(VALIDATION)
    if scan is None:
        raise UsageError(
            "--validation goes with a dataset and protocol that have a validation split."
        )
    images = [validation.detections[truth.id] for truth in scan.truths]
    counted = without_ignored_of(images, scan.truths, session.plan.protocol)
    return calibrate({None: counted}, scan.truths, session.plan.protocol)


def _content_hash(detections: Any) -> str:
    digest = hashlib.sha256()
    one: Detections
    for name, one in sorted(detections.items()):
        digest.update(name.encode())
        digest.update(one.boxes.tobytes() + one.scores.tobytes())
        if one.regions is not None:
            digest.update(one.regions.runs.tobytes())
    return digest.hexdigest()[:16]
