"""Several methods judged at once: p-values of their falls, adjusted so that few are by chance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from irbench.gate.recording import gated_metrics
from irbench.gate.row_check import RowCheck
from irbench.statistics.multiple_testing import holm
from irbench.statistics.paired import PairedDifference

Differences = dict[str, PairedDifference]
"""Now minus before of a method, by metric."""


def adjusted_p(
    checks: Mapping[str, RowCheck], differences: Mapping[str, Differences]
) -> dict[str, dict[str, float]]:
    """Adjust the p-values of each metric by Holm's procedure over the methods.

    A family is one metric of all methods that an interval judges: twelve networks that did not
    change have twelve chances to look as if one had. A method that did not move beyond its
    tolerance belongs to the family with p = 1; deterministic methods do not, since they are not
    tested.

    Parameters
    ----------
    checks : mapping of str to RowCheck
        By method.
    differences : mapping of str to (mapping of str to PairedDifference)
        By method and metric, of the metrics that moved.

    Returns
    -------
    dict of str to (dict of str to float)
        By method and metric, in [0, 1]; without what has no p-value.
    """
    adjusted: dict[str, dict[str, float]] = {method: {} for method in checks}
    for metric in gated_metrics():
        family = [
            method
            for method, check in checks.items()
            if not check.before.deterministic
            and check.before.values.get(metric) is not None
            and check.row.get(metric) is not None
        ]
        p_values = [
            _p_value(differences[method].get(metric), metric in checks[method].moved)
            for method in family
        ]
        for method, p in zip(family, holm(p_values), strict=True):
            if not np.isnan(p):
                adjusted[method][metric] = float(p)
    return adjusted


def _p_value(difference: PairedDifference | None, has_moved: bool) -> float:
    if not has_moved:
        return 1.0
    # One that moved and cannot be tested is judged by its tolerance alone.
    return np.nan if difference is None or difference.p_value is None else difference.p_value
