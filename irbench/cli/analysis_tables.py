"""An analysis in the terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from irbench.analysis.records import Record
from irbench.analysis.sensitivity import ALL
from irbench.analysis.study import EXACT, Analysis
from irbench.analysis.taxonomy import DETECTION_KINDS, TARGET_KINDS
from irbench.cli.plain_table import number_column, plain_table, results_console, text_column
from irbench.engine.storage.results import RunResults
from irbench.metrics.definition import METRICS
from irbench.metrics.metric import UNDEFINED_TEXT

N_WORST = 10
"""So many of the worst images are printed; JSON and CSV have all."""

IOUS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
DISTANCES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0)
AMPLITUDES = (0.0, 0.5, 1.0, 2.0)
SCORES = ("map50", "f1", "pd", "iou", "niou")
BY = {
    "scr": "local signal-to-clutter ratio",
    "area": "target area, px",
    "targets": "number of targets in the image",
}

Cell = Callable[[str], Sequence[str]]


def print_analysis(analysis: Analysis, results: RunResults, methods: Sequence[str]) -> None:
    """Print the tables of an analysis.

    Parameters
    ----------
    analysis : Analysis
    results : RunResults
        The run that it is of.
    methods : sequence of str
    """
    console = results_console()
    printer = _Printer(console, analysis, results, methods)
    dataset = results.dataset
    printer.say(
        f"\n{dataset['title']}, split {dataset['split']}{results.conditions}: "
        f"{dataset['n_images']} images, "
        f"{dataset['n_targets']} targets. All scores in %.",
        "bold",
    )
    printer.operating()
    printer.errors()
    printer.curve("AP against IoU", "ap_by_iou", "iou", "ap", IOUS)
    printer.curve(
        "Pd against centroid distance, px", "pd_by_distance", "distance_px", "pd", DISTANCES
    )
    for score in SCORES:
        printer.sensitivity(score)
    printer.sensitivity_by_area()
    for by in BY:
        printer.breakdown(by)
    printer.worst_images()
    console.print()
    for note in analysis.notes:
        printer.say(note, "dim")


class _Printer:
    def __init__(
        self, console: Console, analysis: Analysis, results: RunResults, methods: Sequence[str]
    ) -> None:
        self.console, self.analysis, self.methods = console, analysis, methods
        self.protocol = results.protocol
        self.titles = {row["method"]: row["title"] for row in results.rows}
        self.titles[EXACT] = "exact boxes"

    def say(self, text: str, style: str = "") -> None:
        self.console.print(text, style=style or None, markup=False)

    def table(
        self, title: str, heads: Sequence[str], cells: Cell, methods: Sequence[str] | None = None
    ) -> None:
        """A table with a row for each method that has something to report."""
        rows = {method: cells(method) for method in methods or self.methods}
        rows = {method: row for method, row in rows.items() if row}
        if not rows:
            return
        self.say(f"\n{title}", "bold")
        table = plain_table([text_column("Method", 20, 11), *map(number_column, heads)], gap=1)
        for method, row in rows.items():
            table.add_row(escape(self.titles[method]), *row)
        self.console.print(table)

    def operating(self) -> None:
        def cells(method: str) -> list[str]:
            (one,) = self.analysis.of("operating", method=method)
            names = ("precision", "recall", "f1", "pd", "map50", "best_f1")
            texts = [_percent(one[name]) for name in names]
            return [_number(one["threshold"]), *texts, _number(one["best_threshold"])]

        heads = ("threshold", "P", "R", "F1", "Pd", "AP@50", "best F1\n(oracle)", "at\nthreshold")
        self.table("Operating point, and the best F1 that any threshold gives", heads, cells)

    def errors(self) -> None:
        def cells(method: str) -> list[str]:
            found = self.analysis.of("errors", method=method)
            return [str(record["count"]) for record in found]

        heads = [f"target\n{kind}" for kind in TARGET_KINDS]
        heads += [f"detect.\n{kind}" for kind in DETECTION_KINDS]
        self.table("What became of each target, and of each kept detection", heads, cells)

    def curve(self, title: str, table: str, x: str, y: str, points: Sequence[float]) -> None:
        def cells(method: str) -> list[str]:
            values = {record[x]: record[y] for record in self.analysis.of(table, method=method)}
            return [_percent(values[point]) for point in points] if values else []

        self.table(title, [f"{point:g}" for point in points], cells)

    def sensitivity(self, score: str) -> None:
        records = _grouped(self.analysis.of("sensitivity", area=ALL, score=score), "method")

        def cells(method: str) -> list[str]:
            found = {(one["jitter"], one["amplitude_px"]): one for one in records[method]}
            if not found:
                return []
            columns = [("shift", amplitude) for amplitude in AMPLITUDES]
            columns += [("sides", amplitude) for amplitude in AMPLITUDES[1:]]
            return [_spread(found.get(column)) for column in columns]

        heads = ["as is", *(f"shift\n±{a:g} px" for a in AMPLITUDES[1:])]
        heads += [f"sides\n±{a:g} px" for a in AMPLITUDES[1:]]
        title = f"{METRICS[score].title} when the ground truth is moved at random: mean ± deviation"
        self.table(title, heads, cells, [*self.methods, EXACT])

    def sensitivity_by_area(self) -> None:
        records = _grouped(self.analysis.of("sensitivity", jitter="shift", score="map50"), "method")
        areas = list(
            dict.fromkeys(
                one["area"] for found in records.values() for one in found if one["area"] != ALL
            )
        )

        def cells(method: str) -> list[str]:
            found = {(one["area"], one["amplitude_px"]): one["mean"] for one in records[method]}
            columns = [(area, amplitude) for area in areas for amplitude in (0.0, 1.0)]
            return [_percent(found.get(column)) for column in columns] if found else []

        heads = [f"{area} px\n±{a:g}" for area in areas for a in (0, 1)]
        title = "AP@50 by target area when boxes are shifted (normalised precision)"
        self.table(title, heads, cells, [*self.methods, EXACT])

    def breakdown(self, by: str) -> None:
        records = _grouped(self.analysis.of("breakdown", by=by), "method")
        known = [one for found in list(records.values())[:1] for one in found if one["n_targets"]]

        def cells(method: str) -> list[str]:
            found = {one["level"]: one for one in records[method]}
            return [
                " ".join(
                    f"{_percent(found[one['level']][score]):>5}"
                    for score in ("recall", "pd", "map50")
                )
                for one in known
            ]

        heads = [f"{one['level']}  (n={one['n_targets']})\n    R    Pd    AP" for one in known]
        if known:
            self.table(f"Recall, Pd and AP@50 by {BY[by]}", heads, cells)

    def worst_images(self) -> None:
        totals: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for record in self.analysis.tables["images"]:
            total = totals[record["image"]]
            total[0] = record["n_targets"]
            total[1] += record["missed"]
            total[2] += record["false_alarms"]
        if not totals:
            return
        worst = sorted(totals.items(), key=lambda item: (-sum(item[1][1:]), item[0]))[:N_WORST]
        over = "" if len(self.methods) == 1 else f", summed over {len(self.methods)} methods"
        self.say(f"\nImages with most mistakes{over}; {len(totals)} have one", "bold")
        heads = ("targets", "missed", "false alarms")
        table = plain_table([text_column("Image"), *map(number_column, heads)])
        for image, counts in worst:
            table.add_row(escape(image), *map(str, counts))
        self.console.print(table)


def _grouped(records: Sequence[Record], by: str) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record[by]].append(record)
    return groups


def _percent(value: float | None) -> str:
    return UNDEFINED_TEXT if value is None else f"{100 * value:.1f}"


def _number(value: Any) -> str:
    return UNDEFINED_TEXT if value is None else f"{value:.4g}"


def _spread(record: Record | None) -> str:
    if record is None:
        return UNDEFINED_TEXT
    mean = _percent(record["mean"])
    return mean if record["n_repeats"] == 1 else f"{mean} ±{100 * record['std']:.1f}"
