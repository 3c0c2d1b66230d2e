from __future__ import annotations

import numpy as np

from irbench.cli.comparison_values import gains_text
from irbench.metrics.clutter_suppression import Gains


def test_how_many_targets_have_no_gain():
    gain = np.array([2.0, np.inf, np.nan, np.nan, 3.0])
    erased = np.array([False, False, True, False, False])
    flat = np.ones(5)
    gains = Gains(1, np.zeros(5, np.int64), gain, flat, flat, erased)
    expected = "infinite at 1 and undefined at 2 (1 of them erased by the method) of 5 targets"
    assert gains_text("scrg", gains) == gains_text("scrg_mean", gains) == expected
    assert gains_text("bsf", gains) == gains_text("map50", gains) == ""
