"""Envelopes of precision over recall, as compiled code; see :mod:`irbench.compiling`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.compiling import compiled


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
        for place in range(len(recalls) - 1, -1, -1):
            # From the far end: each point counts for all recalls up to its own.
            while point >= 0 and true_positives[draw, point] / targets >= recalls[place]:
                if kept[draw, point] > 0:
                    best = max(best, true_positives[draw, point] / kept[draw, point])
                point -= 1
            envelope[draw, place] = best
    return envelope


@compiled
def precision_of_ranking(
    weights: NDArray[np.float64],
    images: NDArray[np.int64],
    last: NDArray[np.int64],
    point: NDArray[np.int64],
    kept: NDArray[np.float64],
    n_targets: NDArray[np.float64],
    recalls: NDArray[np.float64],
) -> NDArray[np.float64]:
    """As :func:`precision_at_recalls`, of hits that are counted on the way.

    Parameters
    ----------
    weights : (n_draws, n_images) ndarray of float64
        How often each image counts in each draw.
    images : (n_hits,) ndarray of int64
        Of each hit, best first.
    last : (n_points,) ndarray of int64
        The last hit of each score that hits have.
    point : (n_points,) ndarray of int64
        Its place in ``kept``.
    kept : (n_draws, n_kept) ndarray of float64
        Kept detections at some scores, best first.
    n_targets : (n_draws,) ndarray of float64
    recalls : (n,) ndarray of float64
        Ascending.

    Returns
    -------
    (n_draws, n) ndarray of float64
        0 where no point reaches a recall.
    """
    n_draws, n_points = len(weights), len(last)
    envelope = np.empty((n_draws, len(recalls)))
    hits = np.empty(n_points)
    for draw in range(n_draws):
        total, first = 0.0, 0
        for place in range(n_points):
            for hit in range(first, last[place] + 1):
                total += weights[draw, images[hit]]
            hits[place] = total
            first = last[place] + 1
        targets = n_targets[draw] if n_targets[draw] > 0 else 1.0
        # The loop above once more: as a function of both it took a quarter longer.
        index, best = n_points - 1, 0.0
        for place in range(len(recalls) - 1, -1, -1):
            while index >= 0 and hits[index] / targets >= recalls[place]:
                n_kept = kept[draw, point[index]]
                if n_kept > 0:
                    best = max(best, hits[index] / n_kept)
                index -= 1
            envelope[draw, place] = best
    return envelope


@compiled
def joined_at_recalls(
    hits: NDArray[np.float64],
    kept: NDArray[np.float64],
    before: NDArray[np.float64],
    n_kept: NDArray[np.float64],
    n_targets: NDArray[np.float64],
    recalls: NDArray[np.float64],
    triangle: bool,
) -> NDArray[np.float64]:
    """Precision of the envelope joined by lines, of many curves.

    See :func:`irbench.metrics.yolo_average_precision.joined_at_recalls`, which returns the same.
    """
    n_draws, n_points = hits.shape
    read = np.zeros((n_draws, len(recalls)))
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
        for place in range(2 * n_points + 1):
            if place == 2 * n_points:
                now = n_kept[draw]
            elif place % 2 == 0:
                now = before[draw, place // 2]
            else:
                now = kept[draw, place // 2]
                found = hits[draw, place // 2]
            if now > counted:
                recall[n], precision[n] = found / targets, found / now
                n += 1
            counted = now
        if n == 1:
            continue
        if not triangle:
            recall[n], precision[n] = recall[n - 1], 0.0
            n += 1
        recall[n], precision[n] = 1.0, 0.0
        n += 1
        for index in range(n - 2, -1, -1):
            precision[index] = max(precision[index], precision[index + 1])
        # As np.interp: of points of one recall the last.
        index = 0
        for place in range(len(recalls)):
            wanted = recalls[place]
            while index + 1 < n and recall[index + 1] <= wanted:
                index += 1
            if index == n - 1 or recall[index] == wanted:
                read[draw, place] = precision[index]
            else:
                rise = precision[index + 1] - precision[index]
                slope = rise / (recall[index + 1] - recall[index])
                read[draw, place] = slope * (wanted - recall[index]) + precision[index]
    return read
