"""How often 95 % intervals cover the truth, and how often the paired test errs.

OMP_NUM_THREADS=1 python benchmarks/interval_coverage.py       # 2,000 repetitions, 8 minutes
python benchmarks/interval_coverage.py --repetitions 200       # a first look
python benchmarks/interval_coverage.py --write-readme          # the tables of README.md

Samples of images are drawn from a superpopulation whose metrics are known exactly; of each, the
intervals and the test are those of ``irbench report`` and ``irbench compare``, made by the same
functions. No data are needed; one core is used. It is not called coverage.py: the package of that
name is looked for by others.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from _interval_coverage import NAMES, PRINTED, Kind, Misses, Outcome
from _superpopulation import METRICS, DetectorModel, Superpopulation
from _tables import table, write_into

from irbench.statistics.bootstrap import LEVEL

README = Path(__file__).with_name("README.md")
BEGIN = "<!-- coverage: begin (written by interval_coverage.py) -->"
END = "<!-- coverage: end -->"

MODELS = (
    DetectorModel("near-perfect", power=3.2, clutter=0.6),
    DetectorModel("network", power=2.7, clutter=1.0),
    DetectorModel("filter", power=0.8, clutter=3.0),
)
SIZES = (100, 266)
KINDS: tuple[Kind, ...] = ("percentile", PRINTED)
KINDS_OF_DIFFERENCES: tuple[Kind, ...] = ("percentile", PRINTED)
MOST_OFF = 0.015
"""By how much coverage may differ from the level."""
FALSE_POSITIVES = (0.035, 0.065)

_TITLES = {metric.name: metric.title for metric in METRICS}


def percent(value: float, decimals: int = 1) -> str:
    """A fraction as it is printed."""
    return f"{100 * value:.{decimals}f}"


def interval_cells(intervals: list[Misses]) -> list[str]:
    """Of each kind coverage, misses on either side and mean width; of the last its verdict."""
    cells = []
    for one in intervals:
        n = len(one.widths)
        shares = (one.coverage, one.too_high / n, one.too_low / n)
        cells += [*map(percent, shares), percent(float(np.mean(one.widths)), 2)]
    # Half a sample's slack for rounding: 1.5 points are 1.5 points.
    met = abs(intervals[-1].coverage - LEVEL) <= MOST_OFF + 1e-9
    return [*cells, "yes" if met else "no"]


def interval_table(head: list[str], kinds: tuple[Kind, ...], rows: list[list[str]]) -> str:
    """Rows of :func:`interval_cells` behind other cells."""
    sides = ("covered", "too high", "too low", "width")
    heads = [*head, *(f"{kind}: {side}" for kind in kinds for side in sides), "met"]
    alignment = "lrlr" + "r" * len(sides) * len(kinds) + "l"
    return table(heads, rows, alignment)


def positive_row(title: str, n_images: int, n_repetitions: int, outcome: Outcome) -> list[str]:
    """The share of samples in which equal methods differ, by metric."""
    shares = [outcome.positives[title, name] / n_repetitions for name in NAMES]
    met = all(FALSE_POSITIVES[0] <= share <= FALSE_POSITIVES[1] for share in shares)
    cells = [percent(share, 2) for share in shares]
    return [title, str(n_images), *cells, "yes" if met else "no"]


def tables(outcomes: Mapping[int, Outcome], n_repetitions: int, n_resamples: int) -> str:
    """All tables as Markdown."""
    values, differences, positives = [], [], []
    for n_images, outcome in outcomes.items():
        size = str(n_images)
        for (title, name), one in outcome.values.items():
            cells = [title, size, _TITLES[name], percent(one[0].truth, 2)]
            values.append(cells + interval_cells(one))
        for (pair, name), one in outcome.differences.items():
            cells = [" − ".join(pair), size, _TITLES[name], percent(one[0].truth, 2)]
            differences.append(cells + interval_cells(one))
        positives += [
            positive_row(title, n_images, n_repetitions, outcome) for title in outcome.populations
        ]
    head = ["detector", "images", "metric", "truth"]
    first = (
        f"Intervals of a metric, {n_repetitions} samples of {n_resamples} draws, in per cent: the "
        "plain quantiles, and what irbench prints:"
    )
    return "\n\n".join(
        (
            first,
            interval_table(head, KINDS, values),
            "Intervals of a difference:",
            interval_table(["pair", *head[1:]], KINDS_OF_DIFFERENCES, differences),
            "Samples in which two equal methods differ at 5 %, in per cent:",
            table(["detector", "images", *_TITLES.values(), "met"], positives, "lrrrrrrl"),
        )
    )


def main() -> None:
    """Simulate both sizes, and print the tables."""
    parser = argparse.ArgumentParser(description="Coverage of intervals, errors of the test.")
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--images", type=int, nargs="+", default=SIZES)
    parser.add_argument("--write-readme", action="store_true", help="also write README.md")
    options = parser.parse_args()
    populations = {model.title: Superpopulation(model) for model in MODELS}
    outcomes = {}
    for n_images in options.images:
        print(f"{n_images} images", flush=True)
        outcomes[n_images] = Outcome(populations, KINDS, KINDS_OF_DIFFERENCES)
        outcomes[n_images].run(n_images, options.repetitions, options.resamples)
        # What is there is shown: the larger samples take longer.
        text = tables(outcomes, options.repetitions, options.resamples)
        print(text, flush=True)
    if options.write_readme:
        write_into(README, f"{text}\n", BEGIN, END)


if __name__ == "__main__":
    main()
