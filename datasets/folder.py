"""Any folder of images with masks or boxes: a user's own data."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Self

from irbench.conventions import Conventions
from irbench.data.file_names import NOT_UTF8, escaped_name
from irbench.data.verifiable import Verifiable
from irbench.dataset import Dataset, DatasetInfo, Sample
from irbench.errors import (
    ImageError,
    MaskError,
    MissingDataError,
    UnknownNameError,
    UsageError,
)
from irbench.images import read_image_file
from irbench.images.auto_range import AUTO, RangeChoice, find_range
from irbench.images.dead_pixels import find_dead_pixels
from irbench.images.masks import read_mask
from irbench.messages.external_text import unprintable

from ._folder_boxes import FolderBoxes, missing_label
from ._folder_layout import index_folder
from ._folder_pairing import Index
from ._folder_ranges import fit_to_range, spread_images
from ._folder_settings import read_settings
from ._folder_splits import FoundLists, find_split_lists
from ._folder_summary import (
    describe_conventions,
    describe_layout,
    describe_splits,
    describe_unused,
    unread_lists,
)

_OF_ALL_SPLITS = ("_index", "_lists", "_found", "_unread_lists", "_boxes")
"""Cached properties that are the same whatever the split: each took a walk through the folder."""


class Folder(Dataset, Verifiable):
    """A folder of images with ground truth in one of the usual layouts.

    =============  =================================================================
    layout         ground truth
    =============  =================================================================
    ``"masks"``    image files of the same name in ``masks``, ``labels``, ``gt`` …,
                   or with ``_mask``, ``_pixels0``, ``_label``, ``_gt`` added
    ``"voc"``      PASCAL VOC ``.xml`` in ``Annotations``, or beside the images
    ``"yolo"``     YOLO ``.txt`` in ``labels``, or beside the images
    ``"labelme"``  labelme ``.json`` of the same name beside the images, or in ``labels``
    ``"coco"``     one or several COCO ``.json`` anywhere
    ``"cvat"``     one or several ``.xml`` of "CVAT for images" anywhere
    =============  =================================================================

    Images lie in ``images``, ``img``, ``JPEGImages`` …, else in the folder itself. The id
    of a sample is its path without ending and without folders that name a role or a
    split: ``train/images/a.png`` and ``images/train/a.png`` are both ``a``.

    Splits are those of the lists ``train.txt``, ``val.txt`` and ``test.txt`` (also
    ``train_NAME.txt``, ``NAME_train.txt``, ``trainval.txt``) in the folder or in one below it,
    such as ``50_50``, ``splits``, ``ImageSets/Main`` or ``img_idx``, else of folders or COCO
    files that are called so. Without either, everything is ``"test"``.

    An image without labels, and labels without an image, are samples whose
    :meth:`load` raises: the benchmark leaves them out and counts them. An image
    without targets has an empty mask, an empty YOLO or VOC file, or an entry in
    the COCO file.

    Parameters
    ----------
    root : path-like
    split : {"train", "val", "test", "all"}
    scheme : str, optional
        Which set of split lists, where there are several: the folder that holds them, such as
        ``"50_50"``, with what their names have in common where one folder has several.
    layout : {"masks", "voc", "yolo", "labelme", "coco", "cvat"}, optional
        By default the first of these that pairs with an image.
    images, labels : str, optional
        Folders of the images and of masks or labels, relative to ``root``.
    value_range : (float, float), "auto" or "auto-frame", optional
        Values of black and white where they are not the dtype's, such as
        ``(0, 16383)`` of a 14-bit camera; or how they are found, see
        :mod:`irbench.images.auto_range`.
    origin, inclusive
        Convention of PASCAL VOC boxes; see :func:`irbench.data.annotations.read_voc`.
    conventions : Conventions, optional
        All of these as one, as the options of the commands state them; wins over them.

    What is not given here is taken from ``irbench.toml`` in the folder, where there is one:
    ``layout``, ``scheme``, ``value_range = [low, high]``, ``voc = {origin, inclusive}``,
    ``yolo_confidence``, ``classes``, ``ignore_classes`` and ``dead_pixels``.

    Attributes
    ----------
    conventions : Conventions
        What was stated, here or there.

    Raises
    ------
    MissingDataError
        If the folder, images or ground truth are missing, with what was looked for.
    AnnotationError
        If labels contradict each other, or two files have the same id.
    UnknownNameError
        For a split that does not exist.
    """

    info = DatasetInfo(name="folder", title="Folder", reference="The user's own data")

    def __init__(
        self,
        root: Path | str | None = None,
        split: str = "test",
        scheme: str | None = None,
        *,
        layout: str | None = None,
        images: str | None = None,
        labels: str | None = None,
        value_range: RangeChoice = None,
        origin: int | None = None,
        inclusive: bool | None = None,
        conventions: Conventions | None = None,
    ) -> None:
        said = read_settings(self.locate(root))
        given = Conventions(
            layout=layout, value_range=value_range, voc_origin=origin, voc_inclusive=inclusive
        )
        self.conventions = (conventions or Conventions()).over(given).over(said.conventions)
        self._images, self._labels = images, labels
        super().__init__(root, split, scheme or said.scheme)
        self._check_classes()
        assert self.root is not None
        # A folder has no title of its own but its name.
        info = replace(type(self).info, title=self.root.resolve().name)
        self.info = info  # type: ignore[misc]
        self._find_values()

    def _find_values(self) -> None:
        """Put what is found, range and dead pixels, in the place of the words that ask for it."""
        stated = self.conventions
        files = [path for _, path in sorted(self._index.images.items())]
        if isinstance(stated.dead_pixels, str):
            dead = find_dead_pixels(stated.dead_pixels, spread_images(files))
            stated = replace(stated, dead_pixels=dead)
        if stated.value_range == AUTO:
            stated = replace(stated, value_range=find_range(spread_images(files)))
        self.conventions = stated

    def locate(self, root: Path | str | None) -> Path:
        """The folder itself; see :meth:`irbench.Dataset.locate`."""
        if root is None:
            raise MissingDataError(
                "the dataset 'folder' needs to know which: pass the directory itself, as "
                "`--dataset DIR` or load_dataset(DIR)."
            )
        folder = Path(root).expanduser()
        if not folder.is_dir():
            raise MissingDataError(f"there is no folder {folder}.")
        return folder

    @property
    def layout(self) -> str:
        """The layout that was given or found."""
        return self._index.layout

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that exist, ``"all"`` included."""
        return (*(split for split in ("train", "val", "test") if split in self._lists), "all")

    @property
    def class_names(self) -> Mapping[str, str]:
        """Names of the classes that COCO and YOLO labels call by numbers."""
        return self._index.class_names

    @property
    def image_numbers(self) -> Mapping[int | str, str]:
        """Samples by the ids of their images in COCO files, where these are of one image each."""
        numbers: dict[int | str, list[str]] = {}
        if self.layout == "coco":
            for sample_id, (image, _) in self._index.coco.items():
                numbers.setdefault(image.id, []).append(sample_id)
        return {number: found[0] for number, found in numbers.items() if len(found) == 1}

    def understood(self) -> tuple[str, ...]:
        """What was made of the folder; see :meth:`irbench.data.verifiable.Verifiable`."""
        assert self.root is not None
        lines = [describe_layout(self.root, self._index)]
        lines += describe_splits(self.root, self._index, self._found, self._lists)
        lines += describe_unused(self.root, self._index, self._found)
        lines += [self._unread_lists] if self._unread_lists else []
        return (*lines, describe_conventions(self.conventions))

    def split_ids(self, split: str) -> list[str]:
        """The ids of a split: in the order of its list, else sorted."""
        if split != "all":
            return list(self._lists[split])
        listed = {key for keys in self._lists.values() for key in keys}
        return sorted(listed.union(self._index.ids))

    def load(self, sample_id: str) -> Sample:
        """Read one sample; see :meth:`irbench.Dataset.load`."""
        path = self._index.images.get(sample_id)
        if path is None:
            raise ImageError(f"{self.root} holds no image called {sample_id!r}.")
        if flaw := unprintable(sample_id):
            raise ImageError(
                f"the name of the image {str(path)!a} cannot be used: it has {flaw}; rename "
                "it and its labels."
            )
        file = read_image_file(path)
        image, given, remarks = fit_to_range(file.pixels, self.conventions, path)
        if escaped_name(str(path)) != str(path):
            remarks = (*remarks, NOT_UTF8)
        if self._unread_lists and self.split != "all":
            remarks = (*remarks, self._unread_lists)
        if self.layout == "masks":
            mask = read_mask(self._mask(sample_id))
            notes = (*file.notes, *remarks, *mask.notes)
            return Sample(
                sample_id, image, mask.pixels, value_range=given, n_odd=mask.n_odd, notes=notes
            )
        found = self._boxes.read(sample_id, (image.shape[0], image.shape[1]))
        return Sample(
            sample_id,
            image,
            None,
            found.targets,
            given,
            notes=(*file.notes, *remarks, *found.notes),
            ignored=found.ignored,
            label_counts=found.counts,
        )

    def with_split(self, split: str) -> Self:
        """The same data, another split.

        A copy, as a subclass may have fixed arguments of the constructor. What it keeps of
        its split beside ``split`` and cached properties, it must change itself.
        """
        self._check_split(split)
        other = self._copy(_OF_ALL_SPLITS)
        other.split = split
        return other

    def with_conventions(self, conventions: Conventions) -> Self:
        """The same data, read by other conventions where some are stated."""
        other = self._copy()
        other.conventions = conventions.over(self.conventions)
        other._find_values()
        other._check_split(self.split)
        other._check_classes()
        return other

    def _copy(self, kept: Collection[str] = ()) -> Self:
        """Without the cached properties but these: they may depend on what is changed."""
        other = copy.copy(self)
        for name in vars(self):
            if isinstance(getattr(type(self), name, None), cached_property) and name not in kept:
                del vars(other)[name]
        return other

    @cached_property
    def _index(self) -> Index:
        assert self.root is not None
        return index_folder(self.root, self.conventions.layout, self._images, self._labels)

    @cached_property
    def _lists(self) -> dict[str, list[str]]:
        assert self.root is not None
        ids = self._index.ids
        schemes = self._found.schemes
        if self._competes:
            return {}
        if schemes:
            return (schemes.get(self.scheme) or next(iter(schemes.values()))).ids
        return self._index.splits or {"test": ids}

    @cached_property
    def _found(self) -> FoundLists:
        assert self.root is not None
        stated = {key: split for split, keys in self._index.splits.items() for key in keys}
        has_masks = self._index.layout == "masks"
        found = find_split_lists(self.root, self._index.ids, stated, has_masks=has_masks)
        if self.scheme and self.scheme not in found.schemes:
            known = f"split scheme of {self.root}"
            raise UnknownNameError(known, self.scheme, found.schemes, "A folder's are its lists.")
        return found

    @cached_property
    def _unread_lists(self) -> str:
        assert self.root is not None
        return unread_lists(self.root, self._index, self._found)

    @property
    def _competes(self) -> bool:
        """Whether several sets of lists are there, that differ, and none was chosen."""
        parts = [
            {split: set(ids) for split, ids in scheme.ids.items()}
            for scheme in self._found.schemes.values()
        ]
        return not self.scheme and any(one != parts[0] for one in parts)

    def _check_split(self, split: str) -> None:
        if split != "all" and self._competes:
            shown = "; ".join(scheme.describe() for scheme in self._found.schemes.values())
            raise UsageError(
                f"{self.root} holds several sets of split lists: {shown}. Choose one with "
                "--scheme NAME."
            )
        super()._check_split(split)

    def _check_classes(self) -> None:
        if self.conventions.classes or self.conventions.ignore_classes:
            self._boxes.check_classes()
            self.conventions = self._boxes.conventions

    @cached_property
    def _boxes(self) -> FolderBoxes:
        assert self.root is not None
        return FolderBoxes(self.root, self._index, self.conventions)

    def _mask(self, sample_id: str) -> Path:
        path = self._index.labels.get(sample_id)
        if path is not None:
            return path
        raise MaskError(
            f"the image {self._index.images[sample_id]} has no mask: expected "
            f"{missing_label(self._index, sample_id)}; an image without targets needs an all-zero "
            "mask."
        )
