"""Countings of plug-ins in a baseline."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as arrays_of

from irbench.errors import UsageError
from irbench.gate.image_counts import is_counted
from irbench.gate.own_arrays import own_arrays, own_of_arrays
from irbench.gate.packed_arrays import pack, unpack
from irbench.gate.recording import record_baseline
from irbench.gate.row_check import paired_differences
from irbench.metrics.image_counting import Counting, OwnCounts
from irbench.metrics.metric import Metric
from irbench.metrics.plugins import plugin_metrics
from irbench.metrics.weighted import Ratio


@settings(max_examples=30, deadline=None)
@given(
    values=arrays_of(np.float64, (4, 2), elements=st.floats(allow_nan=False, allow_infinity=False))
)
def test_numbers_come_back_to_the_last_bit(values):
    counts = {"own.toy": OwnCounts(("a", "b"), values)}
    (again,) = own_of_arrays(unpack(pack(own_arrays(counts))), 4).values()
    assert again.columns == ("a", "b")
    np.testing.assert_array_equal(again.values, values)


def test_those_of_other_images_are_refused():
    arrays = own_arrays({"own.toy": OwnCounts(("a",), np.array([[1.0], [-2.0]]))})
    with pytest.raises(UsageError, match=r"own\.toy\.a are not those of 3 images"):
        own_of_arrays(arrays, 3)
    with pytest.raises(UsageError, match="are not those of 2 images"):
        own_of_arrays({**arrays, "own.toy.a.negative": np.zeros(1, np.int64)}, 2)


def test_a_baseline_gives_the_metric_and_its_interval_again(reference_run, monkeypatch):
    counting = Counting(
        name="toy", of="kept", columns=("found", "ones"),
        count=lambda image: (len(image.detections) - 1.5, 1),
    )  # fmt: skip
    toy = Metric(
        name="toy", title="Toy", kind="boxes", higher_is_better=True, bounds=(-np.inf, np.inf),
        unit="", scale=1.0, decimals=3, reference="none", description="Toy.", needs=counting,
        form=lambda counts: Ratio(counts["found"], counts["ones"]), reason="none",
    )  # fmt: skip
    without = record_baseline(reference_run)
    assert not is_counted(without.rows["net"].counts, toy)
    monkeypatch.setitem(plugin_metrics().metrics, "toy", toy)
    baseline = record_baseline(reference_run)
    counts = baseline.rows["net"].counts
    assert is_counted(counts, toy)
    assert not is_counted(
        counts, dataclasses.replace(toy, needs=dataclasses.replace(counting, columns=("x",)))
    )
    result = baseline.result("net")
    part = result.counts.of(toy)
    value = toy(part).value
    assert value == pytest.approx(part["found"].mean())
    result.values["toy"] = value
    ids = [str(index) for index in range(result.n_images)]
    found = paired_differences(result, result, ids, ["toy"], counts, 100, 0)
    assert found["toy"].interval.lower == found["toy"].interval.upper == 0
