"""Taking a dataset out, in a layout that other tools read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.data.annotations import CocoImage, numbers_of, write_coco, write_yolo
from irbench.data.annotations.labels import CLASS_NAME
from irbench.data.member_names import safe_path
from irbench.dataset import Dataset, Sample
from irbench.errors import AnnotationError, ImageError, MaskError, UnknownNameError, UsageError
from irbench.progress import Progress

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
    """

    folder: Path
    n_images: dict[str, int] = field(default_factory=dict)
    n_boxes: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def export(
    dataset: Dataset,
    out: Path | str,
    format: Format = "yolo",
    *,
    splits: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Export:
    """Write images and boxes of a dataset as files for training elsewhere.

    ``yolo``: ``images/SPLIT/ID.png``, ``labels/SPLIT/ID.txt`` and ``data.yaml``.
    ``coco``: ``images/ID.png`` and ``annotations/instances_SPLIT.json``. Pixels keep their
    depth; float images become TIFF, as PNG cannot hold them. An image without
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
    progress : Progress, optional
        Says nothing by default.

    Returns
    -------
    Export

    Raises
    ------
    UsageError
        If ``out`` holds anything, or is no folder.
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
    done = Export(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        folder = staging / "export"
        folder.mkdir()
        for split, part in parts.items():
            writer = _WRITERS[format](folder, split, part.ids)
            _write_split(part, writer, done, progress or Progress())
        if format == "yolo":
            _write_data_yaml(folder / "data.yaml", parts)
        # Takes the place of an empty folder.
        folder.replace(out)
    finally:
        shutil.rmtree(staging)
    return done


def _write_split(
    part: Dataset, writer: _YoloWriter | _CocoWriter, done: Export, progress: Progress
) -> None:
    n_images = n_boxes = 0
    title = f"writing the {part.split} split of {part.info.title}"
    with progress.track(title, len(part.ids)) as advance:
        for sample_id in part.ids:
            try:
                sample = part.load(sample_id)
            except (ImageError, MaskError, AnnotationError) as error:
                done.left_out[sample_id] = str(error)
            else:
                writer.add(sample)
                n_images, n_boxes = n_images + 1, n_boxes + len(sample.boxes)
            advance()
    writer.finish()
    done.n_images[part.split], done.n_boxes[part.split] = n_images, n_boxes


class _YoloWriter:
    """Images and labels of one split, each in a folder of its own."""

    def __init__(self, folder: Path, split: str, ids: Sequence[str]) -> None:
        self.images, self.labels = folder / "images" / split, folder / "labels" / split
        for made in (self.images, self.labels):
            made.mkdir(parents=True)

    def add(self, sample: Sample) -> None:
        _write_image(self.images, sample)
        path = self.labels / f"{sample.id}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_yolo(path, sample.boxes, sample.shape)

    def finish(self) -> None:
        """Nothing is left to write."""


class _CocoWriter:
    """Images in one folder, and one file of annotations a split."""

    def __init__(self, folder: Path, split: str, ids: Sequence[str]) -> None:
        self.folder = folder / "images"
        self.path = folder / "annotations" / f"instances_{split}.json"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        numbers = numbers_of(ids) or {name: index for index, name in enumerate(ids, start=1)}
        self.numbers = numbers
        self.images: list[CocoImage] = []
        self.boxes: dict[int | str, NDArray[Any]] = {}
        self.areas: dict[int | str, NDArray[Any]] = {}

    def add(self, sample: Sample) -> None:
        number = self.numbers[sample.id]
        name = _write_image(self.folder, sample)
        self.images.append(CocoImage(id=number, file_name=name, shape=sample.shape))
        self.boxes[number] = sample.boxes
        if sample.targets is not None and np.array_equal(sample.targets.boxes, sample.boxes):
            self.areas[number] = sample.targets.areas

    def finish(self) -> None:
        write_coco(self.path, self.images, self.boxes, self.areas)


_WRITERS: Mapping[str, type[_YoloWriter] | type[_CocoWriter]] = {
    "yolo": _YoloWriter,
    "coco": _CocoWriter,
}


def _write_image(folder: Path, sample: Sample) -> str:
    import cv2

    is_float = sample.image.dtype.kind == "f"
    name = safe_path(f"{sample.id}{'.tif' if is_float else '.png'}")
    path = folder.joinpath(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = sample.image.astype(np.float32) if sample.image.dtype == np.float16 else sample.image
    written, encoded = cv2.imencode(path.suffix, np.ascontiguousarray(stored))
    if not written:
        raise ImageError(f"cannot encode the image {sample.id!r} of {sample.image.dtype} pixels.")
    path.write_bytes(encoded.tobytes())
    return name.as_posix()


def _write_data_yaml(path: Path, splits: Mapping[str, Dataset]) -> None:
    # Without `path`, trainers take the folders relative to this file.
    lines = [f"{split}: images/{split}" for split in splits]
    path.write_text("\n".join([*lines, "names:", f"  0: {CLASS_NAME}", ""]), encoding="utf-8")
