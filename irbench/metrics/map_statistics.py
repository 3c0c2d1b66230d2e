"""What is kept of a score map: enough for every metric of score maps, and small.

Score maps are not stored: a run of a thousand images would take gigabytes for each method.
Two pairs of histograms, two sums and four numbers a target say all that the metrics ask.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from irbench.detections.regions import Regions
from irbench.errors import UsageError
from irbench.metrics import clutter_suppression, pixel_roc, roc_3d
from irbench.metrics.clutter_suppression import Gains, LocalContrasts, local_contrasts
from irbench.metrics.metric import Metric
from irbench.metrics.own_counts import MapCount
from irbench.metrics.pixel_roc import (
    PixelHistograms,
    RocCounts,
    check_map_and_targets,
    constant_histograms,
    pixel_histograms,
)
from irbench.metrics.roc_3d import (
    NormalisedStatistics,
    Roc3dCounts,
    constant_statistics,
    normalised_statistics,
)
from irbench.metrics.score_maps import Binning, clean_map, standardise

STANDARDISED: Binning = "standardised/1"
PROBABILITY: Binning = "unit/1"


@dataclass(frozen=True, eq=False)
class MapStatistics:
    """What is kept of the score map of one image.

    Attributes
    ----------
    binning : {"standardised/1", "unit/1"}
        Of ``histograms``: score maps are standardised, probability maps stay as they are.
    histograms : PixelHistograms
        For ``auc``.
    normalised : NormalisedStatistics
        For the 3D ROC curve.
    contrasts : LocalContrasts
        For SCRG, BSF and CG.
    own : mapping of str to MapCount
        For metrics of plug-ins, by the key of a counting.
    """

    binning: Binning
    histograms: PixelHistograms
    normalised: NormalisedStatistics
    contrasts: LocalContrasts
    own: Mapping[str, MapCount] = field(default_factory=dict)


def measure_map(
    score_map: NDArray[Any],
    grey_levels: NDArray[Any],
    targets: Regions,
    *,
    is_probability: bool = False,
) -> MapStatistics:
    """Measure the score map of one image.

    Parameters
    ----------
    score_map : (H, W) ndarray
        As the method gave it. For ROC curves its negative and non-finite values count as 0,
        as they do for the conversion to detections.
    grey_levels : (H, W) ndarray
        The image, 0 to 255.
    targets : Regions
        The pixels of each target.
    is_probability : bool
        Whether the values are probabilities, which are compared between images as they are;
        others are standardised per image.

    Returns
    -------
    MapStatistics

    Raises
    ------
    UsageError
        If the map has another shape than the image.

    Examples
    --------
    >>> import numpy as np
    >>> from irbench.images.masks import mask_regions
    >>> image = np.tile([9.0, 11.0], (16, 8))
    >>> mask = np.zeros(image.shape, bool)
    >>> mask[8, 8] = True
    >>> image[8, 8] = 14
    >>> found = measure_map(image, image, mask_regions(mask))
    >>> counts = MapCounts.of([found])
    >>> pixel_roc.auc(counts.roc).value, round(clutter_suppression.scrg(counts.gains).value, 12)
    (1.0, 1.0)
    """
    check_map_and_targets(score_map, targets)
    cleaned = clean_map(score_map)
    binning = PROBABILITY if is_probability else STANDARDISED
    values: NDArray[Any] = cleaned if is_probability else standardise(cleaned)
    return MapStatistics(
        binning,
        pixel_histograms(values, targets, binning),
        normalised_statistics(cleaned, targets),
        local_contrasts(grey_levels, score_map, targets),
    )


def constant_map(shape: tuple[int, int], targets: Regions, binning: Binning) -> MapStatistics:
    """What stands for an image without a map, because the method failed on it: 0 everywhere.

    Its pixels count in the ROC curves; the gains of its targets are undefined.
    """
    n_target = int(targets.areas.sum())
    n_background = shape[0] * shape[1] - n_target
    return MapStatistics(
        binning,
        constant_histograms(n_target, n_background, binning),
        constant_statistics(n_target, n_background),
        LocalContrasts.undefined(len(targets)),
    )


@dataclass(frozen=True, eq=False)
class MapCounts:
    """The statistics of many images, which the metrics of score maps are computed from.

    Attributes
    ----------
    binning : {"standardised/1", "unit/1"}
        Of ``roc``.
    roc : RocCounts
    roc_3d : Roc3dCounts
    gains : Gains
    """

    binning: Binning
    roc: RocCounts
    roc_3d: Roc3dCounts
    gains: Gains

    @classmethod
    def of(cls, images: Sequence[MapStatistics]) -> MapCounts:
        """Those of ``images``, in their order.

        Raises
        ------
        UsageError
            If some are of probability maps and others are not.
        """
        return cls(
            the_binning({one.binning for one in images}),
            RocCounts.of(one.histograms for one in images),
            Roc3dCounts.of([one.normalised for one in images]),
            Gains.of([one.contrasts for one in images]),
        )


def the_binning(binnings: Collection[Binning]) -> Binning:
    """The one that several score maps have; that of score maps where there are none.

    Raises
    ------
    UsageError
    """
    if len(binnings) > 1:
        raise UsageError(f"images must be of one binning, got {' and '.join(sorted(binnings))}.")
    return next(iter(binnings), STANDARDISED)


MAP_METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (*pixel_roc.METRICS, *roc_3d.METRICS, *clutter_suppression.METRICS)
}
"""The metrics of score maps by name, in the order of a results table."""
