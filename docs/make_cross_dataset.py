"""Tests the shipped networks on the datasets that they were not trained on, and makes the table.

Run it from the repository's root, after the runs that docs/results/ is made of::

    python docs/make_cross_dataset.py runs/nudt runs/nuaa runs/irstd1k

Extent and threshold are chosen on the validation split of the tested dataset, as in every run; only
the weights come from elsewhere. It may be stopped and repeated: what is finished is kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from _commands import irbench

from irbench.engine.storage.results import load_run
from irbench.markup.csv_text import CsvWriter

METHODS = ("le-irstd", "yolov8n")
METRICS = {"f1": "F1", "map50": "mAP@50", "map30": "mAP@30", "pd": "Pd"}


Found = Mapping[tuple[str, str], Mapping[str, Mapping[str, float | None]]]
"""By what the weights were trained on and what was tested: by method, by metric."""

INTRODUCTION = """# Trained on one dataset, tested on another

Per cent, on the test split (60-20-20). The threshold is chosen on the validation split of the
tested dataset; the weights come from the dataset in the second column. *Slanted*: trained on the
tested dataset itself. Weights of NUAA-SIRST and IRSTD-1k began with those of another dataset, which
their cards name. Made by `python docs/make_cross_dataset.py runs/nudt runs/nuaa runs/irstd1k`.
"""


def run_elsewhere(trained: str, tested: str, out: Path, jobs: int) -> Path:
    """Run the networks with the weights of one dataset on another."""
    weights = [f"--param={method}.weights={trained}" for method in METHODS]
    irbench(
        *("run", "--methods", ",".join(METHODS), "--dataset", tested, *weights),
        *("--timing-images", 0, "--jobs", jobs, "--out", out),
    )
    return out


def values_of(run: Path) -> dict[str, dict[str, Any]]:
    """Of each method of :data:`METHODS` in a run, what was measured."""
    rows = {row["method"]: row for row in load_run(run).rows}
    return {method: {name: rows[method].get(name) for name in METRICS} for method in METHODS}


def table(
    found: Found, datasets: Sequence[str]
) -> Iterator[tuple[str, str, list[tuple[str, float | None]]]]:
    """Rows of the table: method, what it was trained on, and what was tested with each value."""
    for method in METHODS:
        for trained in datasets:
            yield (
                method,
                trained,
                [(on, found[trained, on][method][name]) for on in datasets for name in METRICS],
            )


def markdown(found: Found, datasets: Sequence[str]) -> Iterator[str]:
    """The page, line by line."""
    yield INTRODUCTION
    titles = [f"{tested}: {title}" for tested in datasets for title in METRICS.values()]
    yield f"| Method | Trained on | {' | '.join(titles)} |"
    yield f"| --- | --- |{' ---: |' * len(titles)}"
    for method, trained, values in table(found, datasets):
        cells = [_cell(value, tested == trained) for tested, value in values]
        yield f"| {method} | {trained} | {' | '.join(cells)} |"


def _cell(value: float | None, is_own: bool) -> str:
    text = "-" if value is None else f"{100 * value:.2f}"
    return f"*{text}*" if is_own else text


def main() -> None:
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="each on its own dataset")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cross", type=Path, default=Path("runs/cross"))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args()
    own = {load_run(run).run["dataset"]["name"]: run for run in options.runs}
    found = {}
    for trained in own:
        for tested, run in own.items():
            if trained != tested:
                out = options.cross / f"{trained}-on-{tested}"
                run = run_elsewhere(trained, tested, out, options.jobs)
            found[trained, tested] = values_of(run)
    datasets = list(own)
    text = "\n".join(markdown(found, datasets)) + "\n"
    (options.out / "cross-dataset.md").write_text(text)
    with (options.out / "cross-dataset.csv").open("w", newline="") as file:
        titles = [f"{tested}_{name}" for tested in datasets for name in METRICS]
        columns = ("method", "trained_on", *titles)
        writer = CsvWriter(file, columns, line_end="\r\n")
        for method, trained, values in table(found, datasets):
            cells = (method, trained, *(value for _, value in values))
            writer.write(dict(zip(columns, cells, strict=True)))


if __name__ == "__main__":
    main()
