"""What stands on a page: one section for each dataset."""

from __future__ import annotations

import base64
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from irbench.metrics.definition import METRICS
from irbench.pictures.styles import MethodStyle, method_styles
from irbench.protocol import Protocol
from irbench.report import ReportOptions
from irbench.statistics.recall_by_bin import RecallByBin, recall_by_bins
from irbench.statistics.scored_group import ScoredGroup, resample_methods, score_methods

from ._cost_notes import machine_text
from ._footnotes import footnotes
from ._html_chart import Chart
from ._html_charts import cost_charts, curve_charts
from ._html_maps import add_score_maps
from ._html_outcomes import MOST_FALSE_ALARMS, gallery_images
from ._html_pictures import MOST_BYTES, Pictures, read_pictures
from ._html_robustness import RobustnessPart, robustness
from ._html_table import HtmlTable, first_columns, html_table
from ._html_verdict import MetricLeaders, verdicts
from ._model import Outcome
from ._side_by_side import DataGroup, methods_in_order
from ._significance import significance


@dataclass(frozen=True, eq=False)
class Section:
    """Everything about one dataset.

    Attributes
    ----------
    title : str
    facts : tuple of (str, str)
        What was run on what.
    verdicts : list of MetricLeaders
    table : HtmlTable
    footnotes : list of str
    curves, costs : list of Chart
    robustness : list of RobustnessPart
        One of each degradation that runs are stored of.
    breakdowns : list of RecallByBin
    gallery : dict
        What the script shows; ``images`` is empty where nothing could be scored.
    gallery_note : str
    problems : tuple of str
        What could not be scored.
    repeat : list of str
        Commands.
    details : tuple of (str, tuple of (str, str))
        Headings, with names and values under each.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    verdicts: list[MetricLeaders]
    table: HtmlTable
    footnotes: list[str]
    curves: list[Chart]
    costs: list[Chart]
    robustness: list[RobustnessPart]
    breakdowns: list[RecallByBin]
    gallery: dict[str, Any]
    gallery_note: str
    problems: tuple[str, ...]
    repeat: list[str]
    details: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def page_sections(
    groups: Sequence[DataGroup], options: ReportOptions, left_out: Sequence[str] = ()
) -> tuple[list[MethodStyle], list[Section]]:
    """Gather a page.

    Parameters
    ----------
    groups : sequence of DataGroup
    options : ReportOptions
    left_out : sequence of str
        Titles of the methods that were skipped, and are not shown.

    Returns
    -------
    styles : list of MethodStyle
        One of each method, the same in all sections.
    sections : list of Section
    """
    styles = method_styles(methods_in_order(groups))
    scored = [score_methods(group.runs, methods_in_order([group])) for group in groups]
    n_images = max(sum(len(one.truths) for one in scored), 1)
    columns = first_columns(options)
    tests = significance(groups, columns, options.reference) if options.reference else None
    hidden = [f"Skipped, and not shown: {', '.join(left_out)}."] if left_out else []
    sections = []
    for position, (group, one) in enumerate(zip(groups, scored, strict=True)):
        budget = None if options.full else MOST_BYTES * len(one.truths) // n_images
        sections.append(
            _section(
                group,
                one,
                read_pictures(group, one.truths, budget),
                styles,
                options,
                {} if tests is None else tests.outcomes[position],
                (*([] if tests is None else [tests.legend]), *hidden),
            )
        )
    return list(styles.values()), sections


def _section(
    group: DataGroup,
    scored: ScoredGroup,
    pictures: Pictures,
    styles: Mapping[str, MethodStyle],
    options: ReportOptions,
    outcomes: Mapping[tuple[str, str], Outcome],
    legend: Sequence[str],
) -> Section:
    columns = first_columns(options)
    rows = {row["method"]: row for row in methods_in_order([group])}
    # The table shows every metric that a method has.
    resample_methods(scored.methods.values(), METRICS)
    worse, problems = robustness(group.runs, styles)
    return Section(
        title=group.title,
        facts=_facts(group),
        verdicts=verdicts(group, scored, styles, columns),
        table=html_table(group, scored, styles, options, outcomes, legend),
        footnotes=footnotes([group], columns),
        curves=curve_charts(scored, Protocol(**group.protocol), styles),
        costs=cost_charts(rows, styles),
        robustness=worse,
        breakdowns=recall_by_bins(scored, pictures.scr),
        gallery=_gallery(group, scored, pictures, styles, options.full),
        gallery_note=pictures.note,
        problems=(*scored.problems, *problems),
        repeat=_commands(group),
        details=_details(group),
    )


def _gallery(
    group: DataGroup,
    scored: ScoredGroup,
    pictures: Pictures,
    styles: Mapping[str, MethodStyle],
    full: bool,
) -> dict[str, Any]:
    positions = {method: position for position, method in enumerate(styles)}
    images = gallery_images(scored, styles, None if full else MOST_FALSE_ALARMS)
    for image in images:
        jpeg = pictures.jpegs.get(image["id"])
        image["src"] = base64.b64encode(jpeg).decode() if jpeg else ""
    if full:
        add_score_maps(group, images, positions)
    return {
        "images": images,
        "methods": [
            {"i": positions[method], "title": styles[method].title}
            for method, one in scored.methods.items()
            if one.output.threshold is not None
        ],
    }


def _facts(group: DataGroup) -> tuple[tuple[str, str], ...]:
    facts = group.facts
    states = Counter(row["state"] for row in group.rows.values())
    machines = [machine_text(run.run.get("machine") or {}) for run in group.runs]
    versions = [run.run.get("versions") or {} for run in group.runs]
    return (
        ("Images", f"{facts['n_images']} with {facts['n_targets']} targets"),
        ("Split", group.split_text()),
        ("Methods", ", ".join(f"{count} {state}" for state, count in states.items())),
        ("Protocol", str(group.protocol["name"])),
        ("Machine", "; ".join(dict.fromkeys(machines))),
        ("Software", "; ".join(dict.fromkeys(f"irbench {one.get('irbench')}" for one in versions))),
    )


def _commands(group: DataGroup) -> list[str]:
    made = [shlex.join(map(str, run.run.get("command") or ())) for run in group.runs]
    paths = [str(run.path) for run in group.runs]
    return [*filter(None, made), shlex.join(["irbench", "report", *paths, "--format", "html"])]


def _details(group: DataGroup) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    parts = [("Protocol", _pairs(group.protocol))]
    for run in group.runs:
        key = run.run["key"]
        where = f" of {run.path}" if len(group.runs) > 1 else ""
        manifest = {
            **{f"manifest of {split}": text for split, text in key.get("manifests", {}).items()},
            **{name: group.facts.get(name) for name in ("name", "scheme", "reference")},
            "calibration": key.get("calibration"),
        }
        methods = {
            row["title"]: _method_text(run.run.get("methods", {}).get(row["method"], {}), row)
            for row in run.rows
        }
        parts += [
            (f"Data{where}", _pairs(manifest)),
            (f"Methods{where}", _pairs(methods)),
            (f"Software{where}", _pairs(run.run.get("versions") or {})),
            (f"Machine{where}", _pairs(run.run.get("machine") or {})),
        ]
    return tuple(parts)


def _method_text(record: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    facts = record.get("facts") or {}
    params = facts.get("params") or row.get("method_params") or {}
    parts = [", ".join(f"{name}={value}" for name, value in params.items())]
    parts += [
        f"{name} {facts[name]}" for name in ("conversion", "code", "weights") if facts.get(name)
    ]
    return "; ".join(filter(None, parts)) or "no parameters"


def _pairs(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in values.items() if value not in (None, ""))
