"""Datasets of image files with a mask file each: layouts, pairing, reading, repairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from irbench.data.location import find_dataset, find_subfolder
from irbench.data.splits import SplitLists
from irbench.data.verifiable import KnownContent, Pairing, Repair, Verifiable
from irbench.dataset import Dataset, Sample
from irbench.errors import ImageError, MaskError, MissingDataError
from irbench.images import IMAGE_SUFFIXES, read_image_file
from irbench.images.masks import read_mask

from . import splits as _splits

MASK_ENDINGS = ("_pixels0", "")
"""What a mask's name may have beyond the image's, longest first."""


class Layout(NamedTuple):
    """Names of the two folders, in any case of letters."""

    images: str
    masks: str


PLAIN = Layout("images", "masks")


@dataclass(frozen=True, kw_only=True)
class MaskResize(Repair):
    """A mask that was published in another size than its image.

    Parameters
    ----------
    stored_shape : (int, int)
        Height and width of the published mask. A mask of any other shape is left
        alone.
    shape : (int, int)
        Height and width of the image.
    """

    stored_shape: tuple[int, int]
    shape: tuple[int, int]

    def is_needed(self, mask: NDArray[np.bool_], image_shape: tuple[int, ...]) -> bool:
        """Whether this is the published mask, beside the published image."""
        return mask.shape == self.stored_shape and image_shape == self.shape

    def mend(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The mask in the size of the image: its pixel ``i`` of n is ``⌊i m / n⌋`` of m."""
        rows, columns = (
            np.arange(length) * stored // length
            for length, stored in zip(self.shape, mask.shape, strict=True)
        )
        return mask[np.ix_(rows, columns)]


class ImageMaskPairs(Dataset, Verifiable):
    """A published dataset with one folder of images and one of masks.

    An image and its mask have the same name, whatever the type of the file; a
    mask's may end in ``_pixels0``. The id of a sample is the name of its image.
    ``"all"`` are the images on disk; the other splits are those of the lists
    that ship with the package.

    Attributes
    ----------
    folder_names : tuple of str
        Names of its folder beside ``info.title`` and ``info.name``.
    layouts : tuple of Layout
    repairs : tuple of MaskResize
    """

    folder_names: ClassVar[tuple[str, ...]] = ()
    layouts: ClassVar[tuple[Layout, ...]] = (PLAIN,)
    repairs: ClassVar[tuple[MaskResize, ...]] = ()

    def locate(self, root: Path | str | None) -> Path:
        """Find the folder of this dataset; see :class:`irbench.Dataset`."""
        names = (self.info.title, self.info.name, *self.folder_names)
        pairs = " or ".join(f"{layout.images}/ and {layout.masks}/" for layout in self.layouts)
        return find_dataset(self.info, root, names, self._refusal, f"{names[0]} with {pairs}")

    def split_ids(self, split: str) -> list[str]:
        """The ids of a split, in the order of its list; of ``"all"``, sorted."""
        if split == "all":
            return sorted(self._images)
        return self.split_lists().ids(self.scheme, split)

    def load(self, sample_id: str) -> Sample:
        """Read an image and its mask; see :meth:`irbench.Dataset.load`."""
        image = read_image_file(self._image_path(sample_id))
        mask = read_mask(self._mask_path(sample_id))
        pixels = mask.pixels
        for repair in self.repairs:
            if repair.id == sample_id and repair.is_needed(pixels, image.pixels.shape):
                pixels = repair.mend(pixels)
        # Some published images are faintly coloured; that their luma is read is the convention.
        return Sample(sample_id, image.pixels, pixels, n_odd=mask.n_odd, notes=mask.notes)

    def declared_repairs(self) -> tuple[Repair, ...]:
        """The published faults that are mended."""
        return self.repairs

    def repairs_in_force(self) -> tuple[Repair, ...]:
        """Those that this copy needs."""
        return tuple(repair for repair in self.repairs if self._needs(repair))

    def pairing(self) -> Pairing:
        """Images without a mask, masks without an image, and names that two files have."""
        images, masks = self._images, self._masks
        doubled = {
            name for found in (images, masks) for name, paths in found.items() if len(paths) > 1
        }
        return Pairing(
            images_alone=tuple(sorted(images.keys() - masks.keys())),
            labels_alone=tuple(sorted(masks.keys() - images.keys())),
            ambiguous=tuple(sorted(doubled)),
        )

    def split_lists(self) -> SplitLists:
        """The lists that ship with the package."""
        return SplitLists(files(_splits), self.info.name)

    def known_content(self) -> Mapping[str, KnownContent]:
        """The pixel hashes of a complete copy, as shipped in ``content.txt``."""
        shipped = files(_splits).joinpath(self.info.name, "content.txt")
        if not shipped.is_file():
            return {}
        lines = shipped.read_text(encoding="utf-8").splitlines()
        fields = [line.split() for line in lines if line and not line.startswith("#")]
        return {name: KnownContent(image, truth) for name, image, truth in fields}

    def _refusal(self, folder: Path) -> str | None:
        """Why ``folder`` is not this dataset's; None if it is."""
        pair = self._find_pair(folder)
        if pair is None:
            halves = (
                (there, missing)
                for layout in self.layouts
                for there, missing in (layout, reversed(layout))
                if find_subfolder(folder, there) is not None
            )
            return next((f"has {there}/ but no {missing}/" for there, missing in halves), "")
        # So that no dataset is taken for another in the same layout.
        known = self.known_content()
        if known and _by_name(pair[0]).keys().isdisjoint(known):
            return f"holds no image of {self.info.title}"
        return None

    def _find_pair(self, folder: Path) -> tuple[Path, Path] | None:
        """The folders of images and masks, in the first layout that fits."""
        for layout in self.layouts:
            images = find_subfolder(folder, layout.images)
            masks = find_subfolder(folder, layout.masks)
            if images is not None and masks is not None:
                return images, masks
        return None

    @cached_property
    def _folders(self) -> tuple[Path, Path]:
        pair = None if self.root is None else self._find_pair(self.root)
        if pair is None:
            raise MissingDataError(f"{self.root} no longer holds {self.info.title}.")
        return pair

    @cached_property
    def _images(self) -> dict[str, list[Path]]:
        return _by_name(self._folders[0])

    @cached_property
    def _masks(self) -> dict[str, list[Path]]:
        return _by_name(self._folders[1], MASK_ENDINGS)

    def _image_path(self, sample_id: str) -> Path:
        return _only("image", ImageError, sample_id, self._images, self._folders[0])

    def _mask_path(self, sample_id: str) -> Path:
        return _only("mask", MaskError, sample_id, self._masks, self._folders[1])

    def _needs(self, repair: MaskResize) -> bool:
        try:
            image = read_image_file(self._image_path(repair.id)).pixels
            mask = read_mask(self._mask_path(repair.id)).pixels
        except (ImageError, MaskError):
            return False
        return repair.is_needed(mask, image.shape)


def _by_name(folder: Path, endings: tuple[str, ...] = ("",)) -> dict[str, list[Path]]:
    """The image files of a folder by their name, without suffix and ending."""
    found: dict[str, list[Path]] = {}
    # As texts: thousands of paths are slow to compare, and to take apart.
    for name in sorted(path.name for path in folder.iterdir()):
        stem, dot, suffix = name.rpartition(".")
        # macOS leaves `._NAME.png` beside the files that it unpacks.
        if f"{dot}{suffix.lower()}" not in IMAGE_SUFFIXES or name.startswith("."):
            continue
        ending = next(ending for ending in endings if stem.endswith(ending))
        found.setdefault(stem.removesuffix(ending), []).append(folder / name)
    return found


def _only(
    kind: str,
    error: type[ImageError | MaskError],
    sample_id: str,
    found: Mapping[str, list[Path]],
    folder: Path,
) -> Path:
    paths = found.get(sample_id, [])
    if not paths:
        raise error(f"the {kind} of {sample_id!r} is missing from {folder}.")
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise error(
            f"{sample_id!r} has {len(paths)} {kind}s in {folder}: {names}; keep one of them."
        )
    return paths[0]
