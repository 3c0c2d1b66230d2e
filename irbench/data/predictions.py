"""Somebody else's output, read to be scored: masks, probability maps, YOLO text, COCO JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from irbench.conventions import YoloConfidence
from irbench.data.annotations import BoxLabels, numbers_of, read_yolo
from irbench.data.coco_predictions import read_coco_predictions
from irbench.data.manifest import usable_samples
from irbench.data.prediction_classes import detections_of_targets
from irbench.data.prediction_files import (
    ENDINGS,
    ForeignNamesError,
    list_predictions,
    match_files,
    split_of_names,
)
from irbench.data.prediction_maps import MapKind, kind_of_maps, read_detections
from irbench.data.yolo_columns import check_columns
from irbench.dataset import Dataset
from irbench.detections import Detections
from irbench.errors import (
    AnnotationError,
    DetectionsError,
    IrbenchError,
    MissingDataError,
    UnknownNameError,
)
from irbench.messages.progress import Progress

Kind = Literal["mask", "probability", "yolo", "coco"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Shape = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What somebody's files claim.

    Attributes
    ----------
    detections : mapping of str to Detections
        For every readable sample of the split, in its order. Those without a
        prediction have no detections.
    kind : {"mask", "probability", "yolo", "coco"}
        As given, or found from the files.
    missing : tuple of str
        Samples without a prediction.
    left_out : mapping of str to str
        The reason for each sample of the dataset that cannot be used.
    notes : tuple of str
        What else a person should know, one clause each.
    has_scores : bool
        Whether the files say how sure each detection is; those of masks, and of boxes without
        confidences, all have the score 1.
    """

    detections: Mapping[str, Detections]
    kind: Kind
    missing: tuple[str, ...]
    left_out: Mapping[str, str]
    notes: tuple[str, ...]
    has_scores: bool = True


def read_predictions(
    path: Path | str,
    dataset: Dataset,
    *,
    kind: Kind | None = None,
    images: Path | str | None = None,
    allow_extra: bool = False,
    yolo_confidence: YoloConfidence | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """Read the output of somebody else's detector.

    Predictions of another split of the dataset are refused, and the split is named.

    Parameters
    ----------
    path : path-like
        A folder of mask images; of probability images (8 or 16 bit, the full range
        is 1) or ``.npy``; of YOLO text with confidences; or a COCO JSON file: a list
        of results, or a data set.
    dataset : Dataset
        The split that was predicted. Files are matched to its ids by name, as
        :func:`irbench.data.prediction_files.match_names` says.
    kind : {"mask", "probability", "yolo", "coco"}, optional
        By default found from the files; images by
        :func:`irbench.data.prediction_maps.kind_of_maps`.
    images : path-like, optional
        The COCO data set whose image ids the results use. By default these are the
        dataset's ids, or the numbers that they are.
    allow_extra : bool
        Whether predictions of images that are not in the split are left out;
        otherwise they are an error.
    yolo_confidence : {"last", "second"}, optional
        Which column of YOLO text is the confidence; by default as the dataset's conventions
        state, else the last.
    progress : Progress, optional
        Says nothing by default.

    Returns
    -------
    Predictions
        Where conventions of the dataset state classes, without the detections of others.

    Raises
    ------
    MissingDataError
        If there is no such file or folder, or nothing in it.
    DetectionsError, ImageError
        If a prediction cannot be read, is of another size than its image, or
        belongs to no image, or two belong to one.
    AnnotationError
        For malformed YOLO or COCO labels.
    UnknownNameError
        For an unknown kind.
    """
    if kind is not None and kind not in KINDS:
        raise UnknownNameError("kind of predictions", kind, KINDS)
    try:
        return _read(
            Path(path).expanduser(), dataset, kind, images, allow_extra, yolo_confidence, progress
        )
    except ForeignNamesError as error:
        raise DetectionsError(f"{error}{_split_hint(dataset, error.names)}") from None


def _split_hint(dataset: Dataset, names: Sequence[str]) -> str:
    """Of which other split predictions are; empty where of none."""
    ids: dict[str, set[str]] = {}
    for split in dataset.splits:
        if split not in (dataset.split, "all"):
            try:
                known = dataset.split_ids(split)
            except (IrbenchError, OSError):
                continue
            # COCO files call an image by the number in its name, too.
            ids[split] = {*known, *map(str, (numbers_of(known) or {}).values())}
    split, count = split_of_names(names, ids)
    if not split:
        return ""
    return (
        f" {count} of these {len(names)} are of the split {split!r} of {dataset.info.title}: name "
        "the split that was predicted by --split."
    )


def _read(
    path: Path,
    dataset: Dataset,
    kind: Kind | None,
    images: Path | str | None,
    allow_extra: bool,
    yolo_confidence: YoloConfidence | None,
    progress: Progress | None,
) -> Predictions:
    form, files = _find(path, kind)
    labels: Mapping[str, BoxLabels] = {}
    shapes, left_out = _read_shapes(dataset, progress)
    if form == "coco":
        found_kind: Kind = "coco"
        jsons = None if images is None else Path(images)
        labels, notes = read_coco_predictions(
            files[0], shapes, left_out, jsons, allow_extra, dataset.image_numbers
        )
        found, more = detections_of_targets(labels, dataset.conventions, dataset.class_names)
    else:
        folder = path if path.is_dir() else path.parent
        matched, notes = match_files(files, folder, [*shapes, *left_out], allow_extra)
        readable = {name: matched[name] for name in shapes if name in matched}
        if form == "yolo":
            found_kind = "yolo"
            column = yolo_confidence or dataset.conventions.yolo_confidence
            labels, more = _read_yolo_files(readable, shapes, column)
            found, others = detections_of_targets(labels, dataset.conventions, dataset.class_names)
            more += others
        else:
            found_kind, more = _kind_of_maps(readable.values(), kind)
            found = {
                name: read_detections(f, found_kind, shapes[name]) for name, f in readable.items()
            }
    notes += more
    missing = tuple(name for name in shapes if name not in found)
    if missing:
        share = f"{len(missing)} of {len(shapes)} images"
        notes.append(f"{share} have no prediction and count as images without detections")
    has_regions = found_kind in ("mask", "probability")
    detections = {
        name: found.get(name, Detections.empty(shape if has_regions else None))
        for name, shape in shapes.items()
    }
    has_scores = found_kind != "mask" and all(
        one.scores is not None for one in labels.values() if len(one)
    )
    return Predictions(detections, found_kind, missing, left_out, tuple(notes), has_scores)


def _find(path: Path, kind: Kind | None) -> tuple[str, list[Path]]:
    """The form of the predictions, a key of ``ENDINGS``, and their files."""
    if not path.exists():
        raise MissingDataError(f"there are no predictions at {path}: no such file or folder.")
    wanted = None if kind is None else kind if kind in ENDINGS else "maps"
    if path.is_dir():
        found = list_predictions(path)
    else:
        found = {form: [path] for form, ends in ENDINGS.items() if path.suffix.lower() in ends}
    if wanted is not None:
        found = {form: files for form, files in found.items() if form == wanted}
    if not found:
        endings = [end for form in ENDINGS if wanted in (None, form) for end in ENDINGS[form]]
        raise MissingDataError(
            f"{path} holds no predictions: expected files of {endings}{_others(path)}."
        )
    if len(found) > 1:
        counts = ", ".join(f"{len(files)} {form}" for form, files in found.items())
        raise DetectionsError(f"{path} holds files of several kinds ({counts}); say which kind.")
    form, files = next(iter(found.items()))
    if form == "coco" and len(files) > 1:
        raise DetectionsError(
            f"{path} holds {len(files)} JSON files, such as {files[0].name} and {files[1].name}; "
            "name the one to be read."
        )
    return form, files


_ARRAYS = (".mat", ".npz", ".h5", ".hdf5", ".pt", ".pth", ".pkl")
"""Endings of files that may hold predictions as arrays, and are not read."""


def _others(path: Path) -> str:
    """What is there in place of predictions, and what to do with it, as a clause."""
    files = path.rglob("*") if path.is_dir() else [path]
    found = sorted({file.suffix.lower() for file in files if file.is_file()})
    if not found:
        return ", got no file"
    advice = "; write each array to a .npy of its own" if set(found) & set(_ARRAYS) else ""
    return f", got files of {found[:5]}{advice}"


def _read_shapes(
    dataset: Dataset, progress: Progress | None
) -> tuple[dict[str, Shape], dict[str, str]]:
    left_out: dict[str, str] = {}
    title = f"reading the images of {dataset.info.title}"
    samples = usable_samples(dataset, left_out, progress, title=title)
    return {sample_id: sample.shape for sample_id, sample in samples}, left_out


def _kind_of_maps(files: Iterable[Path], kind: Kind | None) -> tuple[MapKind, list[str]]:
    if kind == "mask" or kind == "probability":
        return kind, []
    decided, seen = kind_of_maps(files)
    return decided, [f"read as {decided}, by the values of all files: {seen}"]


def _read_yolo_files(
    files: Mapping[str, Path], shapes: Mapping[str, Shape], column: YoloConfidence | None
) -> tuple[dict[str, BoxLabels], list[str]]:
    checked = check_columns(files.values(), column)
    labels = {
        name: read_yolo(f, shapes[name], overhang=True, confidence=column or "last")
        for name, f in files.items()
    }
    scored = [name for name, found in labels.items() if len(found) and found.scores is not None]
    plain = [name for name, found in labels.items() if len(found) and found.scores is None]
    if scored and plain:
        raise AnnotationError(
            f"expected a confidence on the lines of every file or of none, got them in "
            f"{files[scored[0]]} and not in {files[plain[0]]}."
        )
    notes = ["there are no confidences: every score is 1"] if plain else []
    return labels, [*notes, *checked]
