"""The tables of all metrics in ``docs/metrics.md``, made from their definitions.

After a change of a definition::

    python -m irbench.metrics.documentation docs/metrics.md
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

from irbench.errors import UsageError
from irbench.metrics.built_in import BUILT_IN
from irbench.metrics.metric import MetricDefinition, MetricKind

BEGIN = "<!-- made by python -m irbench.metrics.documentation: begin -->"
END = "<!-- made by python -m irbench.metrics.documentation: end -->"

_HEADINGS = {
    "boxes": "Boxes",
    "points": "Points",
    "pixels": "Pixels and regions",
    "maps": "Score maps",
    "cost": "Cost",
    "setting": "Settings",
}
_COLUMNS = ("Name", "In tables", "Unit", "Definition", "Dialect", "Equals", "Source")


def metric_tables() -> str:
    """Every metric of :data:`~irbench.metrics.built_in.BUILT_IN`, as Markdown.

    Returns
    -------
    str
        A heading and a table for each kind, in the order of a results table.
    """
    parts = []
    for kind in get_args(MetricKind):
        metrics = [metric for metric in BUILT_IN.values() if metric.kind == kind]
        if metrics:
            rows = [_COLUMNS, ("---",) * len(_COLUMNS), *map(_cells, metrics)]
            lines = [f"| {' | '.join(row)} |" for row in rows]
            parts.append("\n".join([f"### {_HEADINGS.get(kind, kind.capitalize())}", "", *lines]))
    return "\n\n".join(parts)


def with_tables(page: str) -> str:
    """A page with the tables between its two marks made anew.

    Parameters
    ----------
    page : str
        Markdown that holds :data:`BEGIN` and :data:`END`.

    Returns
    -------
    str

    Raises
    ------
    UsageError
        If a mark is missing.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(f"the page must hold the marks {BEGIN!r} and {END!r}.")
    return f"{before}{BEGIN}\n\n{metric_tables()}\n\n{END}{after}"


def _cells(metric: MetricDefinition) -> tuple[str, ...]:
    definition = metric.description
    if metric.formula:
        definition += f"<br>{metric.formula}"
    cells = (
        f"`{metric.name}`",
        f"{metric.title} {metric.arrow}".strip(),
        metric.unit,
        definition,
        metric.dialect,
        metric.equals,
        metric.reference,
    )
    # A bar would end the cell.
    return tuple(cell.replace("|", "\\|") for cell in cells)


def main(path: Path) -> None:
    """Make the tables of the page at ``path`` anew."""
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
