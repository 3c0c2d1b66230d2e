"""HTML: everything about a run on one page, in one file that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from irbench.atomic import write_bytes
from irbench.engine.storage.results import RunResults
from irbench.published.measured_values import PARTS
from irbench.report import DEFAULT_OPTIONS, Report, ReportInfo, ReportOptions, not_shown
from irbench.statistics.resamples import N_RESAMPLES

from ._html_page import page_sections
from ._html_template import render_page
from ._intervals import interval_kind
from ._published import comparison_tables
from ._seeds import refuse_seeds
from ._table import table_groups

FILE = "report.html"


class Html(Report):
    """One page with table, charts and a gallery of what each method found on each image."""

    info: ClassVar[ReportInfo] = ReportInfo(
        name="html", title="one page with table, charts and images, for a browser", folder=""
    )

    def write(
        self, runs: Sequence[RunResults], out: Path, options: ReportOptions = DEFAULT_OPTIONS
    ) -> list[Path]:
        """See :meth:`irbench.report.Report.write`.

        The table has every metric that any method has; those of ``options.columns``, by
        default the wide table's, are seen at first.
        """
        refuse_seeds(options, "html")
        groups = table_groups(runs, options)
        styles, sections = page_sections(groups, options, not_shown(runs, options))
        text = render_page(
            sections=sections,
            styles=styles,
            looks={style.method: style for style in styles},
            comparisons=comparison_tables(groups, options.table) if options.paper else None,
            parts=PARTS,
            n_resamples=N_RESAMPLES,
            interval_kind=interval_kind(
                leaders.metric for section in sections for leaders in section.verdicts
            ),
        )
        path = out / FILE
        write_bytes(path, text.encode())
        return [path]
