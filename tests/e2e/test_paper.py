"""The paper of docs/paper is built from a run, and says what the run says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from irbench.engine.storage.results import load_run

pytestmark = pytest.mark.slow

BUILD = Path(__file__).parents[2] / "docs" / "paper" / "build.py"


def missing_programs():
    for name in ("pdflatex", "bibtex", "pdftotext", "kpsewhich"):
        if shutil.which(name) is None:
            return f"{name} is not installed (Debian: texlive-latex-recommended, poppler-utils)"
    found = subprocess.run(["kpsewhich", "IEEEtran.cls"], capture_output=True, check=False)
    return "" if found.stdout else "IEEEtran is not installed (Debian: texlive-publishers)"


def test_the_paper_is_built_from_a_run(tmp_path):
    if reason := missing_programs():
        pytest.skip(reason)
    # Without networks, which only take longer.
    few = ("--methods", "tophat,maxmedian,mpcm", "--reference", "tophat", "--limit", "6")
    done = subprocess.run(
        [sys.executable, BUILD, *few, "--out", tmp_path],
        capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    log = (tmp_path / "paper.log").read_text("latin-1")
    assert not re.search(r"Overfull|undefined|multiply.defined|Font Warning", log)
    words = ["pdftotext", "-layout", tmp_path / "paper.pdf", "-"]
    text = subprocess.run(words, capture_output=True, check=True).stdout.decode()
    run = load_run(tmp_path / "run")
    for row in run.rows:
        assert f"{100 * row['f1']:.2f}" in text
    assert "3 detectors" in " ".join(text.split())
    for expected in ("TABLE I", "Fig. 1.", "Fig. 2.", "R EFERENCES", "[3]"):
        assert expected in text
    # Each value but the reference's own has a mark; and all of them an interval.
    fragment = (tmp_path / "generated" / "table1-fragment.tex").read_text()
    table = fragment.partition(r"\midrule")[2].partition(r"\bottomrule")[0]
    marks = re.findall(r"\\irbench(?:better|worse|same)\}", table)
    assert len(marks) == 2 * 4
    assert table.count(r"\textendash{}") >= 3 * 4
