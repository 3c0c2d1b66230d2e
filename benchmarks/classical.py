"""How fast the classical methods are: against their floors, over sizes, and in memory.

Run from anywhere, on an idle machine; one thread is used::

    python benchmarks/classical.py
    python benchmarks/classical.py --methods tllcm,wslcm --sizes 256,512
    python benchmarks/classical.py --methods ipi-fast,ript --side 512 --sizes none
    python benchmarks/classical.py --profile ript

``benchmarks/README.md`` says what the columns mean.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _one_thread import use_one_thread

if TYPE_CHECKING:
    from _compare import Comparison
    from _scale import Scaling

README = Path(__file__).with_name("README.md")

_PROFILE_LINES = 15
_PROFILE_SECONDS = 1.0


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write what was asked for; the exit status."""
    options = _parser().parse_args(arguments)
    # Before NumPy is imported for the first time: BLAS counts its threads then.
    use_one_thread()

    from irbench.errors import IrbenchError
    from irbench.resources import keep_freed_memory

    # For methods and floors alike, whichever comes first.
    keep_freed_memory()
    try:
        if options.profile:
            print_profile(options.profile)
            return 0
        methods = classical_methods(options.methods)
    except IrbenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return _measure_all(methods, options)


def classical_methods(names: list[str] | None) -> list[Any]:
    """Make the methods of these names; by default all built-in score-map methods.

    Raises
    ------
    UnknownNameError
    """
    from irbench.plugins.registry import catalogue, load_method

    if names:
        return [load_method(name) for name in names]
    found = catalogue("methods")
    for failure in found.failures:
        print(f"left out: {failure.source}: {failure.reason}", file=sys.stderr)
    classes = [
        cls
        for cls in found.classes.values()
        if cls.kind == "score-map" and cls.__module__.startswith("irbench.methods.")
    ]
    classes.sort(key=lambda cls: cls.info.order)
    return [cls() for cls in classes]


def print_profile(name: str) -> None:
    """Print where a method spends its time on an image of 256x256 pixels."""
    import cProfile
    import pstats

    from _compare import SIDE
    from _images import benchmark_image

    (method,) = classical_methods([name])
    image = method.preprocess(benchmark_image(0, SIDE))
    method.compute(image.copy())
    profile = cProfile.Profile()
    n_runs, stop = 0, time.perf_counter() + _PROFILE_SECONDS
    while n_runs == 0 or time.perf_counter() < stop:
        copy = image.copy()
        profile.enable()
        method.compute(copy)
        profile.disable()
        n_runs += 1
    # A NumPy ufunc, matrix products included, counts to the function that calls it.
    print(f"{name}, {n_runs} runs on {SIDE}x{SIDE} pixels, by time in the function itself:")
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(_PROFILE_LINES)


def _measure_all(methods: list[Any], options: argparse.Namespace) -> int:
    from _compare import Sampling, compare_with_floor
    from _scale import scale
    from _tables import markdown, write_into

    start, machine = time.perf_counter(), _machine()
    clock = time.process_time if options.processor_time else time.perf_counter
    sampling = Sampling(options.repeats, options.images, options.side, clock)
    comparisons: dict[str, Comparison] = {}
    scalings: dict[str, Scaling] = {}
    failed = False
    for method in methods:
        name = method.info.name
        print(f"{time.perf_counter() - start:4.0f} s  {name}", file=sys.stderr, flush=True)
        try:
            comparisons[name] = compare_with_floor(method, sampling)
            if options.sizes:
                memory = not options.no_memory
                scalings[name] = scale(method, options.sizes, options.budget, memory)
        # One method that breaks costs its own row.
        except Exception as error:
            print(f"{name} failed: {type(error).__name__}: {error}", file=sys.stderr)
            failed = True
    text = markdown(comparisons, scalings, machine, sampling)
    print(text)
    if options.out:
        as_json = options.out.suffix == ".json"
        written = _as_json(comparisons, scalings, machine) if as_json else text
        options.out.write_text(written, encoding="utf-8")
    if options.write_readme:
        write_into(README, text)
    return int(failed)


def _machine() -> dict[str, Any]:
    """Facts of the machine; its load before anything was measured, where the system tells."""
    from irbench.process.provenance import machine_facts, package_versions

    measured = ("irbench", "numpy", "scipy", "opencv-python-headless")
    packages = {name: found for name, found in package_versions().items() if name in measured}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {**machine_facts(), "threads": 1, "load_average": load, "packages": packages}


def _as_json(
    comparisons: dict[str, Comparison], scalings: dict[str, Scaling], machine: dict[str, Any]
) -> str:
    methods = {
        name: {
            "comparison": asdict(row),
            "scaling": asdict(scalings[name]) if name in scalings else None,
        }
        for name, row in comparisons.items()
    }
    return json.dumps({"machine": machine, "methods": methods}, indent=2) + "\n"


def _parser() -> argparse.ArgumentParser:
    def names(text: str) -> list[str]:
        return [name.strip() for name in text.split(",") if name.strip()]

    def sides(text: str) -> list[int]:
        return sorted({int(side) for side in names(text)}) if text != "none" else []

    def output(text: str) -> Path:
        if Path(text).suffix not in (".json", ".md"):
            raise argparse.ArgumentTypeError(f"must end in .json or .md, got {text}")
        return Path(text)

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--methods", type=names, help="names, with commas (default: all)")
    parser.add_argument(
        "--sizes",
        type=sides,
        default=[128, 256, 512, 1024],
        help="sides of square images for the scaling (default 128,256,512,1024), or none",
    )
    parser.add_argument(
        "--side", type=int, default=256, help="of the images that meet the floor (default 256)"
    )
    parser.add_argument("--images", type=int, default=5, help="so many of them (default 5)")
    parser.add_argument(
        "--processor-time", action="store_true", help="not of the clock: on a busy machine"
    )
    parser.add_argument("--repeats", type=int, default=5, help="least number of runs (default 5)")
    parser.add_argument(
        "--budget",
        type=float,
        default=300.0,
        help="skip a size where one run is expected to take longer, in seconds (default 300)",
    )
    parser.add_argument("--no-memory", action="store_true", help="do not measure the memory")
    parser.add_argument("--out", type=output, help="also write to FILE.json or FILE.md")
    parser.add_argument(
        "--write-readme", action="store_true", help="also write the tables into README.md"
    )
    parser.add_argument("--profile", metavar="METHOD", help="only print where its time goes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
