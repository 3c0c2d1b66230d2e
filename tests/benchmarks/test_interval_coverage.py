"""The simulation of coverage: its truth is exact, its samples are scored as irbench scores."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from irbench.metrics.average_precision import average_precision
from irbench.metrics.match_table import MatchTable

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.fixture
def population(module: Any) -> Any:
    made = module("_superpopulation")
    return made.Superpopulation(made.DetectorModel("any", power=1.0, clutter=1.0), n_scenes=300)


def test_the_truth_is_the_metric_of_the_whole_list_and_twins_have_the_same(population: Any) -> None:
    everything = np.arange(population.n_images)
    once = np.ones((population.n_images, 1))
    twins = population.statistics(population.twins(everything)).values(once)
    for name, truth in population.truth.items():
        assert 0 < truth < 1
        assert twins[name][0] == pytest.approx(truth, abs=1e-12), name
    assert population.truth["map50"] == average_precision(population.table).value
    assert population.truth["pd"] > population.truth["recall"]


def test_a_sample_is_the_list_with_each_image_as_often_as_it_was_drawn(population: Any) -> None:
    images = population.sample(np.random.default_rng(0), 80)
    times = np.bincount(images, minlength=population.n_images).astype(float)
    sampled = population.statistics(images).values(np.ones((80, 1)))
    whole = population.statistics(np.arange(population.n_images)).values(times[:, None])
    for name, values in sampled.items():
        assert values[0] == pytest.approx(whole[name][0], abs=1e-12), name


def test_tables_count_misses_on_both_sides(module: Any) -> None:
    made = module("_superpopulation")
    coverage = module("interval_coverage")
    models = (made.DetectorModel("a", 1.5, 1.0), made.DetectorModel("b", 1.0, 1.0))
    populations = {one.title: made.Superpopulation(one, n_scenes=200) for one in models}
    tables = [population.table for population in populations.values()]
    assert isinstance(tables[0], MatchTable)
    # The same scenes: only so is their difference a paired one.
    assert np.array_equal(*(one.n_targets for one in tables))
    outcome = coverage.Outcome(populations, coverage.KINDS, coverage.KINDS_OF_DIFFERENCES)
    outcome.run(n_images=12, n_repetitions=3, n_resamples=40)
    for intervals in (*outcome.values.values(), *outcome.differences.values()):
        for one in intervals:
            assert len(one.widths) == 3
            assert one.coverage == 1 - (one.too_high + one.too_low) / 3
    text = coverage.tables({12: outcome}, 3, 40)
    assert text.count("\n| a | 12 |") == len(made.METRICS) + 1
    assert text.count("\n| a − b | 12 |") == len(made.METRICS)
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    assert coverage.BEGIN in readme
    assert coverage.END in readme
