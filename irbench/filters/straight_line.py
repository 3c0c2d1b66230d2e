"""Straight-line programs on shifted planes: fixed lists of operations without a branch.

A plane is an image, or an intermediate result for each of its pixels, laid out
as in :class:`irbench.filters.flat.FlatImage`. One step combines two planes, each
seen through a shift, into a third.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Operation = Literal["maximum", "minimum", "add"]


class Term(NamedTuple):
    """A plane seen through a shift: entry ``(y, x)`` is the plane's ``(y + dy, x + dx)``."""

    plane: int
    dy: int = 0
    dx: int = 0

    def shifted(self, dy: int, dx: int) -> Term:
        """The same plane, ``dy`` rows further down and ``dx`` columns to the right."""
        return Term(self.plane, self.dy + dy, self.dx + dx)


class Step(NamedTuple):
    """One operation: plane ``target`` becomes ``operation(first, second)``.

    ``reach`` is how many rows and columns of the input beyond an entry's own
    the result depends on.
    """

    operation: Operation
    target: int
    first: Term
    second: Term
    reach: tuple[int, int]


class LargestOf(NamedTuple):
    """Planes with what is needed for the mean of the largest values.

    ``total`` is their sum; ``lower`` and ``upper`` bound their mean.
    """

    total: Term
    lower: Term
    upper: Term


@dataclass(frozen=True)
class Program:
    """Steps to be run in order. Plane 0 is the input, the others are scratch.

    Attributes
    ----------
    steps : tuple of Step
    n_planes : int
        Number of planes in use, the input included.
    results : tuple of LargestOf
        One for each count asked for.
    """

    steps: tuple[Step, ...]
    n_planes: int
    results: tuple[LargestOf, ...]


def compile_program(steps: Sequence[Step], results: Sequence[LargestOf]) -> Program:
    """Drop the steps that no result depends on, and let planes share memory.

    Parameters
    ----------
    steps : sequence of Step
        Each with a ``target`` of its own, in an order in which they can run.
    results : sequence of LargestOf

    Returns
    -------
    Program
    """
    last_use: dict[int, int] = {}
    for result in results:
        for term in result:
            last_use[term.plane] = len(steps)
    live = []
    for index in range(len(steps) - 1, -1, -1):
        step = steps[index]
        if step.target in last_use:
            live.append((index, step))
            for term in (step.first, step.second):
                last_use.setdefault(term.plane, index)

    memory = {0: 0}
    n_planes = 1
    free: list[int] = []
    compiled = []
    for index, step in reversed(live):
        first, second = (Term(memory[t.plane], t.dy, t.dx) for t in (step.first, step.second))
        # Taken before the operands' memory is given back: shifted in place would read
        # what was just written.
        if free:
            target = free.pop()
        else:
            target, n_planes = n_planes, n_planes + 1
        memory[step.target] = target
        compiled.append(Step(step.operation, target, first, second, step.reach))
        operands = {step.first.plane, step.second.plane} - {0}
        free += [memory[plane] for plane in sorted(operands) if last_use[plane] == index]
    placed = tuple(
        LargestOf(*(Term(memory[t.plane], t.dy, t.dx) for t in result)) for result in results
    )
    return Program(tuple(compiled), n_planes, placed)
