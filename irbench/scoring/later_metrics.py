"""Metrics that the rows of a run lack, such as of a later plug-in, from what the run stored."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection

from irbench.engine.storage.results import SCORED_STATES, Row, RunResults
from irbench.errors import IrbenchError
from irbench.messages.external_text import error_text
from irbench.metrics.definition import quality_metrics
from irbench.scoring.scored_output import score_row


def with_metrics(run: RunResults, names: Collection[str]) -> RunResults:
    """A run whose scored rows have metrics that they lack on disk; nothing is written.

    Parameters
    ----------
    run : RunResults
    names : collection of str
        Those of no metric of quality are left out.

    Returns
    -------
    RunResults
        The same where no row lacks any. What cannot be scored has the reason under
        ``undefined``.
    """
    wanted = [name for name in quality_metrics() if name in names]
    rows = tuple(_with_metrics(run, row, wanted) for row in run.rows)
    return run if rows == run.rows else dataclasses.replace(run, rows=rows)


def _with_metrics(run: RunResults, row: Row, names: Collection[str]) -> Row:
    lacking = [name for name in names if name not in row]
    if not lacking or row["state"] not in SCORED_STATES:
        return row
    try:
        result = score_row(run, row).result
    except (IrbenchError, OSError, KeyError) as error:
        reason = f"it cannot be scored: {error_text(error).removesuffix('.')}"
        values, undefined = dict.fromkeys(lacking), dict.fromkeys(lacking, reason)
    else:
        values = {name: result.values[name] for name in lacking}
        undefined = {name: text for name, text in result.undefined.items() if name in lacking}
    stored = {
        name: None if value is None or not math.isfinite(value) else value
        for name, value in values.items()
    }
    return {**row, **stored, "undefined": {**row.get("undefined", {}), **undefined}}
