"""Several metrics from one pass over the draws: the very values of each alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from irbench.metrics import definition
from irbench.metrics.counting import f1
from irbench.metrics.definition import METRICS
from irbench.protocol import TABLE1
from irbench.scoring.scored_output import score
from irbench.statistics import scored_group
from irbench.statistics.resamples import Resamples
from irbench.statistics.scored_group import ScoredMethod


@pytest.fixture(scope="module")
def output(make_truths, make_detections):
    truths = make_truths(2, 40)
    return score(make_detections(truths, 1), truths, TABLE1, threshold=1.0)


@pytest.fixture
def scored(output):
    def make():
        draws = Resamples([f"{place:02d}" for place in range(output.result.n_images)], 200)
        return ScoredMethod(dict(output.result.values), output, draws)

    return make


@pytest.fixture
def passes(monkeypatch):
    """The metrics of each pass over the draws."""
    made = []

    def counting(statistics, draws):
        made.append(statistics["0"].metrics)
        return resample(statistics, draws)

    resample = scored_group.resample
    monkeypatch.setattr(scored_group, "resample", counting)
    return made


def test_one_pass_has_the_bits_of_one_for_each_metric(scored, passes):
    together, apart = scored(), scored()
    together.resample(METRICS)
    (metrics,) = passes
    assert len(metrics) > 20
    for name in METRICS:
        one, other = together.spread(name), apart.spread(name)
        assert (one is not None) == (other is not None) == (name in metrics)
        if one is not None:
            assert one.draws.tobytes() == other.draws.tobytes(), name
            assert one.left_out.tobytes() == other.left_out.tobytes(), name
    assert passes[1:] == [(name,) for name in metrics]


def test_a_form_that_fails_on_a_draw_takes_no_other_metric_with_it(scored, monkeypatch):
    def fails_on_draws(counts):
        def form(draws):
            if draws.n_draws > 1:
                raise ValueError("only one draw")
            return np.zeros(1)

        return form

    bad = dataclasses.replace(f1, name="mine", form=fails_on_draws)
    monkeypatch.setattr(definition, "METRICS", {**METRICS, "mine": bad})
    expected, one = scored(), scored()
    expected.resample(METRICS)
    one.resample(["mine", *METRICS])
    assert "only one draw" in one.failures["mine"]
    assert list(one.failures) == ["mine"]
    assert one.interval("mine") is None
    for name in METRICS:
        mine, others = one.spread(name), expected.spread(name)
        assert (mine is None) == (others is None), name
        if mine is not None:
            np.testing.assert_array_equal(mine.draws, others.draws, err_msg=name)
