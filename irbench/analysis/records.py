"""Records of one method: flat dictionaries, the rows of CSV files and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.analysis.analysed_method import AnalysedMethod
from irbench.analysis.jitter import Jitter, PixelSets
from irbench.analysis.score_curves import (
    DISTANCES_PX,
    IOU_THRESHOLDS,
    pd_by_distance,
    threshold_curve,
)
from irbench.analysis.sensitivity import ScoreSpread, box_spreads, pixel_spreads, point_spreads
from irbench.analysis.strata import Strata, StratumScores, shares
from irbench.analysis.taxonomy import DETECTION_KINDS, TARGET_KINDS
from irbench.metrics.average_precision import average_precision
from irbench.metrics.breakdown import (
    BreakdownRow,
    by_signal_to_clutter,
    by_target_area,
    by_target_count,
)
from irbench.metrics.hierarchical_iou import error_split

Record = dict[str, Any]


def operating_records(method: AnalysedMethod) -> Iterator[Record]:
    """The scores at the operating point, and the best F1 that any threshold gives."""
    values = method.output.result.values
    curve = threshold_curve(method.table, method.output.protocol.iou_threshold)
    best = int(np.argmax(curve.f1)) if len(curve) else None
    yield {
        "threshold": method.output.threshold,
        **{name: values[name] for name in ("precision", "recall", "f1", "map50", "pd")},
        "best_f1": None if best is None else float(curve.f1[best]),
        "best_threshold": None if best is None else float(curve.thresholds[best]),
    }


def ap_records(method: AnalysedMethod) -> Iterator[Record]:
    """AP at each IoU threshold."""
    for iou in IOU_THRESHOLDS:
        yield {"iou": iou, "ap": average_precision(method.table, iou).value}


def distance_records(method: AnalysedMethod) -> Iterator[Record]:
    """Pd at each centroid distance."""
    if method.output.threshold is None:
        return
    found = pd_by_distance(method.kept, method.targets)
    for distance, pd in zip(DISTANCES_PX, found, strict=True):
        yield {"distance_px": distance, "pd": pd}


def threshold_records(method: AnalysedMethod) -> Iterator[Record]:
    """Precision, recall and F1 at each score threshold."""
    curve = threshold_curve(method.table, method.output.protocol.iou_threshold)
    columns = (curve.thresholds, curve.precision, curve.recall, curve.f1)
    for threshold, precision, recall, f1 in zip(*(c.tolist() for c in columns), strict=True):
        yield {"threshold": threshold, "precision": precision, "recall": recall, "f1": f1}


def sensitivity_records(
    method: AnalysedMethod,
    jitters: Sequence[tuple[Jitter, PixelSets | None]],
    strata: Strata,
) -> Iterator[Record]:
    """Scores under jitter: mean, standard deviation, least and greatest of the repeats.

    Parameters
    ----------
    method : AnalysedMethod
    jitters : sequence of (Jitter, PixelSets or None)
        Amplitude 0 is the ground truth as it is.
    strata : Strata
        Of the targets.
    """
    protocol = method.output.protocol
    for jitter, masks in jitters:
        spreads = box_spreads(
            method.detections,
            method.targets,
            jitter,
            strata,
            method.output.threshold,
            protocol.iou_threshold,
        )
        if method.output.threshold is not None:
            spreads += point_spreads(
                method.kept, method.targets, jitter, strata, protocol.distance_px
            )
            if masks is not None and method.output.has_regions:
                spreads += pixel_spreads(method.output.kept, method.output.truths, masks)
        for spread in spreads:
            yield {
                "jitter": jitter.kind,
                "amplitude_px": jitter.amplitude_px,
                "area": spread.level,
                "score": spread.score,
                **_describe(spread),
            }


def breakdown_records(
    method: AnalysedMethod, strata: Sequence[Strata], scr: NDArray[np.float64] | None
) -> Iterator[Record]:
    """Recall, Pd and AP of each level.

    Recall and Pd are shares of the hits of the whole set, and so levels add up to it. AP and
    false alarms are those of :mod:`irbench.metrics.breakdown`; ``map50_normalised`` takes the
    number of targets of a level out of AP, see
    :class:`irbench.analysis.strata.StratumScores`.

    Parameters
    ----------
    method : AnalysedMethod
    strata : sequence of Strata
        By ``"area"`` and ``"scr"`` of targets, by ``"targets"`` of images.
    scr : (n_targets,) ndarray of float64, or None
        Local signal-to-clutter ratios; needed for strata by them.
    """
    hit = method.hit_by >= 0
    has_threshold = method.output.threshold is not None
    scorer = StratumScores(method.detections.scores, len(method.targets))
    for one in strata:
        of_images = one.by == "targets"
        level = one.level[method.targets.image] if of_images else one.level
        recalls = shares(method.kept_hit_by >= 0, level, len(one.names))
        pds = shares(method.near, level, len(one.names))
        for row, recall, pd in zip(_breakdown(method, one.by, scr), recalls, pds, strict=True):
            index = one.names.index(row.label)
            members = level == index
            image = one.level == index if of_images else np.unique(method.targets.image[members])
            n_part = int(members.sum())
            yield {
                "by": one.by,
                "level": row.label,
                "n_images": int(image.sum()) if of_images else len(image),
                "n_targets": n_part,
                "recall": recall if has_threshold else None,
                "pd": pd if has_threshold else None,
                "map50": row.average_precision.value,
                "map50_normalised": None
                if of_images
                else scorer.average_precision(method.hit_by[hit], members[hit], n_part),
                "false_alarms": row.n_false_alarms,
            }


def _breakdown(
    method: AnalysedMethod, by: str, scr: NDArray[np.float64] | None
) -> tuple[BreakdownRow, ...]:
    options: dict[str, Any] = {
        "threshold": method.output.threshold,
        "iou_threshold": method.output.protocol.iou_threshold,
        "max_detections": method.output.protocol.max_detections,
    }
    if by == "scr":
        assert scr is not None
        ratios = np.split(scr, np.cumsum(method.targets.counts)[:-1])
        return by_signal_to_clutter(method.output.images, method.output.truths, ratios, **options)
    divide = by_target_area if by == "area" else by_target_count
    return divide(method.output.images, method.output.truths, **options)


def error_records(method: AnalysedMethod) -> Iterator[Record]:
    """Number and share of each kind of target and of kept detection."""
    if method.output.threshold is None:
        return
    for objects, counts in (
        ("targets", method.errors.target_counts),
        ("detections", method.errors.detection_counts),
    ):
        total = sum(counts.values())
        for kind, count in counts.items():
            share = count / total if total else None
            yield {"of": objects, "kind": kind, "count": count, "share": share}


def hierarchy_records(method: AnalysedMethod) -> Iterator[Record]:
    """What hIoU is made of, and what is missing in each of its factors; none without regions."""
    counts = method.output.result.counts.regions
    if counts is None:
        return
    for term, share in error_split(counts).items():
        yield {"term": term, "share": share.value}


def image_records(method: AnalysedMethod) -> Iterator[Record]:
    """The images with a mistake, the worst first."""
    if method.output.threshold is None:
        return
    missed, false = mistakes(method)
    order = sorted(
        np.flatnonzero(missed + false).tolist(),
        key=lambda i: (-(missed[i] + false[i]), -missed[i], method.output.truths[i].id),
    )
    for index in order:
        yield {
            "image": method.output.truths[index].id,
            "n_targets": int(method.targets.counts[index]),
            "missed": int(missed[index]),
            "false_alarms": int(false[index]),
        }


def mistakes(method: AnalysedMethod) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """``(n_images,)`` targets that are not hit, and kept detections that hit none."""
    hit = method.kept_hit_by >= 0
    hits = np.bincount(method.targets.image[hit], minlength=len(method.output.truths))
    return method.targets.counts - hits, method.kept.counts - hits


def target_records(method: AnalysedMethod, scr: NDArray[np.float64] | None) -> Iterator[Record]:
    """What became of every target."""
    if method.output.threshold is None:
        return
    targets = method.targets
    ratios = [None] * len(targets) if scr is None else scr.tolist()
    for index, image in enumerate(targets.image.tolist()):
        ratio = ratios[index]
        yield {
            "image": method.output.truths[image].id,
            **_box(targets.boxes[index]),
            "area": float(targets.areas[index]),
            "scr": None if ratio is None or np.isnan(ratio) else ratio,
            "kind": TARGET_KINDS[method.errors.targets[index]],
            "near": bool(method.near[index]),
        }


def detection_records(method: AnalysedMethod) -> Iterator[Record]:
    """What every kept detection is."""
    kept = method.kept
    for index, image in enumerate(kept.image.tolist()):
        yield {
            "image": method.output.truths[image].id,
            **_box(kept.boxes[index]),
            "score": float(kept.scores[index]),
            "kind": DETECTION_KINDS[method.errors.detections[index]],
        }


def _describe(spread: ScoreSpread) -> Record:
    values = spread.values
    return {
        "mean": float(values.mean()),
        "std": float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        "least": float(values.min()),
        "greatest": float(values.max()),
        "n_repeats": len(values),
    }


def _box(box: NDArray[np.float64]) -> Record:
    return dict(zip(("x0", "y0", "x1", "y1"), box.tolist(), strict=True))
