from __future__ import annotations

import pytest

from irbench.filters.selection_network import largest_program
from irbench.filters.straight_line import LargestOf, Step, Term, compile_program


def test_the_default_window_costs_what_is_documented():
    program = largest_program(9, (9,))
    assert len(program.steps) == 165
    assert program.n_planes <= 25


def test_programs_look_no_further_than_the_window():
    for step in largest_program(11, (4, 16)).steps:
        assert max(step.reach) <= 10


@pytest.mark.parametrize(("size", "counts"), [(3, (10,)), (3, (0,)), (5, ())])
def test_refuses_counts_that_the_window_does_not_hold(size, counts):
    with pytest.raises(ValueError, match=f"from 1 to {size**2} for size {size}"):
        largest_program(size, counts)


def test_compiling_drops_the_idle_and_reuses_memory_but_not_under_a_live_plane():
    steps = [
        Step("maximum", 1, Term(0), Term(0, 0, 1), (0, 1)),
        Step("minimum", 2, Term(0), Term(0, 0, 1), (0, 1)),  # nobody asks for it
        Step("add", 3, Term(1), Term(1, 1, 0), (1, 1)),  # the last use of 1, shifted
        Step("add", 4, Term(3), Term(0), (1, 1)),
    ]
    program = compile_program(steps, [LargestOf(Term(4), Term(0), Term(3, 0, 2))])
    assert [step.operation for step in program.steps] == ["maximum", "add", "add"]
    first, second, third = (step.target for step in program.steps)
    assert second != first
    assert third == first
    assert program.n_planes == 3
    assert program.results == (LargestOf(Term(third), Term(0), Term(second, 0, 2)),)
