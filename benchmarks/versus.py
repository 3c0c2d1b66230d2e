"""How this checkout of irbench compares with another one, piece by piece.

python benchmarks/versus.py ../irbench-before                    # a quarter of an hour
python benchmarks/versus.py ../irbench-before --only run,reports --rounds 5
python benchmarks/versus.py ../irbench-before --only reports --run runs/nudt

Each piece runs in fresh processes, in turn: this checkout, the other one, this one again. Both
use the same Python and packages, whatever is installed. What counts is the ratio of processor
time (user and system, children included) of neighbouring turns: the clock tells of the machine's
other work as well. ``--only jobs`` needs an idle machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from _checkouts import Checkout
from _versus_pieces import CHILD, LIGHT, PIECES, Material, Piece, Round, Took

HERE = Path(__file__).resolve().parents[1]
DEFAULT = ("conversion", "run", "lowrank", "reports", "memory")


def compare(piece: Piece, new: Checkout, old: Checkout, material: Material, n: int) -> list[str]:
    """Run a piece in turn, and make the lines of its table."""
    pairs: list[tuple[Round, Round]] = []
    # The first turn compiles and caches what an installed package has compiled.
    for index in range(n + 1):
        pair = piece.turn(new, material), piece.turn(old, material)
        if index:
            pairs.append(pair)
    results = piece.difference(pairs[0][0].found, pairs[0][1].found)
    lines = []
    for part in pairs[0][0].took:
        taken = [(a.took[part], b.took[piece.base(part)]) for a, b in pairs]
        lines.append(_line(part, taken, results))
    if piece.name == "jobs":
        lines += [_speed_up(new.label, [a for a, _ in pairs])]
        lines += [_speed_up(old.label, [b for _, b in pairs])]
    return lines


def _line(part: str, taken: Sequence[tuple[Took, Took]], results: str) -> str:
    if taken[0][0].peak_bytes is not None:
        sizes = [(_bytes(a), _bytes(b)) for a, b in taken]
        ours, theirs = (f"{median(side) / 1e6:.0f} MB" for side in zip(*sizes, strict=True))
        return _row(part, ours, theirs, _ratio(sizes), "", results)
    processor = [(_known(a.processor_s), _known(b.processor_s)) for a, b in taken]
    clock = [(_known(a.clock_s), _known(b.clock_s)) for a, b in taken]
    ours, theirs = (f"{median(side):.3g} s" for side in zip(*processor, strict=True))
    return _row(part, ours, theirs, _ratio(processor), _ratio(clock), results)


def _speed_up(label: str, rounds: Sequence[Round]) -> str:
    ratios = []
    for one in rounds:
        alone, two = (_known(took.clock_s) for took in one.took.values())
        ratios.append((alone, two))
    return _row(f"--jobs 2 against 1, {label}", "", "", "", _ratio(ratios), "speed-up")


def _ratio(pairs: Sequence[tuple[float, float]]) -> str:
    """The median of the ratios of neighbours, with least and greatest."""
    ratios = [a / b for a, b in pairs]
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _known(seconds: float | None) -> float:
    assert seconds is not None
    return seconds


def _bytes(took: Took) -> float:
    assert took.peak_bytes is not None
    return float(took.peak_bytes)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _make_material(new: Checkout, old: Checkout, options: argparse.Namespace) -> Material:
    """What both get, made by this checkout; a run to report on by the other one."""
    folder = new.new_folder("material")
    found = [name for name in ("nudt", "irstd1k") if _is_here(new, name)]
    small, large = ("nudt" in found) * "nudt", ("irstd1k" in found) * "irstd1k"
    new.run(CHILD, "make-data", str(folder), small, large, str(options.images))
    print(f"images: {options.images} of val and of test of {small or 'synth256'}", end="; ")
    print(f"512x512: {large or 'a mosaic of them'}; 1024x1024: a mosaic of them")
    run = options.run
    if run is None and "reports" in options.only:
        run = old.new_folder("to-report")
        old.irbench(
            "run", "--methods", LIGHT, "--dataset", str(folder / "data"), "--out", str(run),
            "--timing-images", "3",
        )  # fmt: skip
    return Material(folder, run)


def _is_here(checkout: Checkout, dataset: str) -> bool:
    try:
        checkout.run("-c", f"import irbench; irbench.load_dataset({dataset!r}).ids[0]")
    except SystemExit:
        return False
    return True


def _left_out(only: Sequence[str]) -> Iterator[str]:
    names = [name for name in PIECES if name not in only]
    if names:
        yield f"left out: {', '.join(names)} (--only {','.join(names)})"


def main() -> int:
    """Compare the pieces that are asked for, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("other", type=Path, help="another checkout of irbench")
    parser.add_argument("--only", default=",".join(DEFAULT), help=f"of {', '.join(PIECES)}")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each checkout, counted")
    parser.add_argument("--images", type=int, default=40, help="of each split")
    parser.add_argument("--run", type=Path, help="the run that is reported on")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if unknown := [name for name in options.only if name not in PIECES]:
        parser.error(f"--only: expected of {', '.join(PIECES)}, got {', '.join(unknown)}")
    if options.rounds < 1 or options.images < 1:
        parser.error("--rounds, --images: expected at least 1")
    print(f"load before: {os.getloadavg()[0]:.2f} (0 is an idle machine), {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        new = Checkout("this", HERE, Path(folder) / "new")
        old = Checkout("the other", options.other, Path(folder) / "old")
        material = _make_material(new, old, options)
        for line in _left_out(options.only):
            print(line)
        print(_row("piece", "this", "the other", "processor or memory", "clock", "results"))
        print(_row("---", "---:", "---:", "---:", "---:", "---"), flush=True)
        for name in options.only:
            for line in compare(PIECES[name], new, old, material, options.rounds):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
