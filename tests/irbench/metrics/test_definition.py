from __future__ import annotations

import dataclasses
import math

import pytest

from irbench.errors import UnknownNameError
from irbench.metrics.definition import METRICS, MetricDefinition, get_metric

RESULT_COLUMNS = {
    *("precision", "recall", "f1", "map50", "map50_95", "pd", "fa", "iou", "niou"),
    *("params", "flops", "fps", "ms_median", "threshold"),
}


def test_every_column_of_the_results_is_defined():
    assert set(METRICS) >= RESULT_COLUMNS
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.title
        assert metric.description.endswith(".")
        assert metric.bounds[0] < metric.bounds[1]


def test_metrics_are_told_apart_by_formula_and_dialect():
    """Two metrics of one formula are two dialects, or differ in what they say."""
    said = [(m.formula, m.dialect, m.description) for m in METRICS.values() if m.formula]
    assert len(set(said)) == len(said)


def test_titles_are_distinct_and_nothing_is_called_miou():
    titles = [metric.title for metric in METRICS.values()]
    assert len(set(titles)) == len(titles)
    assert not [text for text in [*METRICS, *titles] if "miou" in text.lower()]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("precision", 0.8976, "89.76"),
        ("map50", 1.0, "100.00"),
        ("fa", 1.234e-5, "12.34"),
        ("fa_legacy", 0.0, "0.00"),
        ("params", 2_570_000, "2.57"),
        ("flops", 7.42e9, "7.42"),
        ("fps", 312.46, "312.5"),
        ("ms_median", 3.2, "3.20"),
        ("threshold", -0.5, "-0.500"),
        ("threshold", math.inf, "inf"),
        ("niou", None, "—"),
    ],
)
def test_values_print_as_in_the_paper(name, value, text):
    assert get_metric(name).format(value) == text


def test_direction():
    lower = {name for name, metric in METRICS.items() if metric.higher_is_better is False}
    false_alarms = {"fa", "fa_legacy", "fa_hungarian", "alarms_per_frame", "alarms_free"}
    assert lower == {*false_alarms, "auc_ft", "params", "flops", "ms_median"}
    assert [METRICS[name].arrow for name in ("f1", "fa", "threshold")] == ["↑", "↓", ""]


def test_better():
    f1, fa, threshold = METRICS["f1"], METRICS["fa"], METRICS["threshold"]
    assert f1.is_better(0.9, 0.8)
    assert not f1.is_better(0.8, 0.8)
    assert fa.is_better(1e-6, 2e-6)
    assert not fa.is_better(2e-6, 1e-6)
    assert f1.is_better(0.0, None)
    assert not f1.is_better(None, 0.1)
    assert not f1.is_better(None, None)
    assert not threshold.is_better(0.9, 0.1)


def test_definitions_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        METRICS["f1"].title = "F-measure"
    assert isinstance(METRICS["f1"], MetricDefinition)


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(UnknownNameError, match=r"unknown metric 'map5_95'\. Did you mean map50_95"):
        get_metric("map5_95")
