"""The rows of a run: written as JSON and CSV, read again by the reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from irbench.atomic import write_bytes, write_json
from irbench.detections import Detections
from irbench.detector import table_order
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.file_checks import check_rows, file_reader
from irbench.engine.storage.map_statistics_file import read_map_statistics
from irbench.engine.storage.parquet_files import (
    read_detections,
    read_ground_truth,
    read_timings,
)
from irbench.errors import RunKeyError, UnknownNameError, UsageError
from irbench.ground_truth import GroundTruth
from irbench.json_fields import parse_json
from irbench.markup.csv_text import csv_text
from irbench.messages.external_text import storable
from irbench.metrics.map_statistics import MapStatistics

Row = dict[str, Any]

TIMING_FIELDS = (
    *("fps", "ms_median", "ms_lower", "ms_upper", "ms_stages"),
    *("peak_memory", "waited_share"),
)
"""Fields of a row that differ from run to run; all others are reproduced exactly."""

SCORED_STATES = ("done", "partial")
"""The states of a row with values; in the second, images that failed count as empty."""


def row_order(row: Row) -> tuple[int, str, int, str]:
    """Sorts rows; see :func:`irbench.detector.table_order`."""
    return table_order(row["group"], row["year"], row["method"])


@dataclass(frozen=True, eq=False)
class RunResults:
    """A run as it lies on disk.

    Attributes
    ----------
    path : Path
    run : dict
        Content of ``run.json``.
    rows : tuple of dict
        One per method: ``method``, ``title``, ``group``, ``state``, and a value or
        None for each metric; ``undefined`` gives the reason of each None.
    """

    path: Path
    run: dict[str, Any]
    rows: tuple[Row, ...]

    @property
    def protocol(self) -> dict[str, Any]:
        """The protocol's fields."""
        protocol: dict[str, Any] = self.run["key"]["protocol"]
        return protocol

    @property
    def dataset(self) -> dict[str, Any]:
        """Name, title, split, scheme and counts of the dataset."""
        dataset: dict[str, Any] = self.run["dataset"]
        return dataset

    @property
    def conditions(self) -> str:
        """What was done to the images, and which targets count, beside the files as they are.

        Clauses that follow the name of the split, each with a comma before it; empty for plain
        data.
        """
        conventions = self.dataset.get("conventions") or {}
        clauses = [f"degraded by {one}" for one in self.run["key"].get("degrade") or ()]
        if value_range := conventions.get("value_range"):
            is_word = isinstance(value_range, str)
            words = value_range if is_word else " to ".join(f"{v:.6g}" for v in value_range)
            clauses.append(f"value range {words}")
        if dead := conventions.get("dead_pixels"):
            clauses.append(f"dead pixels replaced ({dead.get('asked', '')})")
        for name, words in (("classes", "targets of class"), ("ignore_classes", "ignored:")):
            if named := conventions.get(name):
                clauses.append(f"{words} {', '.join(named)}")
        return "".join(f", {clause}" for clause in clauses)

    @property
    def scored_rows(self) -> list[Row]:
        """The rows that have values, by their state."""
        return [row for row in self.rows if row["state"] in SCORED_STATES]

    def chosen_rows(self, methods: Iterable[str]) -> list[Row]:
        """The rows of the named methods, each once and in that order; of none, all scored ones.

        Raises
        ------
        UnknownNameError
            If the run has no row of a method.
        UsageError
            If a row has no values, or none has.
        """
        by_name = {row["method"]: row for row in self.rows}
        chosen = dict.fromkeys(methods)
        for name in chosen:
            if name not in by_name:
                raise UnknownNameError("row of the run", name, by_name)
            row = by_name[name]
            if row["state"] not in SCORED_STATES:
                raise UsageError(f"{name} is {row['state']} in {self.path}: {row.get('reason')}.")
        rows = [by_name[name] for name in chosen] or self.scored_rows
        if not rows:
            known = ", ".join(by_name) or "none"
            raise UsageError(f"{self.path} has no method with results; its rows: {known}.")
        return rows

    @property
    def tested_images(self) -> str:
        """The tested images and their targets, by content."""
        key = self.run["key"]
        named = [key.get(name) for name in ("dataset", "scheme", "split", "limit")]
        return repr((*named, key.get("manifests", {}).get(key.get("split"))))

    @cached_property
    def ground_truth(self) -> dict[str, list[GroundTruth]]:
        """The targets of every image, by split."""
        return file_reader(read_ground_truth)(RunDirectory(self.path).ground_truth_file)

    def detections(self, method: str) -> Mapping[str, Detections]:
        """What a method found on the tested split, by image; absent where nothing.

        Raises
        ------
        UsageError
            If the run holds no detections of it.
        """
        file = RunDirectory(self.path).detections_file(method)
        if not file.exists():
            known = ", ".join(row["method"] for row in self.rows)
            raise UsageError(f"{self.path} holds no detections of {method!r}; its rows: {known}.")
        split = self.dataset["split"]
        shapes = {truth.id: truth.shape for truth in self.ground_truth.get(split, [])}
        calibration = self.run["methods"].get(method, {}).get("calibration") or {}
        extent = calibration.get("extent")
        return file_reader(read_detections)(file, split, extent, shapes)

    def n_timed(self, method: str) -> int | None:
        """On how many images a method was timed; None where the run does not hold its times."""
        file = RunDirectory(self.path).timings_file(method)
        if not file.exists():
            return None
        _, timing = file_reader(read_timings)(file, self.dataset["split"])
        return 0 if timing is None else len(timing.times)

    def map_statistics(self, method: str) -> dict[str, MapStatistics] | None:
        """What is kept of a method's score maps on the tested split, by image.

        Images that failed are absent. None for a method without score maps, and for a run
        made before they were measured.
        """
        file = RunDirectory(self.path).map_statistics_file(method)
        if not file.exists():
            return None
        return file_reader(read_map_statistics)(file, self.dataset["split"])


def load_run(path: Path | str) -> RunResults:
    """Read a run directory.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    RunResults

    Raises
    ------
    UsageError
        If it is no run directory, or one without results yet.
    """
    directory = RunDirectory(path)
    run = directory.read()
    if run is None:
        raise UsageError(
            f"{path} is no run directory: it has no run.json. Make one by `irbench run`."
        )
    if not directory.results_file.exists():
        raise UsageError(f"{path} has no results yet; run the command that made it again.")
    try:
        rows = storable(parse_json(directory.results_file.read_bytes())["rows"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise RunKeyError(
            f"{directory.results_file} is damaged ({error}); remove it and repeat the command "
            "that made the run, which scores it again."
        ) from None
    check_rows(rows, directory.results_file)
    return RunResults(directory.path, run, tuple(rows))


def write_results(directory: RunDirectory, rows: Sequence[Row], run: Mapping[str, Any]) -> None:
    """Write ``results.json`` and ``results.csv``; neither holds a time stamp."""
    key = run["key"]
    content = {"rows": list(rows), "protocol": key["protocol"], "dataset": run["dataset"]}
    write_json(directory.results_file, content)
    plain = [
        {name: value for name, value in row.items() if not isinstance(value, dict | list)}
        for row in rows
    ]
    names = list(dict.fromkeys(name for row in plain for name in row))
    write_bytes(directory.results_file.with_suffix(".csv"), csv_text(names, plain).encode())
