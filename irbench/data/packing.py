"""A dataset in one file, for a machine that the images themselves are not on.

A zip archive of images compressed without loss, masks of one bit a pixel, and ``dataset.json``
with everything else. Opened, it is the dataset that it was made of: the same name, scheme, ids
and pixels, so that manifests, cards of weights and the guard against leaks are the same.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from irbench.atomic import replacing
from irbench.data.manifest import UNUSABLE
from irbench.dataset import Dataset, DatasetInfo, Sample
from irbench.errors import MissingDataError, UnknownNameError, UsageError
from irbench.messages.progress import Progress
from irbench.plugins.registry import PACKED_SUFFIX

SCHEMA = 1

_CONTENT = "dataset.json"
_ERRORS = {one.__name__: one for one in UNUSABLE}
_LOSSLESS = 101
"""Of OpenCV's quality of WebP."""


@dataclass(frozen=True)
class PackedFile:
    """What was written.

    Attributes
    ----------
    path : Path
    n_images : int
    n_left_out : int
        Of them, the samples that cannot be used; they are so in the packed dataset, too.
    n_bytes : int
    """

    path: Path
    n_images: int
    n_left_out: int
    n_bytes: int


def pack(
    dataset: Dataset,
    path: Path,
    splits: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> PackedFile:
    """Write some splits of a dataset as one file.

    Parameters
    ----------
    dataset : Dataset
    path : Path
        Ends in ``.irpack``; replaced atomically.
    splits : sequence of str, optional
        By default all that it has.
    progress : Progress, optional

    Raises
    ------
    UsageError
        For another ending, or no split.
    UnknownNameError
        For a split that the dataset does not have.
    """
    if path.suffix != PACKED_SUFFIX:
        raise UsageError(f"a packed dataset is written as NAME{PACKED_SUFFIX}, got {path.name}.")
    known = [split for split in dataset.splits if split != "all"]
    chosen = list(dict.fromkeys(known if splits is None else splits))
    for split in chosen:
        if split not in known:
            raise UnknownNameError(f"split of {dataset.info.name}", split, known)
    # A dataset that is not split has nothing but "all".
    parts = {split: list(dataset.split_ids(split)) for split in chosen}
    every = list(dict.fromkeys(name for ids in parts.values() for name in ids))
    if not known:
        every = list(dataset.split_ids("all"))
    if not every:
        raise UsageError(f"{dataset.info.name} has no image in {', '.join(chosen) or 'it'}.")
    samples: list[dict[str, Any]] = []
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        title = f"packing {dataset.info.title}"
        with (progress or Progress()).track(title, len(every)) as advance:
            for number, sample_id in enumerate(every):
                samples.append(_packed(dataset, sample_id, str(number), archive))
                advance()
        content = {
            "schema": SCHEMA,
            "info": asdict(dataset.info),
            "scheme": dataset.scheme,
            "class_names": dict(dataset.class_names),
            "splits": parts,
            "samples": samples,
        }
        archive.writestr(_CONTENT, json.dumps(content), zipfile.ZIP_DEFLATED)
    n_left_out = sum("error" in one for one in samples)
    return PackedFile(path, len(every), n_left_out, path.stat().st_size)


def _packed(
    dataset: Dataset, sample_id: str, name: str, archive: zipfile.ZipFile
) -> dict[str, Any]:
    """Write the pixels of a sample; the rest of it as JSON."""
    try:
        sample = dataset.load(sample_id)
    except UNUSABLE as error:
        return {"id": sample_id, "error": str(error), "kind": type(error).__name__}
    image = _encode(sample.image)
    archive.writestr(name, image)
    found: dict[str, Any] = {"id": sample_id, "image": name, "shape": list(sample.shape)}
    if sample.mask is not None:
        archive.writestr(f"{name}.mask", zlib.compress(np.packbits(sample.mask).tobytes(), 9))
        found["mask"] = f"{name}.mask"
    if sample.targets is None or not np.array_equal(sample.boxes, sample.targets.boxes):
        found["boxes"] = sample.boxes.tolist()
    if sample.value_range is not None:
        found["value_range"] = list(sample.value_range)
    if len(sample.ignored):
        found["ignored"] = sample.ignored.tolist()
    for field in ("n_odd", "notes", "label_counts"):
        if value := getattr(sample, field):
            found[field] = dict(value) if isinstance(value, Mapping) else value
    return found


def _encode(image: NDArray[Any]) -> bytes:
    """An image without loss: as WebP or PNG where these hold its type, else its bytes deflated."""
    tries: list[tuple[str, list[int]]] = []
    if image.dtype == np.uint8:
        tries.append((".webp", [cv2.IMWRITE_WEBP_QUALITY, _LOSSLESS]))
    if image.dtype in (np.uint8, np.uint16):
        tries.append((".png", [cv2.IMWRITE_PNG_COMPRESSION, 9]))
    for suffix, options in tries:
        try:
            is_done, encoded = cv2.imencode(suffix, image, options)
        except cv2.error:  # sides that the format does not have
            continue
        content = bytes(encoded) if is_done else b""
        again = _decode_picture(content, image.dtype) if is_done else None
        if again is not None and np.array_equal(again, image):
            return content
    header = f"{image.dtype.str} {image.shape[0]} {image.shape[1]}\n".encode()
    return header + zlib.compress(np.ascontiguousarray(image).tobytes(), 9)


def _decode_picture(content: bytes, dtype: np.dtype[Any] | None) -> NDArray[Any] | None:
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or (dtype is not None and found.dtype != dtype):
        return None
    return found if found.ndim == 2 else np.ascontiguousarray(found[..., 0])


def _decode(content: bytes) -> NDArray[Any]:
    if content[:4] == b"RIFF" or content[:4] == b"\x89PNG":
        image = _decode_picture(content, None)
        if image is None:
            raise ValueError("an image cannot be decoded")
        return image
    header, _, rest = content.partition(b"\n")
    kind, height, width = header.decode("ascii").split()
    pixels = np.frombuffer(zlib.decompress(rest), np.dtype(kind))
    return pixels.reshape(int(height), int(width)).copy()


class PackedDataset(Dataset):
    """A dataset as :func:`pack` wrote it.

    Parameters
    ----------
    root : path-like
        The file.
    split : {"train", "val", "test", "all"}
        Of those that are in it.
    scheme : str, optional
        Must be that of the file.

    Raises
    ------
    MissingDataError
        If the file is not there, or is none.
    UnknownNameError
        For a split or scheme that is not in it.
    """

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="packed", title="A packed dataset", reference="its own"
    )

    def __init__(
        self, root: Path | str | None = None, split: str = "test", scheme: str | None = None
    ) -> None:
        self.root = Path(root or "")
        try:
            with zipfile.ZipFile(self.root) as archive:
                content = json.loads(archive.read(_CONTENT))
            if content["schema"] != SCHEMA:
                raise MissingDataError(
                    f"{root} is of schema {content['schema']}, this irbench reads {SCHEMA}; pack "
                    "it again."
                )
            info = {**content["info"], "schemes": tuple(content["info"]["schemes"])}
            # Of this object, not of the class: two files are of two datasets.
            self.__dict__["info"] = DatasetInfo(**info)
            self._class_names: dict[str, str] = content["class_names"]
            self._samples = {one["id"]: one for one in content["samples"]}
            self._splits: dict[str, list[str]] = content["splits"]
            self.scheme = content["scheme"]
        except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
            raise MissingDataError(
                f"{root} cannot be read as a file of `irbench data pack` ({error})."
            ) from error
        if scheme is not None and scheme != self.scheme:
            raise UnknownNameError(f"split scheme of {self.root.name}", scheme, (self.scheme,))
        self.split = split
        self._check_split(split)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that are in the file, and ``"all"`` of it."""
        return (*self._splits, "all")

    @property
    def class_names(self) -> Mapping[str, str]:
        """Names of the classes that labels call by numbers."""
        return self._class_names

    def split_ids(self, split: str) -> list[str]:
        """The ids of a split, in the order of its list."""
        return list(self._samples) if split == "all" else list(self._splits[split])

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        assert self.root is not None
        return zipfile.ZipFile(self.root)

    def __getstate__(self) -> dict[str, Any]:
        """Without the open file, which another process opens anew."""
        return {name: value for name, value in self.__dict__.items() if name != "_archive"}

    def load(self, sample_id: str) -> Sample:
        """Read one sample."""
        if sample_id not in self._samples:
            raise UnknownNameError(f"id of {self.info.name}", sample_id, self._samples)
        one = self._samples[sample_id]
        if "error" in one:
            raise _ERRORS[one["kind"]](one["error"])
        image, mask = _decode(self._archive.read(one["image"])), None
        if "mask" in one:
            bits = np.frombuffer(zlib.decompress(self._archive.read(one["mask"])), np.uint8)
            mask = np.unpackbits(bits, count=image.size).reshape(image.shape).astype(bool)
        given: dict[str, Any] = {
            name: np.array(one[name], dtype=np.float32).reshape(-1, 4)
            for name in ("boxes", "ignored")
            if name in one
        }
        if "value_range" in one:
            given["value_range"] = tuple(one["value_range"])
        return Sample(
            sample_id,
            image,
            mask,
            n_odd=one.get("n_odd", 0),
            notes=tuple(one.get("notes", ())),
            label_counts=one.get("label_counts", {}),
            **given,
        )
