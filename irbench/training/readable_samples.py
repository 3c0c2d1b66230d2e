"""Reading the samples of a split for training: what cannot be used is left out and reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.data.manifest import UNUSABLE
from irbench.dataset import Dataset, Sample
from irbench.errors import MaskError, MissingDataError, UsageError
from irbench.images import to_unit_range
from irbench.messages.progress import Progress

# Of the reasons why samples are left out, so many are reported.
_MAX_NAMED = 10


@dataclass(frozen=True, eq=False)
class ReadSample:
    """What is kept of a sample: its image in [0, 1], its boxes, its mask if it has one."""

    id: str
    image: NDArray[np.float32]
    boxes: NDArray[Any]
    mask: NDArray[np.bool_] | None


@dataclass(eq=False)
class SampleReader:
    """Reads a split.

    Parameters
    ----------
    dataset : Dataset
    progress : Progress
        Reported to for each sample, and by :meth:`finish` of those that were left out.
    with_masks : bool
        Whether a sample without a mask is left out.
    """

    dataset: Dataset
    progress: Progress
    with_masks: bool = False
    left_out: dict[str, str] = field(default_factory=dict, init=False)

    def __iter__(self) -> Iterator[ReadSample]:
        dataset = self.dataset
        with self.progress.track(f"reading {dataset.info.title}", len(dataset)) as advance:
            for sample_id in dataset.ids:
                if (read := self._read(dataset.load, sample_id)) is not None:
                    yield read
                advance()

    def _read(self, load: Callable[[str], Sample], sample_id: str) -> ReadSample | None:
        try:
            sample = load(sample_id)
            if self.with_masks and sample.mask is None:
                raise MaskError("it has boxes and no mask")
            image = to_unit_range(sample.image, sample.value_range)
        except UNUSABLE as error:
            self.left_out[sample_id] = str(error)
            return None
        return ReadSample(sample.id, image, sample.boxes, sample.mask)

    def finish(self, n_read: int, n_targets: int) -> None:
        """Report what was left out.

        Raises
        ------
        MissingDataError
            If nothing could be read.
        UsageError
            If nothing has a target.
        """
        for sample_id, why in islice(self.left_out.items(), _MAX_NAMED):
            self.progress.say(f"left out of training: {sample_id}: {why}")
        if len(self.left_out) > _MAX_NAMED:
            self.progress.say(f"left out of training: {len(self.left_out) - _MAX_NAMED} more")
        where = f"{self.dataset.split!r} split of {self.dataset.info.title}"
        if not n_read:
            why = "it is empty"
            if self.left_out:
                why = f"the first: {next(iter(self.left_out.values()))}"
            raise MissingDataError(f"No image of the {where} can be read; {why}")
        if not n_targets:
            raise UsageError(
                f"No labels in the training split: none of the {n_read} images of the {where} "
                "has a target. Training needs masks or boxes beside the images; "
                "`irbench data stats` shows what was found."
            )
