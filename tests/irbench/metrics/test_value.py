from __future__ import annotations

import math

import numpy as np
import pytest

from irbench.errors import UsageError
from irbench.metrics.value import MetricValue, check_weights, ratio, total


def test_a_value_or_a_reason_never_both_or_neither():
    assert MetricValue(0.0).is_defined
    assert not MetricValue(None, "no image").is_defined
    for value, reason in ((None, ""), (0.5, "no image")):
        with pytest.raises(UsageError, match="reason goes with value=None and only with it"):
            MetricValue(value, reason)
    with pytest.raises(UsageError, match="got NaN"):
        MetricValue(math.nan)


def test_ratio():
    assert ratio(1, 4, "nothing") == MetricValue(0.25)
    assert ratio(0, 0, "nothing") == MetricValue(None, "nothing")
    assert type(ratio(np.int64(1), np.int64(4), "nothing").value) is float


def test_total():
    counts = np.array([1, 2, 3])
    assert total(counts) == 6
    assert total(counts, [2, 0, 1]) == 5
    assert total(counts[:0]) == total(counts[:0], []) == 0


def test_weights():
    assert check_weights(None, 3) is None
    assert check_weights([1, 0], 2).dtype == np.float64
    with pytest.raises(UsageError, match=r"shape \(3,\), got \(2,\)"):
        check_weights([1, 0], 3)
    for bad in (-1, math.nan, math.inf):
        with pytest.raises(UsageError, match=r"weights\[1\] must be finite and at least 0"):
            check_weights([1, bad], 2)
