"""Forms of metrics over many draws, as compiled code; see :mod:`irbench.process.compiling`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.process.compiling import compiled


@compiled
def precision_at_recalls(
    true_positives: NDArray[np.float64],
    kept: NDArray[np.float64],
    n_targets: NDArray[np.float64],
    recalls: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The greatest precision from each recall on, of many curves.

    Parameters
    ----------
    true_positives, kept : (n_draws, n_points) ndarray of float64
        Neither falls along a draw.
    n_targets : (n_draws,) ndarray of float64
    recalls : (n,) ndarray of float64
        Ascending.

    Returns
    -------
    (n_draws, n) ndarray of float64
        0 where no point reaches a recall.
    """
    n_draws, n_points = kept.shape
    envelope = np.empty((n_draws, len(recalls)))
    for draw in range(n_draws):
        targets = n_targets[draw] if n_targets[draw] > 0 else 1.0
        point, best = n_points - 1, 0.0
        for level in range(len(recalls) - 1, -1, -1):
            # From the far end: each point counts for all recalls up to its own.
            while point >= 0 and true_positives[draw, point] / targets >= recalls[level]:
                if kept[draw, point] > 0:
                    best = max(best, true_positives[draw, point] / kept[draw, point])
                point -= 1
            envelope[draw, level] = best
    return envelope


@compiled
def _mean(values: NDArray[np.float64]) -> float:
    """Of at most 128 values, added up in the order in which NumPy does: the very same bits."""
    n = len(values)
    total, first = 0.0, 0
    if n >= 8:
        part = values[:8].copy()
        first = n - n % 8
        for start in range(8, first, 8):
            for lane in range(8):
                part[lane] += values[start + lane]
        total = ((part[0] + part[1]) + (part[2] + part[3])) + (
            (part[4] + part[5]) + (part[6] + part[7])
        )
    for index in range(first, n):
        total += values[index]
    return total / n


@compiled
def mean_precisions(
    weights: NDArray[np.float64],
    images: NDArray[np.int64],
    last: NDArray[np.int64],
    point: NDArray[np.int64],
    offsets: NDArray[np.int64],
    kept: NDArray[np.float64],
    n_targets: NDArray[np.float64],
    recalls: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Means of :func:`precision_at_recalls`, of several rankings whose hits are counted on the way.

    Parameters
    ----------
    weights : (n_draws, n_images) ndarray of float64
        How often each image counts in each draw.
    images : (n_hits,) ndarray of int64
        Of each hit, best first; those of one ranking after those of another.
    last : (n_points,) ndarray of int64
        The last hit of each score that hits have.
    point : (n_points,) ndarray of int64
        Its column of ``kept``.
    offsets : (n_rankings + 1,) ndarray of int64
        A ranking has the points ``offsets[i]:offsets[i + 1]``.
    kept : (n_draws, n_kept) ndarray of float64
        Kept detections at some scores, best first.
    n_targets : (n, n_draws) ndarray of float64
        Several numbers of targets for each draw.
    recalls : (n_recalls,) ndarray of float64
        Ascending from 0, at most 128; evenly spaced ones are found soonest.

    Returns
    -------
    (n_rankings, n, n_draws) ndarray of float64
        Precision is 0 where no point reaches a recall.
    """
    n_draws, n_recalls = len(weights), len(recalls)
    means = np.empty((len(offsets) - 1, len(n_targets), n_draws))
    hits, precision = np.empty(len(last)), np.empty(len(last))
    best = np.empty(n_recalls)
    for draw in range(n_draws):
        first = 0
        for ranking in range(len(means)):
            n, total = 0, 0.0
            for index in range(offsets[ranking], offsets[ranking + 1]):
                before = total
                for hit in range(first, last[index] + 1):
                    total += weights[draw, images[hit]]
                first = last[index] + 1
                hits[n], precision[n] = total, kept[draw, point[index]]
                # Hits that a draw has not got lower the precision at a recall, or change nothing:
                # the next point overwrites theirs.
                n += total > before
            for index in range(n):
                precision[index] = hits[index] / precision[index]
            for which in range(len(n_targets)):
                # Of three draws to five nothing is missed that the first number does not count.
                if which > 0 and n_targets[which, draw] == n_targets[0, draw]:
                    means[ranking, which, draw] = means[ranking, 0, draw]
                    continue
                targets = n_targets[which, draw] if n_targets[which, draw] > 0 else 1.0
                best[:] = 0.0
                # Branches that depend on the draw would take longer than all arithmetic: so each
                # point goes to the greatest recall that it reaches, and from there to all below.
                for index in range(n):
                    recall = hits[index] / targets
                    reached = min(int(recall * (n_recalls - 1)), n_recalls - 1)
                    while reached + 1 < n_recalls and recalls[reached + 1] <= recall:
                        reached += 1
                    while recalls[reached] > recall:
                        reached -= 1
                    best[reached] = max(best[reached], precision[index])
                for level in range(n_recalls - 2, -1, -1):
                    best[level] = max(best[level], best[level + 1])
                means[ranking, which, draw] = _mean(best)
    return means


@compiled
def joined_at_recalls(
    hits: NDArray[np.float64],
    kept: NDArray[np.float64],
    before: NDArray[np.float64],
    n_kept: NDArray[np.float64],
    n_targets: NDArray[np.float64],
    recalls: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Precision of the envelope joined by lines, of many curves.

    See :func:`irbench.metrics.yolo_average_precision.joined_at_recalls`, which returns the same.
    """
    n_draws, n_points = hits.shape
    read = np.zeros((2, n_draws, len(recalls)))
    recall = np.empty(2 * n_points + 4)
    precision = np.empty(2 * n_points + 4)
    for draw in range(n_draws):
        targets = n_targets[draw]
        if targets <= 0:
            continue
        recall[0], precision[0] = 0.0, 1.0
        n, found, counted = 1, 0.0, 0.0
        # A point before each rise of recall, one after it, and the last of all; what the draw
        # has not got is none.
        for point in range(n_points):
            now = before[draw, point]
            recall[n], precision[n] = found, now
            n += now > counted
            counted, now = now, kept[draw, point]
            found = hits[draw, point]
            recall[n], precision[n] = found, now
            n += now > counted
            counted = now
        recall[n], precision[n] = found, n_kept[draw]
        n += n_kept[draw] > counted
        if n == 1:
            continue
        for point in range(1, n):
            precision[point] = recall[point] / precision[point]
            recall[point] /= targets
        # Precision 0 at the end lowers no envelope.
        for point in range(n - 2, -1, -1):
            precision[point] = max(precision[point], precision[point + 1])
        for triangle in range(2):
            last = n
            if not triangle:
                recall[last], precision[last] = recall[n - 1], 0.0
                last += 1
            recall[last], precision[last] = 1.0, 0.0
            last += 1
            # As np.interp: of points of one recall the last.
            index = 0
            for level in range(len(recalls)):
                wanted = recalls[level]
                while index + 1 < last and recall[index + 1] <= wanted:
                    index += 1
                if index == last - 1 or recall[index] == wanted:
                    read[triangle, draw, level] = precision[index]
                else:
                    rise = precision[index + 1] - precision[index]
                    slope = rise / (recall[index + 1] - recall[index])
                    read[triangle, draw, level] = (
                        slope * (wanted - recall[index]) + precision[index]
                    )
    return read


@compiled
def best_f1(
    hits: NDArray[np.float64],
    kept: NDArray[np.float64],
    n_kept: NDArray[np.float64],
    n_targets: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Hits and kept detections at the greatest F1 of many curves, of equal ones the first.

    Parameters
    ----------
    hits, kept : (n_draws, n_points) ndarray of float64
    n_kept, n_targets : (n_draws,) ndarray of float64

    Returns
    -------
    (2, n_draws) ndarray of float64
        0 and all detections where nothing hits.
    """
    n_draws, n_points = hits.shape
    found = np.zeros((2, n_draws))
    for draw in range(n_draws):
        best, found[1, draw] = 0.0, n_kept[draw]
        for point in range(n_points):
            f1 = 2 * hits[draw, point] / (kept[draw, point] + n_targets[draw])
            if f1 > best:
                best = f1
                found[0, draw], found[1, draw] = hits[draw, point], kept[draw, point]
    return found


@compiled
def weighted_medians(
    weights: NDArray[np.float64], images: NDArray[np.int64], ranked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """As :func:`irbench.metrics.clutter_suppression.weighted_medians`, which documents it."""
    n_draws, n = len(weights), len(ranked)
    found = np.full(n_draws, np.nan)
    reached = np.empty(n)
    for draw in range(n_draws):
        total = 0.0
        for index in range(n):
            total += weights[draw, images[index]]
            reached[index] = total
        half = total / 2
        if half > 0:
            lower = np.searchsorted(reached, half, side="left")
            upper = np.searchsorted(reached, half, side="right")
            found[draw] = (ranked[lower] + ranked[upper]) / 2
    return found
