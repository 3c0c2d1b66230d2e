"""A LaTeX table no wider than its line, for booktabs and graphicx."""

from __future__ import annotations

from collections.abc import Iterable


def fitted_tabular(columns: str, heads: Iterable[str], rows: Iterable[str]) -> list[str]:
    r"""The lines of a ``tabular`` that is made smaller where it is too wide.

    Parameters
    ----------
    columns : str
        As ``tabular`` takes them, such as ``lrr``.
    heads, rows : iterable of str
        Lines above and below the middle rule, each with its ``\\``.
    """
    return [
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        *heads,
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}}",
    ]


def notes_below(notes: Iterable[str]) -> list[str]:
    """The lines of small print below a table, a paragraph each; LaTeX already."""
    return [
        r"\par\medskip",
        r"\begin{minipage}{\linewidth}\footnotesize\raggedright",
        *(rf"{note}\par" for note in notes),
        r"\end{minipage}",
    ]
