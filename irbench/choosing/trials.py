"""Candidates tried one after another within a given time, networks and others by turns."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from irbench.choosing.candidates import Candidate
from irbench.choosing.measuring import SETUP_S, ChooseJob, Measured, measure
from irbench.engine.executors.worker_pool import WorkerPool
from irbench.engine.jobs.specs import MethodSpec
from irbench.messages.progress import Progress
from irbench.process.processor_wait import is_busy


def trial_order(candidates: Sequence[Candidate]) -> list[Candidate]:
    """In which order candidates are tried, so that a time that is over early costs little.

    Networks and other methods take turns, evenly over the whole. A network's smaller input
    sizes come before larger ones, which take four times as long, and networks alternate. Other
    methods stay as they are: sets name filters before decompositions.

    Parameters
    ----------
    candidates : sequence of Candidate
        The weights of a network in the order of preference.
    """
    turns: list[tuple[float, int]] = []
    networks = _networks(candidates)
    others = [one for one in candidates if one.weights is None]
    for kind, group in enumerate((networks, others)):
        turns += [((index + 0.5) / len(group), kind) for index in range(len(group))]
    queues = iter(networks), iter(others)
    return [next(queues[kind]) for _, kind in sorted(turns)]


def _networks(candidates: Sequence[Candidate]) -> list[Candidate]:
    sizes: dict[tuple[str, str | None], list[int]] = {}
    for one in candidates:
        known = sizes.setdefault((one.spec.name, one.weights), [])
        if one.image_size is not None and one.image_size not in known:
            known.append(one.image_size)
    by_method: dict[str, list[tuple[int, int, Candidate]]] = {}
    for number, one in enumerate(candidates):
        if one.weights is not None:
            known = sorted(sizes[one.spec.name, one.weights])
            rank = 0 if one.image_size is None else known.index(one.image_size)
            by_method.setdefault(one.spec.name, []).append((rank, number, one))
    turns = [
        (turn, number, one)
        for mine in by_method.values()
        for turn, (_, number, one) in enumerate(sorted(mine, key=lambda entry: entry[:2]))
    ]
    return [one for *_, one in sorted(turns, key=lambda entry: entry[:2])]


def run_trials(
    candidates: Sequence[Candidate],
    make_job: Callable[[MethodSpec, float], ChooseJob],
    minutes: float,
    n_frames: int,
    left_out: dict[str, str],
    progress: Progress,
) -> list[tuple[Candidate, Measured]]:
    """Measure candidates, each alone on the machine.

    Parameters
    ----------
    candidates : sequence of Candidate
    make_job : callable
        Makes the job of a method, from its specification and its time in seconds.
    minutes : float
        No candidate begins later. A candidate has an equal share of what is left.
    n_frames : int
        A candidate that stopped before half of them is left out.
    left_out : dict of str to str
        Takes up candidates without a result, with the reason.
    progress : Progress

    Returns
    -------
    list of (Candidate, Measured)
        Those with a result, in the order of trial.
    """
    results: list[tuple[Candidate, Measured]] = []
    too_slow: list[Candidate] = []
    begun = time.monotonic()
    # One worker for all: its imports take longer than most candidates.
    with (
        WorkerPool(1) as pool,
        progress.track("candidates", len(candidates)) as advance,
    ):
        for n_tried, candidate in enumerate(trial_order(candidates)):
            left = 60 * minutes - (time.monotonic() - begun)
            slower = next((one for one in too_slow if _no_faster(candidate, one)), None)
            if left <= 0:
                left_out[candidate.name] = f"not begun: --minutes {minutes:g} were over"
            elif slower is not None:
                left_out[candidate.name] = f"not begun: no faster than {slower.name}"
            else:
                # What quick ones leave is there for the others.
                share = left / (len(candidates) - n_tried)
                pool.timeout_s = math.ceil(share + SETUP_S)
                (outcome,) = pool.run(measure, [make_job(candidate.spec, share)])
                measured = outcome.returned
                if measured is None or not measured.seconds:
                    unread = "" if measured is None else next(iter(measured.unread.values()), "")
                    left_out[candidate.name] = outcome.error or unread or "no frame could be read"
                else:
                    if measured.too_slow:
                        too_slow.append(candidate)
                    too_few = measured.too_slow or len(measured.seconds) < n_frames / 2
                    if measured.given_up and too_few:
                        left_out[candidate.name] = _given_up(measured)
                    else:
                        results.append((candidate, measured))
            advance()
    return results


def _given_up(measured: Measured) -> str:
    share = measured.waited_share
    waited = f"; it waited {share:.0%} of its time for a processor" if is_busy(share) else ""
    return f"{measured.given_up}{waited}"


def _no_faster(candidate: Candidate, other: Candidate) -> bool:
    """Whether it is the network of another one with as large an input; weights change no speed."""
    return (
        candidate.weights is not None
        and (candidate.spec.name, candidate.backend, candidate.precision)
        == (other.spec.name, other.backend, other.precision)
        and (candidate.image_size or 0) >= (other.image_size or 0)
    )
