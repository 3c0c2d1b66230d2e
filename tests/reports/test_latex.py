"""The LaTeX table: as a golden file, and through pdflatex."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from irbench.report import ReportOptions
from irbench.reports.latex import Latex

GOLDEN = Path(__file__).parents[1] / "golden" / "table1-fragment.tex"
NASTY = r"50%_a&b ~^\{}#$<>|`'\"--—–×éÅłßñšŐķ²⁻⁶µ∞≥…中ﬁ½"


@pytest.fixture(scope="module")
def compile_latex():
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed (Debian: texlive-latex-recommended)")

    def run(file):
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", file.name],
            cwd=file.parent,
            capture_output=True,
            timeout=120,
        )
        log = done.stdout.decode("latin-1")
        assert done.returncode == 0, log[-3000:]
        assert "Overfull" not in log
        assert "Float too large" not in log
        return file.with_suffix(".pdf")

    return run


def words(pdf):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (Debian: poppler-utils)")
    done = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True)
    return done.stdout.decode()


def test_the_fragment_is_as_it_was(paper_like, tmp_path):
    """Written anew where IRBENCH_UPDATE_GOLDEN is set; look at the difference before keeping it."""
    paths = Latex().write(paper_like, tmp_path, ReportOptions(columns=("wide",)))
    assert [path.name for path in paths] == ["table1.tex", "table1-fragment.tex", "references.bib"]
    text = paths[1].read_text()
    if os.environ.get("IRBENCH_UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
    assert text in paths[0].read_text()


@pytest.mark.parametrize("columns", [(), ("wide",)])
def test_the_table_compiles(paper_like, tmp_path, compile_latex, columns):
    options = ReportOptions(columns=columns, paper=True)
    pdf = compile_latex(Latex().write(paper_like, tmp_path, options)[0])
    assert pdf.exists()
    text = words(pdf)
    # In the default fonts an underscore is a rule, and an accent a character of its own.
    assert re.search("50%.a&b × M.*ller–", text)
    assert "Low-rank and Sparse Decomposition" in text
    assert "Table 3" in text


def test_a_narrow_table_takes_one_column_of_the_page(paper_like, tmp_path):
    nudt = [run for run in paper_like if run.dataset["name"] == "nudt"]
    narrow = Latex().write(nudt, tmp_path, ReportOptions(columns=("f1", "map50")))[1].read_text()
    assert r"\begin{table}[tp]" in narrow
    wide = Latex().write(paper_like, tmp_path)[1].read_text()
    assert r"\begin{table*}[tp]" in wide
    assert r"\end{table*}" in wide


def test_any_name_compiles(make_run, rows, tmp_path, compile_latex):
    run = make_run("nudt", [rows.done("odd", 0.5, NASTY, "A_group & more", note=NASTY)])
    text = words(compile_latex(Latex().write([run], tmp_path)[0]))
    assert re.search("50%.a&b", text)
    assert "U+4E2D" in text


def test_the_fragment_goes_into_a_paper(paper_like, tmp_path, compile_latex):
    Latex().write(paper_like, tmp_path)
    main = tmp_path / "paper.tex"
    main.write_text(
        r"\documentclass[twocolumn]{article}"
        r"\usepackage{booktabs}\usepackage{graphicx}\usepackage{xcolor}"
        r"\newcommand{\irbenchbest}[1]{BEST#1}\newcommand{\irbenchcite}[1]{}"
        r"\begin{document}Text.\input{table1-fragment}\end{document}"
    )
    # Ranks can be marked in the paper's own way.
    assert "BEST95.00" in words(compile_latex(main))


def test_no_package_beyond_those_of_texlive_latex_recommended(paper_like, tmp_path):
    text = Latex().write(paper_like, tmp_path)[0].read_text()
    assert set(re.findall(r"^\\usepackage(?:\[.*?\])?\{(\w+)\}", text, re.MULTILINE)) == {
        "inputenc", "booktabs", "graphicx", "xcolor",
    }  # fmt: skip
    assert text.isascii()


def test_numbers_aligned_by_siunitx_compile(paper_like, tmp_path, compile_latex):
    if not find_package("siunitx.sty"):
        pytest.skip("siunitx is not installed (Debian: texlive-science)")
    options = ReportOptions(columns=("wide",), siunitx=True, as_published=True)
    file = Latex().write(paper_like, tmp_path, options)[0]
    text = words(compile_latex(file))
    assert "S[table-format=2.2]" in file.read_text()
    assert "85.00" in text
    assert "RetinaNet (as published)" in text


def find_package(name):
    done = subprocess.run(["kpsewhich", name], capture_output=True, check=False)
    return done.returncode == 0


def test_every_citation_has_an_entry(paper_like, tmp_path, compile_latex):
    options = ReportOptions(as_published=True)
    main, fragment, bib = Latex().write(paper_like, tmp_path, options)
    cited = {
        key
        for keys in re.findall(r"\\irbenchcite\{([^}#]+)\}", fragment.read_text())
        for key in keys.split(",")
    }
    entries = re.findall(r"^@\w+\{(.+),$", bib.read_text(), re.MULTILINE)
    assert len(entries) == len(set(entries))
    assert {"serra1982image", "jing2025make", "li2023dense", "lin2017focal"} <= cited
    # What the table does not cite is no reference of the paper.
    assert cited == set(entries)
    compile_latex(main)
    log = compile_latex(main).with_suffix(".log").read_text("latin-1")
    assert "undefined" not in log


@pytest.mark.skipif(shutil.which("bibtex") is None, reason="bibtex is not installed")
def test_bibtex_reads_the_bibliography(paper_like, tmp_path, compile_latex):
    Latex().write(paper_like, tmp_path)
    main = tmp_path / "paper.tex"
    main.write_text(
        r"\documentclass{article}\begin{document}\nocite{*}"
        r"\bibliographystyle{plain}\bibliography{references}\end{document}"
    )
    compile_latex(main)
    done = subprocess.run(["bibtex", "paper"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "Warning" not in done.stdout.replace("Warning--to sort", "")
    compile_latex(main)


@pytest.mark.parametrize("number", [2, 3])
def test_an_ablation_is_as_it_was(ablation_run, tmp_path, compile_latex, number):
    options = ReportOptions(table=number, as_published=True, paper=True)
    paths = Latex().write([ablation_run], tmp_path, options)
    golden = GOLDEN.with_name(f"table{number}-fragment.tex")
    text = paths[1].read_text()
    if os.environ.get("IRBENCH_UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()
    assert "as published" in words(compile_latex(paths[0]))


def test_ranks_are_marked_so_that_grey_print_tells_them_apart(paper_like, tmp_path):
    text = Latex().write(paper_like, tmp_path)[1].read_text()
    for macro, style in (
        ("best", r"\textcolor{red}{\textbf"),
        ("second", r"\textcolor{blue}{\underline"),
        ("third", r"\textcolor[rgb]{0,0.5,0}{\textit"),
    ):
        assert rf"\providecommand{{\irbench{macro}}}[1]{{{style}" in text
        assert rf"& \irbench{macro}{{" in text
        assert rf"\irbench{macro}{{" in text[text.index("The best value of a column") :]


def test_the_paper_stands_in_a_fragment_of_its_own(paper_like, make_run, rows, tmp_path):
    options = ReportOptions(paper=True)
    names = [path.name for path in Latex().write(paper_like, tmp_path, options)]
    assert names == [
        "table1.tex", "table1-fragment.tex", "table1-paper-fragment.tex", "references.bib",
    ]  # fmt: skip
    other = make_run("folder", [rows.done("a", 0.5)], "other")
    assert len(Latex().write([other], tmp_path, options)) == 3


def test_writing_twice_gives_the_same_bytes(paper_like, tmp_path):
    first = [path.read_bytes() for path in Latex().write(paper_like, tmp_path)]
    assert [path.read_bytes() for path in Latex().write(paper_like, tmp_path)] == first


def test_rows_without_any_result(make_run, rows, tmp_path, compile_latex):
    run = make_run("nudt", [rows.unfinished("a", "interrupted", "")])
    file = Latex().write([run], tmp_path)[0]
    assert r"\textsuperscript{1}\,interrupted." in file.read_text()
    assert compile_latex(file).exists()
