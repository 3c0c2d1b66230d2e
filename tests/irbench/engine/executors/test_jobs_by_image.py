from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.engine.executors.jobs_by_image import JobsByImage


@dataclass(frozen=True)
class OfImage:
    image_index: int


def test_workers_that_keep_pace_get_the_same_jobs_each_time():
    jobs = [OfImage(index) for index in range(99)]
    for order in ([0, 1, 2], [2, 1, 0]):
        waiting = JobsByImage(jobs, 3)
        taken = {worker: [] for worker in order}
        while any(batches := [waiting.take(worker, 1) for worker in order]):
            for worker, batch in zip(order, batches, strict=True):
                taken[worker] += batch
        for worker, batch in taken.items():
            assert [job.image_index for job in batch] == list(range(worker, 99, 3))


def test_a_worker_with_nothing_to_do_takes_the_last_of_what_others_have():
    waiting = JobsByImage([OfImage(0) for _ in range(20)], 2)
    assert waiting.take(0, 1) == [OfImage(0)]
    waiting = JobsByImage([OfImage(2 * n) for n in range(20)], 2)
    assert [job.image_index for job in waiting.take(1, 2)] == [28, 30]
    assert [job.image_index for job in waiting.take(0, 2)] == [0, 2]


def test_batches_become_smaller_towards_the_end_alone():
    waiting = JobsByImage(range(100), 2)
    sizes = []
    while batch := waiting.take(0, 8):
        sizes.append(len(batch))
    assert sum(sizes) == 100
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[:8] == [8] * 8
    assert sizes[-3:] == [1, 1, 1]
    waiting = JobsByImage(range(200), 2)
    sizes = []
    while batch := waiting.take(0, 32):
        sizes.append(len(batch))
    assert min(sizes[:-1]) == 4


@settings(max_examples=60, deadline=None)
@given(
    indices=st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=60),
    turns=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), min_size=1),
)
def test_every_job_is_taken_once_and_nobody_waits(indices, turns):
    jobs = [n if index is None else OfImage(index) for n, index in enumerate(indices)]
    drawn = []
    waiting = JobsByImage((drawn.append(job) or job for job in jobs), 4)
    taken = []
    for worker, at_most in [*turns, *[(0, 1)] * len(jobs)]:
        batch = waiting.take(worker, at_most)
        assert bool(batch) == (len(taken) < len(jobs))
        assert len(batch) <= at_most
        taken += batch
        # Memory does not grow with the number of jobs.
        assert len(drawn) - len(taken) <= 4 * 4 * max(at_most for _, at_most in turns)
    assert sorted(map(repr, taken)) == sorted(map(repr, jobs))
