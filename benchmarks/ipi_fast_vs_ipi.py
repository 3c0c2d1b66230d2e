"""How far ``ipi-fast`` is from ``ipi``: 40 images of the training split of NUDT-SIRST.

Prints a line per image and a summary; run with one BLAS thread to compare times::

    OPENBLAS_NUM_THREADS=1 python benchmarks/ipi_fast_vs_ipi.py
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

import irbench

SAME_PEAK_PX = 2
"""Peaks within so many rows and columns of each other count as the same."""


@dataclass(frozen=True)
class Comparison:
    """The two maps of one image, compared."""

    correlation: float
    same_peak: bool
    target_rank: tuple[float, float]
    seconds: tuple[float, float]


def compare(
    maps: list[NDArray[np.float64]], mask: NDArray[np.bool_], seconds: list[float]
) -> Comparison:
    """Compare maps by their positive parts, the part that detection sees.

    A map without a positive value has no peak; two such maps agree completely.
    """
    positive = [np.maximum(score_map, 0.0) for score_map in maps]
    exact, fast = positive
    if exact.any() and fast.any():
        correlation = float(np.corrcoef(exact.ravel(), fast.ravel())[0, 1])
    else:
        correlation = float(exact.any() == fast.any())
    peaks = [np.unravel_index(int(part.argmax()), part.shape) for part in positive]
    distance = max(abs(int(a) - int(b)) for a, b in zip(*peaks, strict=True))
    return Comparison(
        correlation=correlation,
        same_peak=exact.any() == fast.any() and distance <= SAME_PEAK_PX,
        target_rank=(target_rank(exact, mask), target_rank(fast, mask)),
        seconds=(seconds[0], seconds[1]),
    )


def target_rank(score_map: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    """One more than the number of false peaks above the best target; infinite if it is 0."""
    best = score_map[mask].max(initial=0.0)
    if best == 0.0:
        return float("inf")
    peaks = (score_map == maximum_filter(score_map, 3)) & (score_map > best) & ~mask
    return 1.0 + float(np.count_nonzero(peaks))


def main() -> None:
    """Compare the two on evenly spaced images of the split."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--images", type=int, default=40, help="number of images (default 40)")
    n_images = parser.parse_args().images
    dataset = irbench.load_dataset("nudt", split="train")
    methods = [irbench.load_method(name) for name in ("ipi", "ipi-fast")]

    rows = []
    print(
        "image       correlation  same peak  rank of best target (ipi, fast)  seconds (ipi, fast)"
    )
    for index in np.linspace(0, len(dataset) - 1, n_images).round().astype(int):
        sample = dataset[int(index)]
        maps, seconds = [], []
        for method in methods:
            start = time.perf_counter()
            maps.append(method.compute(method.preprocess(sample.image)))
            seconds.append(time.perf_counter() - start)
        row = compare(maps, sample.mask, seconds)
        rows.append(row)
        ranks = "{:.0f} {:.0f}".format(*row.target_rank)
        print(
            f"{sample.id:10s}  {row.correlation:11.3f}  {row.same_peak!s:9s}  {ranks:31s}  "
            f"{row.seconds[0]:.2f} {row.seconds[1]:.2f}"
        )

    correlations = np.array([row.correlation for row in rows])
    quartiles = np.quantile(correlations, [0.25, 0.5, 0.75])
    rank_pairs = np.array([row.target_rank for row in rows])
    first, third = (rank_pairs <= 1).mean(axis=0), (rank_pairs <= 3).mean(axis=0)
    medians = np.median([row.seconds for row in rows], axis=0)
    print(f"correlation of the maps, quartiles: {' '.join(f'{value:.3f}' for value in quartiles)}")
    print(f"same highest peak: {np.mean([row.same_peak for row in rows]):.1%}")
    print(f"best target first: ipi {first[0]:.1%}, ipi-fast {first[1]:.1%}")
    print(f"best target among the first three: ipi {third[0]:.1%}, ipi-fast {third[1]:.1%}")
    print(f"median seconds: ipi {medians[0]:.2f}, ipi-fast {medians[1]:.2f}")


if __name__ == "__main__":
    main()
