"""Statistics of a dataset: how many targets, how large, and how far above their clutter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.data.findings import plural
from irbench.data.manifest import usable_samples
from irbench.dataset import Dataset
from irbench.ground_truth import GroundTruth
from irbench.messages.progress import Progress
from irbench.metrics.signal_to_clutter import signal_to_clutter

AREA_BINS: tuple[tuple[int, int | None], ...] = ((1, 9), (10, 25), (26, 49), (50, None))
"""Target areas in pixels, both bounds included; None is open."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The quantiles of the signal-to-clutter ratio that are reported."""


@dataclass(frozen=True, kw_only=True)
class DatasetStats:
    """Statistics of one split.

    Attributes
    ----------
    dataset, scheme, split : str
    n_images : int
        Readable ones; the others are ``n_unreadable``.
    n_unreadable : int
    n_targets : int
    shapes : dict of (int, int) to int
        Number of images of each height and width, the most frequent first.
    dtypes : dict of str to int
    targets_per_image : dict of int to int
        Number of images with so many targets, 0 included where it occurs.
    area_bins : dict of str to int
        Number of targets by area in pixels; of targets that have a box only, by
        the area of the box.
    n_box_only : int
        Targets without a mask.
    scr_quantiles : dict of float to float, or None
        Of the local signal-to-clutter ratio; None where no target has one.
    n_scr_undefined : int
        Targets on a flat background, or without a mask or a background.
    classes : dict of str to int
        Labels by class, those included that are no targets; empty where labels have no class.
    class_roles : dict of str to str
        ``"target"``, ``"ignored"`` or ``"unused"``.
    """

    dataset: str
    scheme: str
    split: str
    n_images: int
    n_unreadable: int
    n_targets: int
    shapes: dict[tuple[int, int], int]
    dtypes: dict[str, int]
    targets_per_image: dict[int, int]
    area_bins: dict[str, int]
    n_box_only: int
    scr_quantiles: dict[float, float] | None
    n_scr_undefined: int
    classes: dict[str, int]
    class_roles: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """The statistics as JSON takes them."""
        quantiles = self.scr_quantiles
        return {
            **vars(self),
            "shapes": [[height, width, n] for (height, width), n in self.shapes.items()],
            "targets_per_image": {str(n): m for n, m in self.targets_per_image.items()},
            "scr_quantiles": quantiles and {f"{q:g}": value for q, value in quantiles.items()},
        }


def compute_stats(dataset: Dataset, progress: Progress | None = None) -> DatasetStats:
    """Read every sample of a split and count."""
    unreadable: dict[str, str] = {}
    shapes: Counter[tuple[int, int]] = Counter()
    dtypes: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    areas: list[NDArray[np.float64]] = []
    ratios: list[NDArray[np.float64]] = []
    n_box_only = 0
    for _, sample in usable_samples(dataset, unreadable, progress):
        shapes[sample.shape] += 1
        dtypes[sample.image.dtype.name] += 1
        classes.update(sample.label_counts)
        areas.append(GroundTruth.of(sample).areas)
        if sample.targets is None:
            n_box_only += len(areas[-1])
            ratios.append(np.full(len(areas[-1]), np.nan))
        else:
            ratios.append(signal_to_clutter(sample.image, sample.targets))
    scr = np.concatenate([np.zeros(0), *ratios])
    defined = scr[~np.isnan(scr)]
    values = np.quantile(defined, QUANTILES).tolist() if defined.size else []
    return DatasetStats(
        dataset=dataset.info.name,
        scheme=dataset.scheme,
        split=dataset.split,
        n_images=len(areas),
        n_unreadable=len(unreadable),
        n_targets=len(scr),
        shapes=dict(shapes.most_common()),
        dtypes=dict(dtypes.most_common()),
        targets_per_image=dict(sorted(Counter(map(len, areas)).items())),
        area_bins=count_areas(np.concatenate([np.zeros(0), *areas])),
        n_box_only=n_box_only,
        scr_quantiles=dict(zip(QUANTILES, values, strict=True)) if values else None,
        n_scr_undefined=len(scr) - len(defined),
        classes=dict(classes.most_common()),
        class_roles={name: dataset.conventions.role_of(name) for name in classes},
    )


def count_areas(areas: NDArray[Any] | Sequence[float]) -> dict[str, int]:
    """How many targets fall into each of :data:`AREA_BINS`.

    Parameters
    ----------
    areas : (N,) array_like
        In pixels, at least 1. A fraction, as boxes have it, belongs to the bin
        of the whole number below it.

    Examples
    --------
    >>> count_areas([1, 9, 10, 300])
    {'1–9': 2, '10–25': 1, '26–49': 0, '≥50': 1}
    """
    whole = np.floor(np.asarray(areas, dtype=np.float64))
    return {
        f"≥{low}" if high is None else f"{low}–{high}": int(
            np.count_nonzero((whole >= low) & (whole <= (np.inf if high is None else high)))
        )
        for low, high in AREA_BINS
    }


def format_stats(stats: DatasetStats) -> list[str]:
    """The statistics as lines of text."""
    scheme = f" ({stats.scheme})" if stats.scheme else ""
    counts = f"{plural(stats.n_images, 'image')}, {plural(stats.n_targets, 'target')}"
    lines = [f"{stats.dataset} {stats.split}{scheme}: {counts}"]
    if stats.n_unreadable:
        lines.append(f"  unreadable        {plural(stats.n_unreadable, 'image')}, left out")
    lines.append(f"  image size        {_describe_shapes(stats.shapes)}; {', '.join(stats.dtypes)}")
    lines.append(f"  targets per image {_pairs(stats.targets_per_image)}")
    lines.append(f"  target area, px   {_pairs(stats.area_bins)}")
    if stats.n_box_only:
        lines.append(f"                    of boxes: {plural(stats.n_box_only, 'target')}")
    if stats.classes:
        shown = (
            f"{name}: {n}" + ("" if (role := stats.class_roles[name]) == "target" else f" ({role})")
            for name, n in stats.classes.items()
        )
        lines.append(f"  labels by class   {', '.join(shown)}")
    if stats.scr_quantiles is not None:
        parts = (f"{100 * q:g} %: {value:.2f}" for q, value in stats.scr_quantiles.items())
        lines.append(f"  local SCR         {', '.join(parts)}")
    if stats.n_scr_undefined:
        n = plural(stats.n_scr_undefined, "target")
        heading = "local SCR" if stats.scr_quantiles is None else ""
        lines.append(f"  {heading:17} undefined: {n}")
    return lines


def _describe_shapes(shapes: dict[tuple[int, int], int]) -> str:
    if len(shapes) > 3:
        heights, widths = zip(*shapes, strict=True)
        return (
            f"{len(shapes)} sizes, {min(heights)} to {max(heights)} high and {min(widths)} to "
            f"{max(widths)} wide"
        )
    return ", ".join(f"{height}x{width} ({n})" for (height, width), n in shapes.items()) or "none"


def _pairs(counts: dict[Any, int]) -> str:
    return ", ".join(f"{key}: {n}" for key, n in counts.items()) or "none"
