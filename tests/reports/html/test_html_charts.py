"""Curves, axes and fronts, against slow and plain ways to the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irbench.detections import Detections
from irbench.detections.packed_detections import PackedDetections
from irbench.figures.pareto import pareto_front
from irbench.ground_truth import GroundTruth
from irbench.metrics import points
from irbench.metrics.packed_components import PackedComponents
from irbench.metrics.point_curve import point_curve
from irbench.pictures.styles import method_styles
from irbench.reports._html_axes import Axis, log_axis, share_axis
from irbench.reports._html_chart import HEIGHT, WIDTH, line, scatter
from irbench.reports._html_template import json_text

SHAPE = (40, 50)


def boxes(rng, n):
    corners = rng.integers(0, 30, (n, 2))
    return np.concatenate([corners, corners + rng.integers(1, 6, (n, 2))], axis=1).astype(float)


def crowded(seed):
    """Few places and few scores, so that detections contend for targets and tie."""
    rng = np.random.default_rng(seed)
    truths, images = [], []
    for place in range(4):
        targets = boxes(rng, rng.integers(0, 4))
        near = targets[rng.integers(0, len(targets), 6)] if len(targets) else np.zeros((0, 4))
        moved = np.clip(near + rng.integers(-2, 3, (len(near), 1)), 0, None)
        moved[:, 2:] += 1
        found = np.concatenate([moved, boxes(rng, rng.integers(0, 5))])
        truths.append(GroundTruth(str(place), SHAPE, targets.astype(np.float32), None))
        images.append(Detections(found, rng.integers(1, 5, len(found)) / 4))
    return images, truths


@pytest.mark.parametrize("seed", range(12))
def test_pd_and_fa_are_those_of_the_metrics_at_every_threshold(seed):
    images, truths = crowded(seed)
    curve = point_curve(images, truths, 3.0)
    scores = np.unique(np.concatenate([one.scores for one in images]))[::-1]
    np.testing.assert_array_equal(curve.thresholds, scores)
    for threshold, pd, fa in zip(curve.thresholds, curve.pd, curve.fa, strict=True):
        kept = PackedDetections.of(one.above(threshold) for one in images)
        counts = points.count_points(
            PackedComponents.of_detections(kept, truths),
            PackedComponents.of_truths(truths),
            np.array([truth.n_pixels for truth in truths]),
        )
        assert fa == pytest.approx(points.fa(counts).value, abs=1e-15)
        expected = points.pd(counts).value
        assert np.isnan(pd) if expected is None else pd == pytest.approx(expected)


def test_nothing_found_is_no_curve():
    truth = GroundTruth("a", SHAPE, np.zeros((0, 4), np.float32), None)
    curve = point_curve([Detections.empty()], [truth], 3.0)
    assert len(curve.pd) == len(curve.fa) == len(curve.thresholds) == 0


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 5)), min_size=1, max_size=8))
def test_whatever_is_off_the_front_is_bettered_by_something_on_it(values):
    front = pareto_front(values)
    on = [value for value, best in zip(values, front, strict=True) if best]
    assert on
    for value, best in zip(values, front, strict=True):
        betters = [o for o in on if o != value and o[0] <= value[0] and o[1] >= value[1]]
        assert bool(betters) is not best


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9))
def test_logarithmic_axes_hold_their_values(one, other):
    axis = log_axis("x", [one, other])
    assert axis.low <= min(one, other) * (1 + 1e-9)
    assert axis.high >= max(one, other) * (1 - 1e-9)
    assert 2 <= len(axis.ticks) <= 8
    assert all(0 <= place <= 1 for place, _ in axis.ticks)


def test_ticks_read_as_people_write_them():
    assert [text for _, text in Axis("", 1e-4, 1e4, logarithmic=True).ticks] == [
        "10⁻⁴", "0.01", "1", "100", "10⁴",
    ]  # fmt: skip
    assert [text for _, text in share_axis("", 0.76).ticks] == ["0", "20", "40", "60", "80"]
    assert [text for _, text in share_axis("", 1.0).ticks][-1] == "100"
    assert share_axis("", 0.0).high == 10


def test_no_values_still_have_an_axis():
    axis = log_axis("x", [0.0])
    assert axis.positions([0.0, 1.0, 100.0]).tolist() == [0.0, 0.0, 1.0]


def styles(n):
    rows = [{"method": f"m{i}", "title": f"Method {i}", "group": "g"} for i in range(n)]
    return list(method_styles(rows).values())


def test_the_first_28_methods_differ():
    assert len({(one.colour, one.variant) for one in styles(28)}) == 28


def test_a_line_drops_points_that_cannot_be_seen_apart_and_those_that_are_not():
    (style,) = styles(1)
    x = share_axis("")
    values = (np.linspace(0, 100, 100_001), np.full(100_001, 50.0))
    assert line(style, x, x, values).path.count("L") < 4500
    assert line(style, x, x, ([np.nan], [1.0])).path == ""
    assert line(style, x, x, ([], [])).path == ""
    assert line(style, x, x, ([1.0], [1.0]), (None, 3.0)).mark == ""


def test_labels_stay_in_the_picture():
    named = styles(12)
    x, y = log_axis("", [1.0, 1000.0]), share_axis("")
    values = {style: (900.0, 99.0 - place / 10) for place, style in enumerate(named)}
    made, front = scatter(x, y, values, {style: style.title for style in named})
    assert front.startswith("M")
    for point in made:
        assert 0 < point.label_x < WIDTH
        assert 0 < point.label_y < HEIGHT


def test_json_cannot_end_a_script():
    text = str(json_text({"a": "</script><!--&", "b": [1.5, None]}))
    assert not set("<>&") & set(text)
    assert text == r'{"a":"\u003c/script\u003e\u003c!--\u0026","b":[1.5,null]}'
