"""Hierarchical IoU: how well targets are found, times how well the found ones are outlined."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.metric import TOOLKIT, Metric, fraction
from irbench.metrics.packed_components import PackedComponents
from irbench.metrics.point_matching import DISTANCE_PX
from irbench.metrics.region_matching import OVERLAP, RegionPairs
from irbench.metrics.value import MetricValue, ratio
from irbench.metrics.weighted import Ratio

_HIOU = "Y. Pang et al., NeurIPS 2025, arXiv:2509.16888"
_FORMULA = "(Σ IoU of pairs / TP) · TP / (TP + FP + FN)"

NO_PAIR = "no region belongs to a target"
NOTHING = "no target and no region in any image"


@dataclass(frozen=True, eq=False)
class HierarchicalCounts:
    """Counts and sums of each image, of which hIoU and its errors are ratios.

    Attributes
    ----------
    pairs, targets, regions : (n_images,) ndarray of float64
        Targets with a region of their own, all targets, and all kept regions.
    overlap : (n_images,) ndarray of float64
        Sum of the IoU of the pairs.
    merged, interference, missed : (n_images,) ndarray of float64
        Sums over the pairs of the shares of their union that are pixels of the region
        in other targets, of the region in no target, and of the target not in the
        region. With ``overlap`` they sum to the number of pairs.
    lone_targets, lone_regions : (n_images,) ndarray of float64
        Targets, and regions, that neither overlap nor lie near any of the others.
    """

    pairs: NDArray[np.float64]
    targets: NDArray[np.float64]
    regions: NDArray[np.float64]
    overlap: NDArray[np.float64]
    merged: NDArray[np.float64]
    interference: NDArray[np.float64]
    missed: NDArray[np.float64]
    lone_targets: NDArray[np.float64]
    lone_regions: NDArray[np.float64]

    @property
    def n_images(self) -> int:
        """Number of images."""
        return len(self.targets)

    @property
    def outcomes(self) -> NDArray[np.float64]:
        """``(n_images,)`` pairs, false alarms and misses."""
        return self.targets + self.regions - self.pairs


def count_hierarchical(
    kept: PackedComponents,
    targets: PackedComponents,
    distance_px: float = DISTANCE_PX,
) -> HierarchicalCounts:
    """Match the kept regions and the targets of every image, and count.

    Parameters
    ----------
    kept, targets : PackedComponents
        Regions of the same images.
    distance_px : float

    Returns
    -------
    HierarchicalCounts
    """
    pairs = RegionPairs.of(kept, targets)
    fits = (pairs.iou >= OVERLAP) | (pairs.distance < distance_px)
    lone = []
    for one, row in ((targets, pairs.target), (kept, pairs.region)):
        fitting = np.zeros(len(one), dtype=bool)
        fitting[row[fits]] = True
        lone.append(np.bincount(one.image[~fitting], minlength=one.n_images))
    matched = pairs.matched(distance_px)
    in_targets = np.bincount(pairs.region, pairs.shared, len(kept)).astype(np.int64)
    region, shared = pairs.region[matched], pairs.shared[matched]
    own, area = targets.areas[pairs.target[matched]], kept.areas[region]
    union, in_targets = own + area - shared, in_targets[region]
    image = kept.image[region]
    n_pairs = np.bincount(image, minlength=kept.n_images)
    # What is behind the last end is none of any image, and all there is without images.
    ends = np.cumsum(n_pairs)
    sums = (
        np.array([part.sum() for part in np.split(shares / union, ends)[:-1]])
        for shares in (shared, in_targets - shared, area - in_targets, own - shared)
    )
    columns = (n_pairs, np.diff(targets.offsets), np.diff(kept.offsets), *sums, *lone)
    return HierarchicalCounts(*(column.astype(np.float64) for column in columns))


_UNPADDED = {
    "dialect": "unpadded",
    "equals": f"{TOOLKIT}, where every image has a target and a kept region",
}


def _metric(name: str, title: str, description: str, **more: Any) -> Metric:
    given = {"reference": _HIOU, "equals": TOOLKIT, "needs": "regions", "reason": NOTHING, **more}
    return fraction(name, title, "pixels", description=description, **given)


# The number of pairs cancels out, and none is no exception.
hiou = _metric(
    "hiou",
    "hIoU",
    "Mean IoU of the regions paired with a target, times pairs over pairs, FP and FN.",
    formula=_FORMULA,
    form=lambda counts: Ratio(counts.overlap, counts.outcomes),
    **_UNPADDED,
)

# Undefined without a pair, where the toolkit says 0.
segmentation_iou = _metric(
    "hiou_segmentation",
    "hIoU, segmentation",
    "Mean IoU of the regions paired with a target, the first factor of hIoU.",
    formula="Σ IoU of pairs / TP",
    form=lambda counts: Ratio(counts.overlap, counts.pairs),
    reason=NO_PAIR,
)

localisation_iou = _metric(
    "hiou_localisation",
    "hIoU, localisation",
    "Pairs of regions and targets over pairs, FP and FN, the second factor of hIoU.",
    formula="TP / (TP + FP + FN)",
    form=lambda counts: Ratio(counts.pairs, counts.outcomes),
    **_UNPADDED,
)

hiou_toolkit = _metric(
    "hiou_toolkit",
    "hIoU (PyIRSTDMetrics)",
    "As hIoU, with one FN for each image without targets and one FP for each without regions.",
    reference=f"{_HIOU}; PyIRSTDMetrics 1.0.2",
    formula=_FORMULA,
    dialect="pyirstdmetrics",
    form=lambda counts: hiou.form(with_padding(counts)),
)

METRICS = (hiou, segmentation_iou, localisation_iou, hiou_toolkit)


def error_split(counts: HierarchicalCounts) -> dict[str, MetricValue]:
    """The two factors of hIoU, and what is missing in each by cause.

    Parameters
    ----------
    counts : HierarchicalCounts

    Returns
    -------
    dict of str to MetricValue
        ``segmentation``, the mean IoU of the pairs, and the mean shares of a pair's union that
        are of another target (``merged``), that are background (``interference``) and that the
        region leaves out (``missed``): these four sum to 1.

        ``localisation``, pairs over pairs, false alarms and misses, and over the same sum: regions
        without a target though they fit one, which went to another region (``several_regions``),
        targets without a region though they fit one (``several_targets``), regions that fit no
        target (``clutter``), and targets that fit no region (``blindness``): these five sum to 1.
    """
    n_pairs, n_outcomes = counts.pairs.sum(), counts.outcomes.sum()
    of_pairs = {name: getattr(counts, name) for name in ("merged", "interference", "missed")}
    errors = {
        "several_regions": counts.regions - counts.pairs - counts.lone_regions,
        "several_targets": counts.targets - counts.pairs - counts.lone_targets,
        "clutter": counts.lone_regions,
        "blindness": counts.lone_targets,
    }
    return {
        "segmentation": segmentation_iou(counts),
        **{name: ratio(sums.sum(), n_pairs, NO_PAIR) for name, sums in of_pairs.items()},
        "localisation": localisation_iou(counts),
        **{name: ratio(sums.sum(), n_outcomes, NOTHING) for name, sums in errors.items()},
    }


def with_padding(counts: HierarchicalCounts) -> HierarchicalCounts:
    """The unpadded counts, padded as the authors' toolkit, PyIRSTDMetrics 1.0.2, does.

    Run on such images, with its default matching, it counts a missed target in every image
    without targets and a false alarm in every image without kept regions. Whether the paper
    means that is not known here.

    Parameters
    ----------
    counts : HierarchicalCounts

    Returns
    -------
    HierarchicalCounts
    """
    no_target, no_region = counts.targets == 0, counts.regions == 0
    return replace(
        counts,
        targets=counts.targets + no_target,
        regions=counts.regions + no_region,
        lone_targets=counts.lone_targets + no_target,
        lone_regions=counts.lone_regions + no_region,
    )
