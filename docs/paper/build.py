"""Builds the paper in this directory: runs the detectors, writes its table, figures and values.

Run it from the repository's root; it needs pdflatex, bibtex and the class IEEEtran::

    python docs/paper/build.py

Everything goes into docs/_build/paper, with paper.pdf. It may be stopped and repeated: a run that
is finished is kept.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from irbench import load_run
from irbench.markup.latex_text import latex_inside_braces
from irbench.metrics.definition import METRICS
from irbench.pictures.canvas import save_figure
from irbench.statistics.resamples import N_RESAMPLES
from irbench.statistics.scored_group import score_methods

HERE = Path(__file__).parent
METHODS = "le-irstd,yolov8n,tophat,maxmedian,mpcm"
COLUMNS = "f1,map50,pd,fa"
N_PICTURES = 3
"""Rows of the figure of detections."""


def irbench(*arguments: object) -> None:
    """Run one command of irbench, as a reader would."""
    command = [sys.executable, "-m", "irbench", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def make_values(run: Path, reference: str) -> str:
    """What the text says of a run, as commands of LaTeX."""
    loaded = load_run(run).source
    scored = score_methods([loaded], loaded.rows)
    f1, dataset = METRICS["f1"], loaded.dataset
    rows = {row["method"]: row for row in loaded.scored_rows}
    best = max(rows.values(), key=lambda row: row["f1"])

    def interval(method: str) -> str:
        found = scored.methods[method].interval("f1")
        return "" if found is None else "–".join(map(f1.format, (found.lower, found.upper)))

    values = {
        "NMethods": len(rows),
        "NImages": dataset["n_images"],
        "NTargets": dataset["n_targets"],
        "NDraws": N_RESAMPLES,
        "DatasetTitle": dataset["title"],
        "Split": dataset["split"],
        "IoU": loaded.protocol["iou_threshold"],
        "BestTitle": best["title"],
        "BestValue": f"{f1.format(best['f1'])} {f1.unit}",
        "BestInterval": interval(best["method"]),
        "ReferenceTitle": rows[reference]["title"],
        "ReferenceValue": f"{f1.format(rows[reference]['f1'])} {f1.unit}",
        "ReferenceInterval": interval(reference),
    }
    lines = (
        rf"\newcommand{{\{name}}}{{{latex_inside_braces(str(value))}}}"
        for name, value in values.items()
    )
    return "\n".join(lines) + "\n"


def draw_figures(run: Path, out: Path) -> None:
    """The two figures, as PDF and PNG."""
    loaded = load_run(run)
    places = _most_disputed(run)
    save_figure(loaded.figures["precision-recall"](), out / "precision-recall")
    save_figure(loaded.figures["detections"](images=places), out / "detections")


def _most_disputed(run: Path) -> list[str]:
    from irbench.figures.compared_methods import ComparedMethods

    comparison = ComparedMethods.of(load_run(run).source)
    truths = comparison.scored.truths
    with_targets = [place for place in comparison.by_disagreement if len(truths[place].boxes)]
    return [truths[place].id for place in with_targets[:N_PICTURES]]


def typeset(folder: Path) -> Path:
    """Run LaTeX until references stand."""
    latex = ("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex")
    for command in (latex, ("bibtex", "paper"), latex, latex):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout.decode('latin-1')[-3000:]}")
    return folder / "paper.pdf"


def main() -> None:
    """Build the paper."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=HERE.parent / "_build" / "paper")
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--reference", default="le-irstd", help="the row that others are tested on")
    parser.add_argument("--dataset", default="synth")
    parser.add_argument("--limit", type=int, help="test on the first so many images only")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    run, generated = options.out / "run", options.out / "generated"
    limit = () if options.limit is None else ("--limit", options.limit)
    irbench(
        *("run", "--methods", options.methods, "--dataset", options.dataset, *limit),
        *("--timing-images", 0, "--jobs", options.jobs, "--out", run, "--quiet"),
    )
    irbench(
        *("report", run, "--format", "latex", "--columns", COLUMNS, "--methods", options.methods),
        *("--reference", options.reference, "--intervals", "--out", generated, "--quiet"),
    )
    (generated / "values.tex").write_text(make_values(run, options.reference))
    draw_figures(run, generated)
    for name in ("paper.tex", "paper.bib"):
        shutil.copyfile(HERE / name, options.out / name)
    print(typeset(options.out))


if __name__ == "__main__":
    main()
