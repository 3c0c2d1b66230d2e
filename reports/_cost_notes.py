"""Footnotes on cost and origin: what FLOPs count, which hardware and software were used."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from irbench.process.processor_wait import upper_bounds

from ._columns import TIMES
from ._side_by_side import DataGroup, rows_of


def flops_note(groups: Sequence[DataGroup], shown: Collection[str]) -> str:
    """What the FLOPs count and at what input size; empty where none are shown."""
    rows = [row for row in rows_of(groups) if row.get("flops") is not None]
    if "flops" not in shown or not rows:
        return ""
    sizes: dict[str, list[str]] = {}
    for row in rows:
        if row.get("input_size"):
            sizes.setdefault(_size(row["input_size"]), []).append(row["title"])
    text = "FLOPs: twice the multiply-accumulates of one image"
    if len(sizes) == 1:
        text += f", at an input of {next(iter(sizes))}"
    elif sizes:
        listed = (f"{size} for {', '.join(dict.fromkeys(t))}" for size, t in sizes.items())
        text += f", at inputs of {'; '.join(listed)}"
    lacking = {row["title"]: row["uncounted"] for row in rows if row.get("uncounted")}
    for title, operators in lacking.items():
        text += f"; those of {title} lack what is not counted: {', '.join(operators)}"
    return f"{text}."


def _size(value: Any) -> str:
    return "×".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def hardware_note(groups: Sequence[DataGroup], shown: Collection[str]) -> str:
    """The machines that the times are from; empty where none are shown."""
    if not set(TIMES) & set(shown):
        return ""
    machines: dict[str, list[str]] = {}
    for group in groups:
        timed = timed_images(group)
        for run in group.runs:
            rows = [row for row in run.rows if row.get("fps") is not None]
            if rows:
                counts = sorted({timed.get(row["method"], 0) for row in rows})
                text = f"{machine_text(run.run['machine'])}{_images(counts)}"
                machines.setdefault(text, []).append(group.title)
    if not machines:
        return ""
    places = [
        machine if len(machines) == 1 else f"{', '.join(dict.fromkeys(titles))}: {machine}"
        for machine, titles in machines.items()
    ]
    note = f"Times end to end, in a process of its own, on {'; '.join(places)}."
    return f"{note} {upper_bounds(rows_of(groups))}".rstrip()


def timed_images(group: DataGroup) -> dict[str, int]:
    """On how many images each method of a dataset was timed, as far as the runs hold it."""
    counts = {
        row["method"]: run.n_timed(row["method"])
        for run in group.runs
        for row in run.rows
        if row.get("fps") is not None
    }
    return {method: count for method, count in counts.items() if count}


def _images(counts: Sequence[int]) -> str:
    """How many images were timed; 0 stands for a number that is not known."""
    least, most = counts[0], counts[-1]
    if least == 0:
        return ", of an unknown number of images, so that they are not ranked"
    listed = str(most) if least == most else f"{least} to {most}"
    return f", of {listed} image{'s' * (most > 1)}"


def machine_text(facts: Mapping[str, Any]) -> str:
    """The processor of a machine, its cores, and what else computed."""
    known = [str(facts.get("processor") or "an unnamed processor")]
    if facts.get("cores"):
        known.append(f"{facts['cores']} cores")
    known += [str(facts[name]) for name in ("device", "gpu") if facts.get(name)]
    return ", ".join(known)


def software_note(groups: Sequence[DataGroup]) -> str:
    """The versions of the libraries that decide numbers."""
    made_with: dict[str, list[str]] = {}
    for group in groups:
        for run in group.runs:
            versions = run.run.get("versions") or {}
            text = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
            made_with.setdefault(text, []).append(group.title)
    made_with.pop("", None)
    if len(made_with) == 1:
        return f"Made with {next(iter(made_with))}."
    parts = [f"{', '.join(dict.fromkeys(t))} with {text}" for text, t in made_with.items()]
    return f"Made: {'; '.join(parts)}." if parts else ""
