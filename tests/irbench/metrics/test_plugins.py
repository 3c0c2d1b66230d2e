"""Metrics of others: found, refused with the reason, and never a wrong number."""

from __future__ import annotations

import dataclasses
import math
import re
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from irbench.engine.storage.file_checks import _ROW
from irbench.errors import MetricError, UnknownNameError, UsageError
from irbench.metrics.built_in import BUILT_IN
from irbench.metrics.counting import BoxCounts, f1
from irbench.metrics.counts import Counts
from irbench.metrics.definition import METRICS, get_metric, quality_metrics
from irbench.metrics.metric import fraction
from irbench.metrics.plugins import RESERVED, plugin_metrics
from irbench.metrics.value import MetricValue
from irbench.metrics.weighted import Ratio
from irbench.plugins.registry import load_plugin

PAGE = (Path(__file__).parents[3] / "docs/add-your-metric.md").read_text()
F2 = re.findall(r"```python\n(# f2\.py\n.*?)```", PAGE, re.S)[0]

COUNTS = BoxCounts(np.array([3, 1]), np.array([1, 2]), np.array([4, 3]))


def plugin(tmp_path, text, name="f2.py"):
    (tmp_path / name).write_text(text)
    return tmp_path / name


def metric_of(form, name="toy", bounds=None):
    made = fraction(
        name, "Toy", "boxes", "", "A toy.", needs="boxes", form=form, reason="no target"
    )
    return made if bounds is None else dataclasses.replace(made, bounds=bounds)


def test_the_metric_of_the_page_is_f2(tmp_path):
    assert load_plugin(plugin(tmp_path, F2)) == ["f2"]
    precision, recall = 4 / 7, 4 / 7
    expected = 5 * precision * recall / (4 * precision + recall)
    assert get_metric("f2")(COUNTS).value == pytest.approx(expected, abs=1e-15)
    (recall, precision) = (3 / 4, 3 / 4)
    only_first = get_metric("f2")(COUNTS, np.array([1, 0])).value
    assert only_first == pytest.approx(5 * precision * recall / (4 * precision + recall))


def test_a_loaded_metric_comes_after_the_built_in_ones(tmp_path):
    assert list(METRICS) == list(BUILT_IN)
    file = plugin(tmp_path, F2)
    load_plugin(file)
    # A worker, or a second option, may name it again.
    assert load_plugin(file) == ["f2"]
    assert list(METRICS) == [*BUILT_IN, "f2"]
    assert list(quality_metrics())[-1] == "f2"
    assert plugin_metrics().sources["f2"] == str(file)
    assert len(METRICS) == len(BUILT_IN) + 1


def test_an_imported_metric_of_irbench_is_not_the_plugins(tmp_path):
    text = "from irbench.metrics.counting import f1\n" + F2
    assert load_plugin(plugin(tmp_path, text)) == ["f2"]
    with pytest.raises(UsageError, match="and no Metric"):
        load_plugin(plugin(tmp_path, "from irbench.metrics.counting import f1", "none.py"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name="f2"', 'name="f1"', "the name 'f1' is taken by a metric of irbench itself"),
        ('name="f2"', 'name="fps"', "the name 'fps' is taken"),
        ('name="f2"', 'name="state"', "'state' is that of another field of results"),
        ('name="f2"', 'name="f2_lower"', "'f2_lower' is that of another field"),
        ('name="f2"', 'name="F2, mine"', "name of the metric 'F2, mine' must be lower-case"),
        ('title="F2"', 'title=""', "title of the metric 'f2' must be a text that is not empty"),
        ('kind="boxes"', 'kind="cost"', "kind of the metric 'f2' must be one of 'boxes', "),
        ('needs="boxes"', 'needs="images"', "needs of the metric 'f2' must be one of 'boxes'"),
        ('clause="overlap"', 'clause="iou"', "clause of the metric 'f2' must be one of ''"),
        ('reason="no target in any image"', 'reason=""', "reason of the metric 'f2' must be"),
        ("form=lambda counts: ", "form=", "fails to import: NameError"),
        ("f2 = fraction(", "def f2(**more): pass\nf2(", "and no Metric"),
        ("f2 = fraction(", "_f2 = fraction(", "and no Metric"),
    ],
)
def test_a_wrong_metric_is_one_clear_error(tmp_path, old, new, message):
    text = F2.replace(old, new)
    assert text != F2
    with pytest.raises(UsageError, match=message) as caught:
        load_plugin(plugin(tmp_path, text))
    assert "f2.py" in str(caught.value)
    assert list(METRICS) == list(BUILT_IN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from irbench.metrics.metric import Metric\nclass F2(Metric): pass", "F2 is a class"),
        (
            """
from dataclasses import replace
from irbench.metrics.built_in import BUILT_IN
f2 = replace(BUILT_IN["fps"], name="f2")
""",
            r"f2 must be an object of irbench\.metrics\.metric\.Metric, .*got MetricDefinition",
        ),
        (F2.replace("fraction(", "dict("), "and no Metric"),
    ],
)
def test_what_is_no_metric_object_is_told(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        load_plugin(plugin(tmp_path, text))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bounds", (1.0, 0.0)),
        ("bounds", (0.0, math.nan)),
        ("bounds", 1.0),
        ("scale", 0),
        ("decimals", -1),
        ("higher_is_better", "yes"),
        ("form", None),
    ],
)
def test_a_definition_is_checked(field, value):
    with pytest.raises(UsageError, match=rf"^{field} of the metric 'f1' must be .*got "):
        dataclasses.replace(f1, **{field: value})


def test_two_files_of_one_name_clash(tmp_path):
    load_plugin(plugin(tmp_path, F2))
    with pytest.raises(UsageError, match=r"b\.py: the name 'f2' is taken by a metric of .*f2\.py"):
        load_plugin(plugin(tmp_path, F2, "b.py"))


def found_with(monkeypatch, tmp_path, text, attribute=""):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "their_metrics.py").write_text(text)
    value = "their_metrics" + (f":{attribute}" if attribute else "")
    point = EntryPoint("theirs", value, "irbench.metrics")
    monkeypatch.setattr("irbench.metrics.plugins.entry_points", lambda group: [point])
    monkeypatch.delitem(__import__("sys").modules, "their_metrics", raising=False)
    return plugin_metrics.__wrapped__()


@pytest.mark.parametrize("attribute", ["", "f2"])
def test_an_entry_point_names_an_object_or_a_module(monkeypatch, tmp_path, attribute):
    found = found_with(monkeypatch, tmp_path, F2, attribute)
    assert list(found.metrics) == ["f2"]
    assert found.failures == []


@pytest.mark.parametrize(
    ("text", "attribute", "reason"),
    [
        ("import no_such_module", "", "No module named"),
        ("x = 3", "x", "3 must be an object of irbench"),
        (F2.replace('"f2"', '"f1"'), "", "'f1' is taken"),
        ("raise SystemExit(3)", "", "SystemExit: 3"),
    ],
)
def test_a_bad_entry_point_is_listed_and_breaks_nothing(
    monkeypatch, tmp_path, text, attribute, reason
):
    found = found_with(monkeypatch, tmp_path, text, attribute)
    assert found.metrics == {}
    (failure,) = found.failures
    assert reason in failure.reason
    monkeypatch.setattr("irbench.metrics.definition.plugin_metrics", lambda: found)
    with pytest.raises(UnknownNameError, match=r"Not loaded: their_metrics"):
        get_metric("f2")


def test_an_unknown_metric_says_that_it_may_be_in_a_file():
    with pytest.raises(UnknownNameError, match="One of your own needs --plugin FILE"):
        get_metric("f2")


def test_every_other_field_of_a_row_is_reserved():
    assert set(_ROW) - set(BUILT_IN) <= RESERVED
    assert not RESERVED & set(BUILT_IN)


FAILING = {
    "raises": (lambda counts: counts.no_such, r"AttributeError: .*no_such.* \(test_plugins\.py"),
    "raises later": (lambda counts: lambda draws: 1 / 0, r"ZeroDivisionError: .*test_plugins\.py"),
    "one number": (lambda counts: lambda draws: np.float64(0.5), r"\(1,\) floats"),
    "whole numbers": (lambda counts: lambda draws: np.ones(draws.n_draws, int), "floats"),
    "too large": (lambda counts: lambda draws: np.full(draws.n_draws, 1.5), "from 0 to 1.*1.5"),
    "infinite": (lambda counts: lambda draws: np.full(draws.n_draws, np.inf), "returned inf"),
    "writes": (
        lambda counts: counts.targets.__imul__(2),
        "ValueError: output array is read-only",
    ),
    "writes weights": (
        lambda counts: lambda draws: draws.weights.__imul__(0.0).sum(axis=0),
        "ValueError: output array is read-only",
    ),
}


@pytest.mark.parametrize("fault", FAILING)
def test_a_form_that_fails_gives_an_error_and_no_number(fault):
    form, message = FAILING[fault]
    counts = Counts(boxes=BoxCounts(np.array([1]), np.array([0]), np.array([2])))
    with pytest.raises(MetricError, match=message):
        counts.value(metric_of(form))
    assert counts.value(f1).value == pytest.approx(2 / 3)


def test_nan_is_undefined_for_the_reason_given():
    toy = metric_of(lambda counts: lambda draws: np.full(draws.n_draws, np.nan))
    assert toy(COUNTS) == MetricValue(None, "no target")


def test_a_reason_that_fails_is_a_failure_too():
    toy = metric_of(lambda counts: lambda draws: np.full(draws.n_draws, np.nan))
    toy = dataclasses.replace(toy, reason=lambda counts, weights: "" + weights)
    with pytest.raises(MetricError, match="the form of the metric 'toy' failed"):
        toy(COUNTS)


def test_a_class_of_ones_own_may_make_the_object(tmp_path):
    text = F2.replace("f2 = fraction(", "class F2(Metric): pass\nf2 = made(")
    text = text.replace("import fraction", "import Metric, fraction").replace(
        "f2 = made(", "def made(**m):\n    return F2(**{**vars(fraction(**m))})\nf2 = made("
    )
    assert load_plugin(plugin(tmp_path, text)) == ["f2"]


def test_want_of_memory_is_no_fault_of_a_metric():
    def form(counts):
        raise MemoryError

    with pytest.raises(MemoryError):
        metric_of(form)(COUNTS)


def test_rounding_beyond_a_bound_is_let_pass():
    assert metric_of(lambda c: Ratio(c.targets * (1 + 1e-15), c.targets))(COUNTS).value > 1


def test_the_page_names_the_counts_as_they_are():
    from irbench.metrics.clutter_suppression import Gains
    from irbench.metrics.hierarchical_iou import HierarchicalCounts
    from irbench.metrics.match_table import MatchTable
    from irbench.metrics.pixel_roc import RocCounts
    from irbench.metrics.pixels import PixelCounts
    from irbench.metrics.points import PointCounts
    from irbench.metrics.roc_3d import Roc3dCounts

    rows = dict(re.findall(r"^\| `(\w+)` \| (`.*?) \| .* \|$", PAGE, re.M))
    homes = {
        "boxes": BoxCounts, "points": PointCounts, "pixels": PixelCounts,
        "regions": HierarchicalCounts, "table": MatchTable, "roc": RocCounts,
        "roc_3d": Roc3dCounts, "gains": Gains,
    }  # fmt: skip
    for needs, cls in homes.items():
        named = set(re.findall(r"`(\w+)`", rows[needs]))
        fields = {one.name for one in dataclasses.fields(cls)}
        assert all(name in fields or hasattr(cls, name) for name in named), needs
        assert fields - named <= {"n_images", "detection_index"}, needs
