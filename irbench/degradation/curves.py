"""Quality against the level of a degradation: a table, and curves on one page."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from irbench.atomic import write_bytes
from irbench.degradation.models import MODELS, Degradation
from irbench.errors import IrbenchError, UnknownNameError, UsageError
from irbench.markup.csv_text import csv_text
from irbench.metrics.definition import METRICS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from irbench.engine.storage.results import RunResults

FOLDER = "robustness"
"""In a run directory: a run of each level, and what is drawn of them."""

SHOWN = ("f1", "map50", "alarms_per_frame")
"""The metrics of the curves."""


@dataclass(frozen=True)
class Point:
    """A method at one level.

    Attributes
    ----------
    method, title : str
    degradation : str
        Its name; empty for the clean images.
    level : float
    values : tuple of (float or None)
        Of :data:`SHOWN`.
    state : str
    """

    method: str
    title: str
    degradation: str
    level: float
    values: tuple[float | None, ...]
    state: str


def parse_levels(texts: Iterable[str]) -> list[Degradation]:
    """Read ``NAME`` and ``NAME=LEVEL,LEVEL``; of nothing, all models at their own levels.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> [str(one) for one in parse_levels(["noise=2,5", "blur"])][:3]
    ['noise=2', 'noise=5', 'blur=0.5']
    """
    degradations = []
    for text in list(texts) or list(MODELS):
        name, equals, levels = text.partition("=")
        if name not in MODELS:
            raise UnknownNameError("degradation", name, MODELS)
        numbers = levels.split(",") if equals else [str(level) for level in MODELS[name].levels]
        degradations += [Degradation.parse(f"{name}={number}") for number in numbers]
    return degradations


def points_of(run: RunResults, degradation: Degradation | None) -> list[Point]:
    """The rows of a run at a level; None for the clean one."""
    name, level = ("", 0.0) if degradation is None else (degradation.name, degradation.level)
    return [
        Point(
            row["method"],
            row["title"],
            name,
            level,
            tuple(row.get(metric) for metric in SHOWN),
            row["state"],
        )
        for row in run.scored_rows
    ]


def stored_points(run: RunResults) -> tuple[list[Point], list[str]]:
    """What is stored of a run's robustness, the mildest level of each degradation first.

    Parameters
    ----------
    run : RunResults
        Of clean images; its folder :data:`FOLDER` holds a run for each level, as ``irbench
        robustness`` and ``irbench run --degrade NAME=LEVEL --out RUN/robustness/NAME=LEVEL`` make
        them.

    Returns
    -------
    points : list of Point
        Those of the clean images first; none where no level is stored.
    problems : list of str
        What cannot be read or compared, a clause each.
    """
    from irbench.engine.storage.results import load_run

    points: list[Point] = []
    problems = []
    for degradation, path in _stored_levels(run.path / FOLDER):
        try:
            worse = load_run(path)
        except IrbenchError as error:
            problems.append(f"{degradation}: {str(error).removesuffix('.')}")
            continue
        key, clean = worse.run["key"], run.run["key"]
        same = all(key[name] == clean[name] for name in ("dataset", "scheme", "split"))
        if key.get("degrade") != [str(degradation)] or not same:
            problems.append(
                f"{degradation}: {path} is a run of other images, or not of this degradation"
            )
            continue
        n_images, n_clean = worse.dataset["n_images"], run.dataset["n_images"]
        if n_images != n_clean:
            problems.append(
                f"{degradation}: of {n_images} images, where the clean ones are {n_clean}"
            )
        points += points_of(worse, degradation)
    return ([*points_of(run, None), *points] if points else []), problems


def _stored_levels(folder: Path) -> list[tuple[Degradation, Path]]:
    levels = []
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            degradation = Degradation.parse(path.name)
        except UsageError:
            continue
        if (path / "results.json").is_file():
            levels.append((degradation, path))
    order = list(MODELS)

    def rank(stored: tuple[Degradation, Path]) -> tuple[int, float]:
        name, level = stored[0].name, stored[0].level
        mildest, *_, worst = MODELS[name].levels
        return order.index(name), level if mildest < worst else -level

    return sorted(levels, key=rank)


def write_curves(points: Sequence[Point], out: Path, title: str) -> list[Path]:
    """Write ``robustness.csv`` and ``robustness.html``.

    Parameters
    ----------
    points : sequence of Point
        Those of the clean images included.
    out : Path
        The folder.
    title : str
        Of the data.
    """
    rows = [
        {
            "method": point.method,
            "degradation": point.degradation,
            "level": point.level,
            "unit": MODELS[point.degradation].unit if point.degradation else "",
            **dict(zip(SHOWN, point.values, strict=True)),
            "state": point.state,
        }
        for point in points
    ]
    names = ("method", "degradation", "level", "unit", *SHOWN, "state")
    files = [out / "robustness.csv", out / "robustness.html"]
    write_bytes(files[0], csv_text(names, rows).encode())
    write_bytes(files[1], _page(points, title).encode())
    return files


def _page(points: Sequence[Point], title: str) -> str:
    from irbench.pictures.canvas import figure_bytes

    names = [name for name in MODELS if any(point.degradation == name for point in points)]
    parts = []
    for name in names:
        picture = base64.b64encode(figure_bytes(_curves(points, name))).decode()
        model = MODELS[name]
        parts.append(
            f"<h2>{html.escape(name)}: {html.escape(model.description)}</h2>\n"
            f'<img alt="F1, AP and alarms against {html.escape(name)}" '
            f'src="data:image/png;base64,{picture}">\n{_rows(points, name)}'
        )
    head = html.escape(f"Robustness on {title}")
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{head}</title>\n'
        "<style>body{font:15px sans-serif;max-width:70em;margin:2em auto}img{max-width:100%}"
        "td,th{padding:.1em .8em;text-align:right}</style>\n"
        f"<h1>{head}</h1>\n<p>Thresholds are those of the clean images. Fixed seeds.</p>\n"
        f"{''.join(parts)}</html>\n"
    )


def _curves(points: Sequence[Point], name: str) -> Figure:
    from irbench.pictures.canvas import TWO_COLUMNS_IN, new_figure, plain, set_small_type

    figure = new_figure(TWO_COLUMNS_IN, 2.6)
    axes = figure.subplots(1, len(SHOWN))
    degraded = [point for point in points if point.degradation == name]
    clean = [point for point in points if not point.degradation]
    levels = dict.fromkeys(point.level for point in degraded)
    for index, (axis, metric) in enumerate(zip(axes, SHOWN, strict=True)):
        scale = METRICS[metric].scale
        for start in clean:
            # Positions, as levels of a codec fall while the image gets worse.
            line = [start, *(point for point in degraded if point.method == start.method)]
            heights = [point.values[index] for point in line]
            drawn = [(x, y) for x, y in enumerate(heights) if y is not None]
            axis.plot(
                [x for x, _ in drawn],
                [y * scale for _, y in drawn],
                marker="o",
                markersize=3,
                linewidth=1,
                label=plain(start.title),
            )
        axis.set_xticks(range(len(levels) + 1), ["clean", *(f"{level:g}" for level in levels)])
        axis.set_xlabel(f"{name}, {MODELS[name].unit}")
        axis.set_ylabel(f"{METRICS[metric].title} {METRICS[metric].unit}".strip())
        set_small_type(axis)
    axes[0].legend(fontsize=5)
    return figure


def _rows(points: Sequence[Point], name: str) -> str:
    heads = "".join(f"<th>{html.escape(METRICS[metric].title)}</th>" for metric in SHOWN)
    rows = "".join(
        f"<tr><th>{html.escape(point.title)}</th><td>{point.level:g}</td>"
        + "".join(
            f"<td>{METRICS[metric].format(value)}</td>"
            for metric, value in zip(SHOWN, point.values, strict=True)
        )
        + "</tr>\n"
        for point in points
        if point.degradation == name
    )
    return f"<table><tr><th>Method</th><th>Level</th>{heads}</tr>\n{rows}</table>\n"
