"""Taking a dataset out, in a layout that other tools read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.data.annotations import CocoImage, numbers_of, write_coco, write_yolo
from irbench.data.annotations.labels import CLASS_NAME
from irbench.data.file_names import safe_path
from irbench.data.manifest import usable_samples
from irbench.dataset import Dataset, Sample
from irbench.errors import ImageError, UnknownNameError, UsageError
from irbench.messages.progress import Progress

Format = Literal["yolo", "coco"]
FORMATS: tuple[Format, ...] = ("yolo", "coco")


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes
    ----------
    folder : Path
    n_images : dict of str to int
        Images by split.
    n_boxes : dict of str to int
        Targets by split.
    left_out : dict of str to str
        The reason for each sample that cannot be used, by id.
    missing : str
        Splits that a trainer will ask for, and what can be done; empty if there is none.
    val_made : str
        How a validation split was made; empty if none was.
    n_ignored : dict of str to int
        Ignored regions by split: YOLO has no way to write them, COCO has crowds.
    """

    folder: Path
    n_images: dict[str, int] = field(default_factory=dict)
    n_boxes: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    missing: str = ""
    val_made: str = ""
    n_ignored: dict[str, int] = field(default_factory=dict)


def export(
    dataset: Dataset,
    out: Path | str,
    format: Format = "yolo",
    *,
    splits: Sequence[str] | None = None,
    val_share: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Export:
    """Write images and boxes of a dataset as files for training elsewhere.

    ``yolo``: ``images/SPLIT/ID.png``, ``labels/SPLIT/ID.txt`` and ``data.yaml``.
    ``coco``: ``images/ID.png`` and ``annotations/instances_SPLIT.json``. Pixels keep their
    depth; float and signed images become TIFF, as PNG cannot hold them. An image without
    targets has an empty label file, or no annotations. COCO's image ids are the
    numbers that the samples are called by, else 1, 2, 3 and so on.

    Parameters
    ----------
    dataset : Dataset
    out : path-like
        A new or empty folder. It appears when all is written.
    format : {"yolo", "coco"}
    splits : sequence of str, optional
        By default every split of the dataset but ``"all"``.
    val_share : float, optional
        In (0, 1): so large a part of the training images becomes ``val``, drawn at random, for
        trainers that demand one of a dataset that has none.
    seed : int
        Of that draw.
    progress : Progress, optional
        Says nothing by default.

    Raises
    ------
    UsageError
        If ``out`` holds anything, or is no folder; for ``val_share`` of a dataset that has a
        validation split, or no training split to take it from.
    UnknownNameError
        For an unknown format or split.
    """
    if format not in FORMATS:
        raise UnknownNameError("export format", format, FORMATS)
    out = Path(out).expanduser()
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise UsageError(f"{out} must be a new or an empty folder, got one that holds files.")
    chosen = [name for name in dataset.splits if name != "all"] if splits is None else list(splits)
    parts = {split: dataset.with_split(split) for split in dict.fromkeys(chosen)}
    ids = {split: list(part.ids) for split, part in parts.items()}
    made = ""
    if val_share is not None:
        ids["train"], ids["val"] = draw_validation(ids, val_share, seed)
        parts["val"] = parts["train"]
        made = f"val: {val_share:g} of the training images, drawn at random with the seed {seed}"
    done = Export(out, missing=_missing(ids, format), val_made=made)
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        folder = staging / "export"
        folder.mkdir()
        for split, part in parts.items():
            samples = _counted(split, ids[split], part, done, progress)
            _WRITERS[format](folder, split, ids[split], samples)
        if format == "yolo":
            _write_data_yaml(folder / "data.yaml", parts, made)
        # Takes the place of an empty folder.
        folder.replace(out)
    finally:
        shutil.rmtree(staging)
    return done


def draw_validation(
    ids: Mapping[str, Sequence[str]], share: float, seed: int
) -> tuple[list[str], list[str]]:
    """Part the training images into those to train and to validate on.

    Parameters
    ----------
    ids : mapping of str to sequence of str
        By split.
    share : float
        Of the validation images, in (0, 1); at least one, and not all.
    seed : int

    Returns
    -------
    train, val : list of str
        In the order in which they were.

    Raises
    ------
    UsageError
    """
    if not 0 < share < 1:
        raise UsageError(f"--val-share must lie between 0 and 1, got {share:g}.")
    if "val" in ids:
        raise UsageError("--val-share is for data without a validation split; this has one.")
    train = list(ids.get("train", ()))
    if len(train) < 2:
        raise UsageError(
            f"--val-share takes images of the training split, which has {len(train)}; state one "
            "by train.txt, or export with --split train."
        )
    n_val = min(max(round(share * len(train)), 1), len(train) - 1)
    drawn = set(np.random.default_rng(seed).permutation(len(train))[:n_val].tolist())
    parts: tuple[list[str], list[str]] = ([], [])
    for index, name in enumerate(train):
        parts[index in drawn].append(name)
    return parts


def _missing(ids: Mapping[str, Sequence[str]], form: str) -> str:
    """Which splits a trainer will ask for that are not there, and what can be done."""
    absent = [split for split in ("train", "val") if split not in ids]
    if form != "yolo" or not absent:
        return ""
    advice = "--val-share 0.2 makes one from the training images"
    if "train" in absent:
        advice = "list the images to train and to validate on in train.txt and val.txt"
    return f"there is no {' and no '.join(absent)} split, which trainers demand; {advice}"


def _counted(
    split: str, ids: Sequence[str], part: Dataset, done: Export, progress: Progress | None
) -> Iterator[Sample]:
    """The usable samples of a split, which ``done`` counts as they are written."""
    title = f"writing the {split} split of {part.info.title}"
    for counts in (done.n_images, done.n_boxes, done.n_ignored):
        counts[split] = 0
    for _, sample in usable_samples(part, done.left_out, progress, ids=ids, title=title):
        yield sample
        done.n_images[split] += 1
        done.n_boxes[split] += len(sample.boxes)
        done.n_ignored[split] += len(sample.ignored)


def _write_yolo_split(
    folder: Path, split: str, ids: Sequence[str], samples: Iterable[Sample]
) -> None:
    """Images and label files, each in a folder of the split; of no image the folders alone."""
    images, labels = folder / "images" / split, folder / "labels" / split
    for made in (images, labels):
        made.mkdir(parents=True)
    for sample in samples:
        _write_image(images, sample)
        path = labels / f"{sample.id}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_yolo(path, sample.boxes, sample.shape)


def _write_coco_split(
    folder: Path, split: str, ids: Sequence[str], samples: Iterable[Sample]
) -> None:
    """Images in the folder of all splits, and one file of annotations."""
    numbers = numbers_of(ids) or {name: index for index, name in enumerate(ids, start=1)}
    images: list[CocoImage] = []
    boxes: dict[int | str, NDArray[Any]] = {}
    areas: dict[int | str, NDArray[Any]] = {}
    crowds: dict[int | str, NDArray[Any]] = {}
    for sample in samples:
        number = numbers[sample.id]
        name = _write_image(folder / "images", sample)
        images.append(CocoImage(id=number, file_name=name, shape=sample.shape))
        boxes[number], crowds[number] = sample.boxes, sample.ignored
        if sample.targets is not None and np.array_equal(sample.targets.boxes, sample.boxes):
            areas[number] = sample.targets.areas
    path = folder / "annotations" / f"instances_{split}.json"
    path.parent.mkdir(exist_ok=True)
    write_coco(path, images, boxes, areas, crowds)


_WRITERS = {"yolo": _write_yolo_split, "coco": _write_coco_split}


def _write_image(folder: Path, sample: Sample) -> str:
    import cv2
    import tifffile

    image = sample.image
    in_png = image.dtype in (np.uint8, np.uint16)
    name = safe_path(f"{sample.id}{'.png' if in_png else '.tif'}")
    path = folder.joinpath(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if in_png:
        written, encoded = cv2.imencode(".png", np.ascontiguousarray(image))
        if not written:
            raise ImageError(f"cannot encode the image {sample.id!r} of {image.dtype} pixels.")
        path.write_bytes(encoded.tobytes())
    else:
        # Half precision is no type that other programs read from TIFF.
        tifffile.imwrite(path, image.astype(np.float32) if image.dtype == np.float16 else image)
    return name.as_posix()


def _write_data_yaml(path: Path, splits: Mapping[str, Dataset], made: str) -> None:
    # Without `path`, trainers take the folders relative to this file.
    lines = [f"# {made}"] if made else []
    lines += [f"{split}: images/{split}" for split in splits]
    path.write_text("\n".join([*lines, "names:", f"  0: {CLASS_NAME}", ""]), encoding="utf-8")
