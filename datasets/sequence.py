"""A recorded sequence with masks: stacks, videos, or folders in natural order."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Self

from irbench.conventions import Conventions
from irbench.dataset import Dataset, DatasetInfo, Sample
from irbench.errors import ImageError, MaskError, MissingDataError
from irbench.images.mask_values import binarise
from irbench.sequences.frame_detection import FrameReading
from irbench.sequences.opened_frames import FrameSequence, open_sequence

from ._folder_ranges import fit_to_range


class Sequence(Dataset):
    """Frames of a film with a mask each, frame by frame.

    The folder ``root`` holds ``frames`` and ``masks``: each a folder of files in natural order,
    or one file ``frames.tif``, ``masks.npy``, ``frames.avi`` … of all frames. The first mask is
    that of the first frame. A sample's id is its number in the sequence. Everything is ``"test"``.

    Parameters
    ----------
    root : path-like
    split : {"test", "all"}
    scheme : None
    conventions : Conventions, optional
        The value range, where it is not the dtype's, and the dead pixels.

    Raises
    ------
    MissingDataError
        If frames or masks are missing.
    MaskError
        If there are not as many masks as frames.
    """

    info = DatasetInfo(name="sequence", title="Sequence", reference="The user's own data")

    def __init__(
        self,
        root: Path | str | None = None,
        split: str = "test",
        scheme: str | None = None,
        conventions: Conventions | None = None,
    ) -> None:
        self.conventions = conventions or Conventions()
        super().__init__(root, split, scheme)
        assert self.root is not None
        self.info = replace(type(self).info, title=self.root.resolve().name)  # type: ignore[misc]
        n_frames, n_masks = self._frames.n_frames, self._masks.n_frames
        if n_frames != n_masks:
            raise MaskError(
                f"{self.root} holds {n_frames} frames and {n_masks} masks; expected one mask a "
                "frame, empty where there is no target."
            )
        stated = self.conventions
        reading = FrameReading.of(self._frames, stated.value_range, stated.dead_pixels)
        self.conventions = replace(stated, value_range=reading.found, dead_pixels=reading.dead)

    def locate(self, root: Path | str | None) -> Path:
        """The folder with frames and masks."""
        if root is None:
            raise MissingDataError(
                "the dataset 'sequence' needs to know which: --dataset sequence --data-root DIR, "
                "where DIR holds frames and masks."
            )
        folder = Path(root).expanduser()
        if not folder.is_dir():
            raise MissingDataError(f"there is no folder {folder}.")
        for name in ("frames", "masks"):
            _part(folder, name)
        return folder

    @property
    def splits(self) -> tuple[str, ...]:
        """Everything is tested."""
        return ("test", "all")

    def split_ids(self, split: str) -> list[str]:
        """The numbers of the frames."""
        return [f"{index:06d}" for index in range(self._frames.n_frames)]

    def load(self, sample_id: str) -> Sample:
        """Read one frame with its mask; see :meth:`irbench.Dataset.load`."""
        if not sample_id.isdecimal() or int(sample_id) >= self._frames.n_frames:
            raise ImageError(f"{self.root} holds no frame {sample_id!r}.")
        frame, mask = self._frames.frame(int(sample_id)), self._masks.frame(int(sample_id))
        if frame.pixels is None:
            raise ImageError(frame.error)
        if mask.pixels is None:
            raise MaskError(mask.error)
        try:
            target = binarise(mask.pixels)
        except MaskError as error:
            raise MaskError(f"the mask {mask.name} cannot be used: {error}") from error
        image, value_range, notes = fit_to_range(frame.pixels, self.conventions, frame.path)
        return Sample(
            sample_id,
            image,
            target.pixels,
            value_range=value_range,
            n_odd=target.n_odd,
            notes=(*notes, *target.notes),
        )

    def with_split(self, split: str) -> Self:
        """The same frames."""
        self._check_split(split)
        other = copy.copy(self)
        vars(other).pop("ids", None)
        other.split = split
        return other

    def with_conventions(self, conventions: Conventions) -> Sequence:
        """The same data, read by another value range."""
        stated = conventions.over(self.conventions)
        return type(self)(self.root, self.split, None, conventions=stated)

    @cached_property
    def _frames(self) -> FrameSequence:
        assert self.root is not None
        return open_sequence([_part(self.root, "frames")])

    @cached_property
    def _masks(self) -> FrameSequence:
        assert self.root is not None
        return open_sequence([_part(self.root, "masks")])


def _part(folder: Path, name: str) -> Path:
    """The folder or file of a name; a folder wins."""
    if (folder / name).is_dir():
        return folder / name
    files = sorted(folder.glob(f"{name}.*"))
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "none"
        raise MissingDataError(
            f"{folder}: expected a folder {name}, or one file {name}.tif, {name}.npy, {name}.avi; "
            f"found {found}."
        )
    return files[0]
