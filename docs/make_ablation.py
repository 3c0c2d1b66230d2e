"""Trains the networks of one of the paper's ablations at an equal budget, and makes its table.

Run it from the repository's root::

    python docs/make_ablation.py --dataset irstd1k --recipe ablation-512

Every row is trained from random weights by the same recipe and seed, calibrated on the validation
split, and tested once. It may be stopped and repeated: what is finished is kept, and what is not
goes on.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from _commands import irbench

from irbench.published.tables import published_tables


def networks(table: int) -> list[str]:
    """The methods of an ablation, row by row."""
    return [row.methods[0] for row in published_tables()[table].rows.values()]


def train(method: str, options: argparse.Namespace) -> Path:
    """Train one row, or go on with it; where its weights are."""
    out = options.runs / f"{method}-{options.dataset}"
    irbench(
        *("train", method, "--dataset", options.dataset, "--recipe", options.recipe),
        *("--threads", options.threads, "--out", out, "--resume"),
    )
    return out / f"{method}-{options.dataset}.safetensors"


def main() -> None:
    """Train, run, and write the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--table", type=int, default=2, choices=sorted({2, 3, 4, 5, 6}))
    parser.add_argument("--dataset", default="irstd1k")
    parser.add_argument("--recipe", default="ablation-512")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at the same time")
    parser.add_argument("--threads", type=int, default=1, help="of each training, on a CPU")
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args()
    methods = networks(options.table)
    with ThreadPoolExecutor(options.jobs) as threads:
        weights = list(threads.map(lambda method: train(method, options), methods))
    given = [
        f"--param={m}.weights={file.resolve()}" for m, file in zip(methods, weights, strict=True)
    ]
    run = options.runs / f"table{options.table}-{options.dataset}"
    irbench(
        *("run", "--methods", ",".join(methods), "--dataset", options.dataset, *given),
        *("--timing-images", 0, "--out", run),
    )
    out = options.out / "ablation"
    out.mkdir(parents=True, exist_ok=True)
    irbench(
        *("report", run, "--table", options.table, "--paper", "--intervals"),
        *("--notes", "full", "--show-empty"),
        *("--format", "markdown,latex,csv", "--out", out),
    )
    budget = {m: budget_of(file) for m, file in zip(methods, weights, strict=True)}
    name = f"table{options.table}-{options.dataset}-budget.json"
    (out / name).write_text(json.dumps(budget, indent=1) + "\n")


def budget_of(weights: Path) -> dict[str, object]:
    """What a training cost, of its card."""
    card = json.loads(weights.with_suffix(".json").read_text())
    return {name: card[name] for name in ("seed", "epochs", "best_epoch", "steps", "seconds")}


if __name__ == "__main__":
    main()
