"""What a table cites: every method, every dataset, and the paper."""

from __future__ import annotations

import re

from irbench.errors import IrbenchError
from irbench.markup.bibtex import Bibliography, Reference
from irbench.plugins.registry import catalogue
from irbench.published import published_reference, published_tables

from ._model import ResultTable

_CITED = re.compile(r"\\irbenchcite\{([^}#]+)\}")


def table_bibliography(table: ResultTable) -> Bibliography:
    """The paper, every method and dataset that is known, and what the table has besides.

    The former come first and sorted, so that a key is the same beside every table.
    """
    known = {published_reference()}
    for what in ("methods", "datasets"):
        known |= {cls.info.reference for cls in catalogue(what).classes.values()}
    known |= {row.reference for one in published_tables().values() for row in one.rows.values()}
    own = {row.reference for row in table.rows}
    own |= {group.reference for group in table.columns}
    return Bibliography([*sorted(known), *sorted(own - known)])


def cited_entries(bibliography: Bibliography, latex: str) -> list[tuple[str, Reference]]:
    r"""The entries that a text cites by ``\irbenchcite``, in the order of its first citations.

    Raises
    ------
    IrbenchError
        For a key that the bibliography lacks.
    """
    keys = dict.fromkeys(key for found in _CITED.findall(latex) for key in found.split(","))
    missing = [key for key in keys if key not in bibliography.entries]
    if missing:
        raise IrbenchError(f"references.bib has no entry for {', '.join(missing)}.")
    return [(key, bibliography.entries[key]) for key in keys]
