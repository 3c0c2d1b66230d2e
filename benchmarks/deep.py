"""How fast the networks are: inference and training against their convolutions alone.

Run from anywhere, on an idle machine; one thread is used::

    python benchmarks/deep.py
    python benchmarks/deep.py --networks le-irstd --profile training
    python benchmarks/deep.py --out deep.md
    python benchmarks/deep.py --networks mshnet --side 256 --batch 8 --processor-time --peaks

The *floor* is every convolution of the network, run alone on what it receives there, in
the same process, in turn with the network: forward, and in training backward, too. Left
out is all else: normalisation, activation, attention, sampling, concatenation, decoding,
loss. The *ratio* is that of neighbouring runs. *Sampling* is the share of VKConv's reading
between pixels, also run alone, in the time of the network. *Peak memory* is that of a fresh
process that does one inference, or one training step, in float32.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _one_thread import use_one_thread

if TYPE_CHECKING:
    from _network_time import NetworkTime, OnnxTime

_PROFILE_LINES = 15


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write what was asked for; the exit status."""
    options = _parser().parse_args(arguments)
    # Before NumPy is imported for the first time: BLAS counts its threads then.
    use_one_thread()

    import torch
    from _network_time import make_detector

    from irbench.errors import IrbenchError
    from irbench.resources import keep_freed_memory

    # As the workers of a run have it.
    keep_freed_memory()
    torch.set_num_threads(1)
    try:
        detectors = {name: make_detector(name, options.side) for name in options.networks}
    except (IrbenchError, TypeError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.profile:
        for detector in detectors.values():
            print_profile(detector, options)
        return 0
    return _measure_all(detectors, options)


def _measure_all(detectors: Mapping[str, Any], options: argparse.Namespace) -> int:
    import torch
    from _network_peak import network_peak
    from _network_time import time_inference, time_onnx, time_training

    from irbench.errors import IrbenchError
    from irbench.training.step import training_dtype

    start, machine = time.perf_counter(), _machine(options)
    clock = time.process_time if options.processor_time else time.perf_counter
    dtypes = [torch.float32]
    has_bf16 = training_dtype("auto", torch.device("cpu")) == torch.bfloat16
    if has_bf16 and not options.no_bf16:
        dtypes.append(torch.bfloat16)
    passes: dict[str, Callable[[Any], NetworkTime]] = {
        f"inference, 1x{options.side}x{options.side}, float32": lambda detector: time_inference(
            detector, options.runs, clock
        )
    }
    for dtype in dtypes:
        side, batch = options.training_side, options.batch
        title = f"training, {batch}x{side}x{side}, {str(dtype).removeprefix('torch.')}"
        passes[title] = lambda detector, dtype=dtype: time_training(
            detector, options.training_side, options.batch, dtype, options.training_runs, clock
        )
    rows: dict[tuple[str, str], NetworkTime] = {}
    peaks: dict[str, dict[str, int | None]] = {}
    onnx: dict[str, OnnxTime] = {}
    without_onnx: list[str] = []
    for name, detector in detectors.items():
        for title, measure in passes.items():
            print(f"{time.perf_counter() - start:4.0f} s  {name}: {title}", file=sys.stderr)
            rows[title, name] = measure(detector)
        if options.peaks:
            peaks[name] = {
                "inference": network_peak(name, options.side, 0),
                "training": network_peak(name, options.training_side, options.batch),
            }
        if options.no_onnx:
            continue
        try:
            onnx[name] = time_onnx(detector, options.runs)
        # The export is an extra, and not every network can be exported.
        except (ImportError, IrbenchError) as error:
            without_onnx.append(f"{name} is not compared with onnxruntime: {error}")
    text = "\n\n".join(
        part
        for part in (
            _machine_line(machine),
            _table(rows),
            _peak_table(peaks),
            _onnx_table(onnx),
            *without_onnx,
        )
        if part
    )
    print(text)
    if options.out and options.out.suffix == ".json":
        written: dict[str, Any] = {"machine": machine, "networks": {}}
        for (title, name), row in rows.items():
            written["networks"].setdefault(name, {})[title] = asdict(row)
        written["peak_bytes"] = peaks
        written["onnxruntime"] = {name: asdict(one) for name, one in onnx.items()}
        text = json.dumps(written, indent=2)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    return 0


def print_profile(detector: Any, options: argparse.Namespace) -> None:
    """Print where the time of two passes goes, by operation."""
    import torch
    from _network_time import inference_pass, training_step
    from torch.profiler import ProfilerActivity, profile

    if options.profile == "inference":
        run = inference_pass(detector)
    else:
        run, _ = training_step(detector, options.training_side, options.batch, torch.float32)
    run()
    with profile(activities=[ProfilerActivity.CPU]) as found:
        run()
        run()
    print(f"{detector.info.name}: {options.profile}, float32")
    events = found.key_averages()
    print(events.table(sort_by="self_cpu_time_total", row_limit=_PROFILE_LINES))


def _table(rows: Mapping[tuple[str, str], NetworkTime]) -> str:
    head = (
        "| pass | network | ms | quartiles | floor ms | ratio | quartiles | aim | met | sampling |"
    )
    lines = [head, "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- | ---: |"]
    for (title, name), row in rows.items():
        share = "—" if row.sampling_share is None else f"{100 * row.sampling_share:.1f} %"
        cells = [
            title,
            name,
            f"{row.ms.median:.0f}",
            f"{row.ms.low:.0f} to {row.ms.high:.0f}",
            f"{row.floor_ms.median:.0f}",
            f"{row.ratio.median:.2f}",
            f"{row.ratio.low:.2f} to {row.ratio.high:.2f}",
            row.aim,
            "yes" if row.met else "no",
            share,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    from _network_time import SAMPLING_AIM

    return "\n".join(lines) + f"\n\nThe aim of sampling is ≤ {100 * SAMPLING_AIM:g} %."


def _peak_table(peaks: Mapping[str, Mapping[str, int | None]]) -> str:
    if not peaks:
        return ""
    lines = ["| network | peak GB, inference | peak GB, training |", "| --- | ---: | ---: |"]
    for name, found in peaks.items():
        cells = ("—" if found[part] is None else f"{found[part] / 1e9:.2f}" for part in found)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _onnx_table(rows: Mapping[str, OnnxTime]) -> str:
    if not rows:
        return ""
    lines = [
        "Inference by onnxruntime, and by torch in turn with it:",
        "",
        "| network | onnxruntime ms | torch ms | ratio | quartiles |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, row in rows.items():
        ratio = f"{row.ratio.median:.2f} | {row.ratio.low:.2f} to {row.ratio.high:.2f}"
        lines.append(f"| {name} | {row.ms.median:.0f} | {row.torch_ms.median:.0f} | {ratio} |")
    return "\n".join(lines)


def _machine(options: argparse.Namespace) -> dict[str, Any]:
    """Facts of the machine; its load before anything was measured, where the system tells."""
    import torch

    from irbench.process.provenance import machine_facts

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        **machine_facts(),
        "threads": 1,
        "load_average": load,
        "torch": torch.__version__,
        "clock": "of the processor" if options.processor_time else "of the clock",
    }


def _machine_line(machine: Mapping[str, Any]) -> str:
    line = (
        f"Measured on: {machine['processor']}, one thread of {machine['cores']}; "
        f"Python {machine['python']}, torch {machine['torch']}. Times are those {machine['clock']}."
    )
    if machine["load_average"] is not None:
        load = f"{machine['load_average']:.1f}"
        line += f" Load average before the start: {load} (0 is an idle machine)."
    return line


def _parser() -> argparse.ArgumentParser:
    def names(text: str) -> list[str]:
        return [name.strip() for name in text.split(",") if name.strip()]

    def output(text: str) -> Path:
        if Path(text).suffix not in (".json", ".md"):
            raise argparse.ArgumentTypeError(f"must end in .json or .md, got {text}")
        return Path(text)

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--networks", type=names, default=["yolov8n", "le-irstd"], help="names, with commas"
    )
    parser.add_argument("--side", type=int, default=640, help="of inference, in px (default 640)")
    parser.add_argument("--runs", type=int, default=15, help="of inference (default 15)")
    parser.add_argument(
        "--training-side", type=int, default=256, help="of training, in px (default 256)"
    )
    parser.add_argument("--batch", type=int, default=16, help="of training (default 16)")
    parser.add_argument("--training-runs", type=int, default=5, help="(default 5)")
    parser.add_argument("--no-bf16", action="store_true", help="train in float32 only")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="count the time of this process alone, on a machine that does other work",
    )
    parser.add_argument("--peaks", action="store_true", help="measure the peak memory, too")
    parser.add_argument("--no-onnx", action="store_true", help="do not try onnxruntime")
    parser.add_argument("--out", type=output, help="also write to FILE.json or FILE.md")
    parser.add_argument(
        "--profile",
        choices=["inference", "training"],
        help="only print where the time goes, by operation",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
