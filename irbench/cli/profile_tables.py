"""The tables of ``irbench profile``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from irbench.cli.plain_table import number_column, plain_table, results_console, text_column
from irbench.dataset import Sample
from irbench.networks.profiling import WARMUPS, Profile, Quartiles
from irbench.process.processor_wait import upper_bounds

_NONE = "–"


def print_profiles(
    profiles: Sequence[Profile], samples: Sequence[Sample], dataset: str, machine: Mapping[str, Any]
) -> None:
    """Print what methods cost, and how that was measured.

    Parameters
    ----------
    profiles : sequence of Profile
        At least one.
    samples : sequence of Sample
        What was run.
    dataset : str
        Where they are from.
    machine : mapping
        With ``processor``, ``cores`` and ``accelerator``.
    """
    console = results_console()
    console.print()
    console.print("Size and work", style="bold")
    console.print(_work_table(profiles))
    for line in _work_notes(profiles):
        console.print(line, style="dim", markup=False)
    console.print()
    console.print("Milliseconds per image: median, quartiles", style="bold")
    console.print(_time_table(profiles))
    for line in _time_notes(profiles, samples, dataset, machine):
        console.print(line, style="dim", markup=False)


def print_layers(profile: Profile) -> None:
    """Print the layers of a network; nothing for a method without one."""
    if not profile.layers:
        return
    assert profile.cost is not None
    side = profile.cost.input_size
    console = results_console()
    console.print()
    console.print(f"Layers of {profile.title} at {side}x{side}", style="bold", markup=False)
    table = _table("Layer", "Block", ">Output", ">Parameters", ">MACs (M)", ">ms", ">Time %")
    for layer in profile.layers:
        table.add_row(
            escape(layer.name) or "[dim]outside the layers[/]",
            escape(layer.block),
            "\n".join("x".join(map(str, shape)) for shape in layer.outputs) or _NONE,
            f"{layer.parameters:,}",
            f"{layer.macs / 1e6:,.1f}",
            _NONE if layer.ms is None else _number(layer.ms),
            _NONE if layer.share is None else f"{100 * layer.share:.1f}",
        )
    table.add_section()
    cost = profile.cost
    n_listed = sum(layer.parameters for layer in profile.layers)
    total = sum(layer.ms or 0.0 for layer in profile.layers)
    table.add_row("all", "", "", f"{n_listed:,}", f"{cost.macs / 1e6:,.1f}", _number(total), "")
    console.print(table)
    console.print(
        "Output: channels x height x width. Counted before normalisations are folded into the "
        "convolutions, timed after. Medians, whose sum need not be the median.",
        style="dim",
    )


def _work_table(profiles: Sequence[Profile]) -> Table:
    table = _table(
        "Method",
        ">Input",
        ">Parameters",
        ">trainable",
        ">executed",
        ">MACs\n(G)",
        ">FLOPs\n(G)",
        ">FLOPs, as\nprinted (G)",
    )
    for one in profiles:
        cost = one.cost
        if cost is None:
            table.add_row(escape(one.title), *[_NONE] * 7)
            continue
        printed = cost.flops_printed
        table.add_row(
            escape(one.title),
            f"{cost.input_size}x{cost.input_size}",
            f"{cost.parameters:,}",
            f"{cost.trainable:,}",
            f"{cost.executed:,}",
            f"{cost.macs / 1e9:.2f}",
            f"{cost.flops / 1e9:.2f}",
            _NONE if printed is None else f"{printed / 1e9:.2f}",
        )
    return table


def _work_notes(profiles: Sequence[Profile]) -> list[str]:
    if all(one.cost is None for one in profiles):
        return ["No network among them: there are no parameters that were learned."]
    note = (
        "Executed: a prediction depends on them. FLOPs: 2 x MACs of convolutions and matrix "
        "products, at this input (torch.utils.flop_counter). As printed: the count of YOLO "
        "repositories (thop), which adds normalisation, upsampling and pooling, on 32x32 pixels "
        "scaled by the area. Both before normalisations are folded."
    )
    lacking = [
        f"{one.title}: not counted, so that its FLOPs are too few: {', '.join(one.cost.uncounted)}"
        for one in profiles
        if one.cost is not None and one.cost.uncounted
    ]
    return [note, *lacking]


def _time_table(profiles: Sequence[Profile]) -> Table:
    table = _table("Method", ">Before", ">Method", ">After", ">Total", ">FPS", ">Peak\nmemory")
    for one in profiles:
        table.add_row(
            f"{escape(one.title)}\n[dim]{_circumstances(one)}[/]",
            _quartiles(one.preprocess),
            _quartiles(one.compute),
            _quartiles(one.postprocess),
            _quartiles(one.total),
            _number(one.fps),
            _NONE if one.peak_bytes is None else f"{one.peak_bytes / 1e6:,.0f} MB",
        )
    return table


def _circumstances(one: Profile) -> str:
    """Where and how a method ran, as far as methods differ in it."""
    facts = [one.device, one.dtype, f"batch {one.batch}"]
    if one.cost is not None:
        facts.append("untrained" if one.weights is None else one.weights)
    return escape(", ".join(fact for fact in facts if fact))


def _time_notes(
    profiles: Sequence[Profile],
    samples: Sequence[Sample],
    dataset: str,
    machine: Mapping[str, Any],
) -> list[str]:
    sizes = Counter("x".join(map(str, sample.shape[::-1])) for sample in samples)
    size = sizes.most_common(1)[0][0]
    more = f" and {len(sizes) - 1} other sizes" if len(sizes) > 1 else ""
    threads = profiles[0].threads
    device = f"{machine['processor']}, {threads} thread{'s' if threads > 1 else ''}"
    if machine["accelerator"]:
        device += f"; {machine['accelerator']}"
    how = (
        f"{len(samples)} images of {size}{more} ({dataset}) after {WARMUPS} warm-ups, on {device}. "
        "Before: check, letterbox; method: the network or the map alone; after: from its output "
        "to detections. FPS: end to end."
    )
    rows = [{"title": one.title, "waited_share": one.waited_share} for one in profiles]
    bounds = upper_bounds(rows)
    lines = [how, *([bounds] if bounds else [])]
    if any(one.device.startswith("cuda") for one in profiles):
        lines.append("Memory on CUDA: the most that torch had allocated there.")
    if any(one.device == "cpu" for one in profiles):
        lines.append("Memory on the CPU: greatest resident size of the process, with libraries.")
    if any(one.cost is not None and one.weights is None for one in profiles):
        lines.append(
            "Untrained networks take their usual time, but what they find, and so the time after "
            "them, means nothing; see --weights."
        )
    return lines


def _table(*headings: str) -> Table:
    """A table; columns with a leading ``>`` are of numbers."""
    return plain_table(
        number_column(head[1:]) if head.startswith(">") else text_column(head, 26)
        for head in headings
    )


def _quartiles(times: Quartiles) -> str:
    return f"{_number(times.median)}\n[dim]{_number(times.low)} to {_number(times.high)}[/]"


def _number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
