"""The countings of plug-ins over the images of an evaluation, and over one score map.

What fails is an error of the one counting, kept until a metric of it is asked for: all other
metrics stand.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import MetricError
from irbench.ground_truth import GroundTruth
from irbench.metrics.image_counting import (
    Counting,
    DetectedImage,
    MappedImage,
    OwnCounts,
    Source,
)
from irbench.protocol import Protocol

if TYPE_CHECKING:
    from irbench.detections import Detections
    from irbench.metrics.map_statistics import MapStatistics

REQUIRED_PARTS: Mapping[Source, str] = {"kept": "boxes", "masks": "pixels", "score map": "maps"}
"""By source, the built-in counts without which a counting has nothing to look at either."""

NOT_MAPPED = (
    "its score maps were not counted for this metric; repeat the command that made the run with "
    "its --plugin"
)
OTHER_VERSION = (
    "its score maps were counted by another version of this metric's code; repeat the command "
    "that made the run"
)


@dataclass(frozen=True)
class MapCount:
    """What a counting returned of the score map of one image.

    Attributes
    ----------
    version : str
        Of the code that counted.
    values : tuple of float
        Empty where it failed.
    error : str
        Why it failed, as a sentence; empty where it did not.
    """

    version: str
    values: tuple[float, ...] = ()
    error: str = ""


@dataclass
class OwnParts:
    """What the countings of plug-ins say of an evaluation, each under the key of a counting.

    Attributes
    ----------
    counts : dict of str to OwnCounts
    missing : dict of str to str
        Why there are none.
    failed : dict of str to str
        Why a counting failed, as a sentence.
    """

    counts: dict[str, OwnCounts] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def count_detections(
        self,
        countings: Iterable[Counting],
        found: Iterable[Detections],
        truths: Iterable[GroundTruth],
        protocol: Protocol,
    ) -> None:
        """Add countings of detections, from one pass over the images.

        Parameters
        ----------
        countings : iterable of Counting
        found : iterable of Detections
            Of each image; taken one at a time.
        truths : iterable of GroundTruth
        protocol : Protocol
        """
        rows: dict[Counting, list[NDArray[np.float64]]] = {one: [] for one in countings}
        if not rows:
            return
        for one, truth in zip(found, truths, strict=True):
            image = DetectedImage(truth.id, locked_truth(truth), protocol, one)
            for counting in [one for one in rows if one.key not in self.failed]:
                try:
                    rows[counting].append(counting(image))
                except MetricError as error:
                    self.failed[counting.key] = str(error)
        for counting, returned in rows.items():
            if counting.key not in self.failed:
                self._add(counting, returned)

    def collect_maps(
        self, counting: Counting, images: Mapping[str, MapStatistics], ids: Iterable[str]
    ) -> None:
        """Add a counting of score maps from what was counted of each where it was made.

        Parameters
        ----------
        counting : Counting
        images : mapping of str to MapStatistics
            By image.
        ids : iterable of str
            Of all images, in their order.
        """
        key, order = counting.key, list(ids)
        counted = [images[name].own.get(key) for name in order if name in images]
        known = [one for one in counted if one is not None]
        failures = [one.error for one in known if one.error]
        if n_without := len(order) - len(counted):
            self.missing[key] = (
                f"{n_without} of {len(order)} images have no score map: the method failed on them"
            )
        elif len(known) < len(counted):
            self.missing[key] = NOT_MAPPED
        elif any(one.version != counting.version for one in known):
            self.missing[key] = OTHER_VERSION
        elif failures:
            self.failed[key] = failures[0]
        elif any(len(one.values) != len(counting.columns) for one in known):
            self.missing[key] = OTHER_VERSION
        else:
            self._add(counting, [np.array(one.values) for one in known])

    def _add(self, counting: Counting, rows: Sequence[NDArray[np.float64]]) -> None:
        values = np.array(rows, np.float64).reshape(len(rows), len(counting.columns))
        self.counts[counting.key] = OwnCounts(counting.columns, values)


def count_map(
    countings: Iterable[Counting],
    score_map: NDArray[Any],
    grey_levels: NDArray[Any],
    truth: GroundTruth,
    protocol: Protocol,
) -> dict[str, MapCount]:
    """What countings of score maps return of one.

    Parameters
    ----------
    countings : iterable of Counting
    score_map : (H, W) ndarray
        As the method gave it.
    grey_levels : (H, W) ndarray
        The image, 0 to 255.
    truth : GroundTruth
    protocol : Protocol

    Returns
    -------
    dict of str to MapCount
        By key, for ``own`` of :class:`irbench.metrics.map_statistics.MapStatistics`.
    """
    image = MappedImage(
        truth.id, locked_truth(truth), protocol, _locked(score_map), _locked(grey_levels)
    )
    return dict(_counted(countings, image))


def _counted(countings: Iterable[Counting], image: MappedImage) -> Iterator[tuple[str, MapCount]]:
    for counting in countings:
        try:
            values = tuple(counting(image).tolist())
        except MetricError as error:
            yield counting.key, MapCount(counting.version, error=str(error))
        else:
            yield counting.key, MapCount(counting.version, values)


def locked_truth(truth: GroundTruth) -> GroundTruth:
    """Ground truth that nobody can write into, and that forgets what it computes of itself."""
    # Samples of a dataset stand in for ground truth. Regions are locked as they are made.
    boxes, ignored = _locked(truth.boxes), _locked(truth.ignored)
    return GroundTruth(truth.id, truth.shape, boxes, copy.copy(truth.targets), ignored)


def _locked(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
