"""Footnotes of a results table: what its numbers mean, from the runs' own records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from irbench.engine.storage.results import SCORED_STATES, Row
from irbench.metrics.built_in import BUILT_IN
from irbench.metrics.merit import merit
from irbench.metrics.metric import UNDEFINED_TEXT, Metric, MetricDefinition
from irbench.report import Notes

from ._columns import PER_METHOD, is_false_alarm
from ._cost_notes import flops_note, hardware_note, software_note
from ._parameters import parameter_footnotes
from ._row_notes import one_line
from ._side_by_side import DataGroup, methods_in_order, rows_of
from ._training_notes import training_note

_MANY = 4


def footnotes(
    groups: Sequence[DataGroup], metrics: Sequence[MetricDefinition], level: Notes = "full"
) -> list[str]:
    """The footnotes that hold for a whole table, each one sentence or a few.

    Whoever reads the table needs to know the data, the protocol, how times were measured and
    what failed; the full notes are for whoever repeats it.

    Parameters
    ----------
    groups : sequence of DataGroup
    metrics : sequence of MetricDefinition
        The columns; what none of them needs is not said.
    level : {"short", "full"}
    """
    shown = {metric.name for metric in metrics}
    data = f"Data: {'; '.join(map(_data_of, groups))}."
    notes = [data, _left_out(groups), _protocol(groups[0].protocol, metrics)]
    notes += [training_note(groups), _of_plugins(metrics)]
    if level == "full":
        notes += [_conversion(groups), _calibration(groups), *parameter_footnotes(groups)]
    notes += [flops_note(groups, shown), hardware_note(groups, shown)]
    notes.append(_no_false_alarms(groups, metrics))
    # That a classical method has no parameters need not be said in a paper.
    explained = [one for one in metrics if level == "full" or one.name not in PER_METHOD]
    notes += [_undefined(groups, explained), _missing(groups)]
    if level == "full":
        notes.append(software_note(groups))
    return [note for note in notes if note]


def _data_of(group: DataGroup) -> str:
    facts = group.facts
    counts = f"{facts['n_images']} images with {facts['n_targets']} targets"
    return f"{group.title}, {group.split_text('split ')}: {counts}"


def _left_out(groups: Sequence[DataGroup]) -> str:
    listed = []
    for group in groups:
        for split, images in (group.facts.get("left_out") or {}).items():
            names = [f"{name} ({one_line(str(reason))})" for name, reason in images.items()]
            more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
            listed.append(
                f"{group.title}, {split}: {len(names)} ({', '.join(names[:_MANY])}{more})"
            )
    return f"Unreadable images, left out for every method: {'; '.join(listed)}." if listed else ""


def _protocol(protocol: dict[str, Any], metrics: Sequence[MetricDefinition]) -> str:
    named = {metric.clause for metric in metrics if isinstance(metric, Metric)}
    rule = {
        "val-f1": "the score threshold of best F1 on the validation split",
        "fixed": f"the fixed score threshold {protocol['fixed_threshold']}",
        "mean-kstd": f"scores of at least {protocol['n_std']:g} standard deviations of the map",
        "oracle": "the score threshold of best F1 on the tested images themselves (ORACLE)",
    }[protocol["operating_point"]]
    clauses = [f"operating point at {rule}"]
    if side := protocol.get("squash"):
        clauses.insert(0, f"images and masks scaled to {side}×{side} pixels and measured there")
    if "overlap" in named:
        clauses.append(f"a box is a hit from IoU {protocol['iou_threshold']:g}")
    if "ranking" in named:
        clauses.append(
            f"AP by {protocol['ap_estimator']} over at most {protocol['max_detections']} "
            "detections per image"
        )
    if "distance" in named:
        clauses.append(f"Pd and Fa at centroid distances under {protocol['distance_px']:g} px")
    return f"Protocol {protocol['name']}: {'; '.join(clauses)}."


def _of_plugins(metrics: Sequence[MetricDefinition]) -> str:
    """What the columns are that no reader can look up in irbench's documentation."""
    parts = []
    for metric in metrics:
        if metric.name not in BUILT_IN:
            formula = f" ({metric.formula})" if metric.formula else ""
            source = f" [{metric.reference}]" if metric.reference else ""
            parts.append(f"{metric.title}: {metric.description.rstrip('.')}{formula}{source}")
    return f"Of plug-ins: {'; '.join(parts)}." if parts else ""


def _conversion(groups: Sequence[DataGroup]) -> str:
    names = {"score-map": "score maps", "segmentation": "probability maps"}
    used = {(row["kind"], row["conversion"]) for row in rows_of(groups) if row.get("conversion")}
    score = groups[0].protocol.get("score", "standardised")
    parts = [
        f"{names.get(kind, kind)} by {conversion}"
        + (f" with {score} scores" if conversion.startswith("components/") else "")
        for kind, conversion in sorted(used)
    ]
    return f"Conversion to detections: {', '.join(parts)}." if parts else ""


def _calibration(groups: Sequence[DataGroup]) -> str:
    """The extents and thresholds that were used, method by method."""
    from irbench.metrics.definition import METRICS

    def setting(row: Row | None) -> str:
        if row is None or row.get("state") not in SCORED_STATES:
            return UNDEFINED_TEXT
        extent, threshold = row.get("extent"), row.get("threshold")
        text = "∞" if threshold == "inf" else METRICS["threshold"].format(threshold)
        return text if extent is None else f"{extent:g}/{text}"

    listed = [
        f"{method['title']} {', '.join(setting(g.rows.get(method['method'])) for g in groups)}"
        for method in methods_in_order(groups)
        if any(g.rows.get(method["method"], {}).get("state") in SCORED_STATES for g in groups)
    ]
    if not listed:
        return ""
    source = ""
    if any(row.get("calibration") == "validation" for row in rows_of(groups)):
        source = ", chosen on the validation split of each dataset unless a row says otherwise"
    order = f" (in the order {', '.join(g.title for g in groups)})" if len(groups) > 1 else ""
    return f"Extent/score threshold{source}{order}: {'; '.join(listed)}."


def _no_false_alarms(groups: Sequence[DataGroup], metrics: Sequence[MetricDefinition]) -> str:
    """Which rows kept no detection, and are not ranked in false alarms."""
    methods: dict[str, None] = {}
    columns: dict[str, None] = {}
    for row in rows_of(groups):
        for metric in metrics:
            if isinstance(row.get(metric.name), int | float) and merit(row, metric) is None:
                methods[row["title"]] = columns[metric.title] = None
    if not methods:
        return ""
    return f"Not ranked in {', '.join(columns)}, since no detection is kept: {', '.join(methods)}."


def box_legend(groups: Sequence[DataGroup], metrics: Sequence[MetricDefinition]) -> str:
    """What the mark of a box method's false-alarm area means; empty where there is none."""
    areas = [metric for metric in metrics if is_false_alarm(metric)]
    boxes = [row for row in rows_of(groups) if row.get("kind") == "box"]
    if any(row.get(metric.name) is not None for metric in areas for row in boxes):
        titles = ", ".join(metric.title for metric in areas)
        return f"* {titles} of a method that returns boxes counts the whole boxes."
    return ""


def _undefined(groups: Sequence[DataGroup], metrics: Sequence[MetricDefinition]) -> str:
    """Each reason for an em dash once, with the columns and methods that it is for."""
    reasons: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for row in rows_of(groups):
        if row["state"] not in SCORED_STATES:
            continue
        for metric in metrics:
            if row.get(metric.name) is None:
                reason = one_line(row.get("undefined", {}).get(metric.name) or "not measured")
                columns, methods = reasons.setdefault(reason, ({}, {}))
                columns[metric.title] = methods[row["title"]] = None
    scored = {row["title"] for row in rows_of(groups) if row["state"] in SCORED_STATES}
    parts = []
    for reason, (columns, methods) in reasons.items():
        of = ""
        if set(methods) != scored:
            of = f" of {', '.join(methods) if len(methods) <= _MANY else f'{len(methods)} methods'}"
        parts.append(f"{', '.join(columns)}{of}: {reason}")
    return f"{UNDEFINED_TEXT}: no value. {'; '.join(parts)}." if parts else ""


def _missing(groups: Sequence[DataGroup]) -> str:
    methods = methods_in_order(groups)
    parts = []
    for group in groups:
        absent = [m["title"] for m in methods if m["method"] not in group.rows]
        # A method that is being run for the first time has no row yet.
        absent += [
            f"{method} (unfinished)"
            for run in group.runs
            for method in run.run["methods"]
            if method not in {m["method"] for m in methods}
        ]
        if absent:
            parts.append(f"on {group.title}: {', '.join(absent)}")
    return f"Not run {'; '.join(parts)}." if parts else ""
