"""In which order candidates are tried, and what becomes of those that no time is left for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from irbench.choosing import trials
from irbench.choosing.candidates import Candidate
from irbench.choosing.measuring import Measured
from irbench.choosing.trials import run_trials, trial_order
from irbench.engine.executors.executor import Outcome
from irbench.messages.progress import Progress


def network(name, weights, size, backend="torch"):
    spec = SimpleNamespace(name=name)
    label = f"{name} {weights} {size}px {backend}"
    return Candidate(label, spec, "box", weights, size, backend)


def classical(name):
    return Candidate(name, SimpleNamespace(name=name), "score-map")


# As find_candidates gives them.
FOUND = [
    *map(classical, ("filter", "contrast", "decomposition")),
    *(
        network(name, weights, size)
        for name in ("one", "two")
        for weights, sizes in (("a", (640, 320)), ("b", (320, 160)))
        for size in sizes
    ),
]


def test_networks_and_others_take_turns_small_inputs_first():
    ordered = trial_order(FOUND)
    assert sorted(one.name for one in ordered) == sorted(one.name for one in FOUND)
    assert [one.name for one in ordered if one.weights is None] == [
        "filter", "contrast", "decomposition"
    ]  # fmt: skip
    networks = [one for one in ordered if one.weights is not None]
    assert [(one.spec.name, one.weights, one.image_size) for one in networks] == [
        ("one", "a", 320), ("two", "a", 320), ("one", "b", 160), ("two", "b", 160),
        ("one", "a", 640), ("two", "a", 640), ("one", "b", 320), ("two", "b", 320),
    ]  # fmt: skip
    # Whenever time is over, either kind has had its part, to one.
    for n in range(1, len(ordered) + 1):
        n_others = sum(one.weights is None for one in ordered[:n])
        assert abs(n_others - n * 3 / len(ordered)) <= 1


@pytest.mark.parametrize("kept", [FOUND[:3], FOUND[3:], []])
def test_one_kind_alone(kept):
    assert len(trial_order(kept)) == len(kept)


class Pool:
    """In the place of workers; ``clock`` goes on by 10 seconds for each job."""

    def __init__(self, n_workers):
        self.timeout_s = None
        Pool.tried = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        Pool.over = True

    def run(self, function, jobs):
        for spec, budget_s in jobs:
            assert 0 < budget_s < self.timeout_s
            Pool.tried.append(spec.name)
            Pool.clock += 10
            measured = Measured(seconds=[0.1] * 8, waited=[0.0] * 8, boxes=[np.zeros((0, 4))] * 8)
            if spec.name == "one":
                measured = Measured([9.0], [0.0], given_up="0.1 frames/s", too_slow=True)
            if spec.name == "contrast":
                yield Outcome(spec, None, "no memory")
            elif spec.name == "decomposition":
                yield Outcome(spec, Measured(unread={"a.png": "damaged"}))
            else:
                yield Outcome(spec, measured)


def tried(monkeypatch, minutes):
    Pool.clock = 0.0
    monkeypatch.setattr(trials, "WorkerPool", Pool)
    monkeypatch.setattr(trials.time, "monotonic", lambda: Pool.clock)
    left_out = {}
    results = run_trials(FOUND, lambda *job: job, minutes, 8, left_out, Progress())
    return [one.name for one, _ in results], left_out


def test_a_network_that_was_too_slow_is_not_tried_at_larger_sizes(monkeypatch):
    results, left_out = tried(monkeypatch, 60)
    assert Pool.tried.count("one") == 2  # at 320 px, and at the smaller 160
    assert Pool.tried.count("two") == 4
    assert set(results) | set(left_out) == {one.name for one in FOUND}
    assert left_out["one a 320px torch"] == left_out["one b 160px torch"] == "0.1 frames/s"
    for name in ("one a 640px torch", "one b 320px torch"):
        assert left_out[name].startswith("not begun: no faster than one ")
    assert left_out["contrast"] == "no memory"
    assert left_out["decomposition"] == "damaged"


def test_what_no_time_is_left_for_is_named_with_the_reason(monkeypatch):
    results, left_out = tried(monkeypatch, 0.5)
    assert len(Pool.tried) == 3
    late = [name for name, why in left_out.items() if why == "not begun: --minutes 0.5 were over"]
    assert len(late) == len(FOUND) - 3
    assert "two a 320px torch" in results
