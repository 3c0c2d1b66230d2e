"""Images as a worker needs them, decoded once for all methods of a run.

Reading a 256x256 image and its mask takes 2 ms, more than a light filter takes for it, and
every method of a run asks for the same images again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from irbench.dataset import Sample
from irbench.engine.jobs.specs import DatasetSpec
from irbench.ground_truth import GroundTruth
from irbench.images import ValueRange
from irbench.images.squashing import squash

MOST_BYTES = 128 << 20
"""What the images that a worker keeps may take: 2,000 of 256x256 pixels of 8 bit, 500 of 512x512.

A worker without any has 110 MB resident.
"""


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """An image as a detector gets it, with its ground truth; without its mask.

    Attributes
    ----------
    image : (H, W) ndarray
        As stored, or scaled to the protocol's square. Never to be modified: see :meth:`copy`.
    value_range : (float, float) or None
    truth : GroundTruth
    """

    image: NDArray[Any]
    value_range: ValueRange | None
    truth: GroundTruth

    @classmethod
    def of(cls, sample: Sample, side: int | None) -> PreparedImage:
        """Scale a sample as the protocol wants; see :func:`irbench.images.squashing.squash`."""
        scaled = squash(sample, side)
        image = scaled.image
        # A view would keep alive what it is a part of, such as all frames of a sequence.
        whole = image if image.base is None else image.copy(order="K")
        return cls(whole, scaled.value_range, GroundTruth.of(scaled))

    def copy(self) -> NDArray[Any]:
        """The image for a detector of anybody's, which may write to it."""
        return self.image.copy(order="K")

    @property
    def n_bytes(self) -> int:
        """What its arrays take."""
        truth = self.truth
        arrays = [self.image, truth.boxes, truth.ignored]
        if truth.targets is not None:
            arrays += [truth.targets.runs, truth.targets.offsets]
        return sum(array.nbytes for array in arrays)


class PreparedImages:
    """Images of one dataset, kept as far as they fit.

    A run asks for the images of a split in the same order once per method. What was used
    longest ago is then what is needed next, so that nothing gives way to another image: those
    that came first stay, the others are read anew each time.

    Everything is dropped when another dataset, other conventions, degradations or squares are
    asked for, or when a split has other content than before.

    Parameters
    ----------
    most_bytes : int
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self.n_bytes = 0
        self._source: tuple[DatasetSpec, int | None] | None = None
        self._contents: dict[str, str] = {}
        self._kept: dict[tuple[str, str], PreparedImage] = {}

    def get(
        self,
        dataset: DatasetSpec,
        split: str,
        content: str,
        image: str,
        side: int | None,
        load: Callable[[], Sample],
    ) -> PreparedImage:
        """An image, read unless it is here.

        Parameters
        ----------
        dataset : DatasetSpec
        split : str
        content : str
            Hash of what the split holds; empty where that is not known, and nothing is kept.
        image : str
        side : int or None
            Of the squares that images are scaled to.
        load : callable
            Reads the sample.
        """
        if not content:
            return PreparedImage.of(load(), side)
        if self._source != (dataset, side) or self._contents.get(split, content) != content:
            self._drop(dataset, side)
        self._contents[split] = content
        found = self._kept.get((split, image))
        if found is None:
            found = PreparedImage.of(load(), side)
            self._add(split, image, found)
        return found

    def keep(
        self, dataset: DatasetSpec, split: str, image: str, side: int | None, read: PreparedImage
    ) -> None:
        """Take up an image that was read to find out what the split holds.

        Parameters
        ----------
        dataset, split, image, side
            As for :meth:`get`, which gives it for whatever content is named next.
        read : PreparedImage
        """
        if self._source != (dataset, side) or split in self._contents:
            self._drop(dataset, side)
        self._add(split, image, read)

    def _drop(self, dataset: DatasetSpec, side: int | None) -> None:
        self._kept.clear()
        self._contents.clear()
        self._source, self.n_bytes = (dataset, side), 0

    def _add(self, split: str, image: str, read: PreparedImage) -> None:
        before = self._kept.get((split, image))
        n_more = read.n_bytes - (0 if before is None else before.n_bytes)
        if self.n_bytes + n_more <= self.most_bytes:
            self._kept[split, image] = read
            self.n_bytes += n_more
