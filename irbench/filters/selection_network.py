"""Straight-line programs that find the largest values of a square window.

A selection network is a fixed list of maxima and minima of two values. Run on
whole shifted planes instead of single numbers it serves every pixel at once,
without a branch and without a Python loop over pixels.

The window is put together by doubling. Its columns first: two sorted columns
of one pixel merge into one of two, two of these into four, and so on; then the
columns side by side. A part is computed once and used wherever it occurs,
shifted, and every list is cut to the largest values that can still matter.
Lists merge by Batcher's odd-even merge [1]_, of which only the comparisons are kept
that some result depends on: 165 operations on planes for the mean of the 9 largest
of 81, where a full sort of 81 needs over 1000.

References
----------
.. [1] D. E. Knuth, "The Art of Computer Programming", volume 3, 2nd edition,
   Addison-Wesley, 1998, section 5.3.4.
"""

from __future__ import annotations

from functools import lru_cache

from irbench.filters.straight_line import (
    LargestOf,
    Operation,
    Program,
    Step,
    Term,
    compile_program,
)


@lru_cache(maxsize=64)
def largest_program(size: int, counts: tuple[int, ...]) -> Program:
    """Write the program that sums the largest values of a window.

    Parameters
    ----------
    size : int
        Side of the square window in pixels, at least 1.
    counts : tuple of int
        How many of the largest values to add up, each 1 to ``size ** 2``; one
        result for each.

    Returns
    -------
    Program
        Windows are anchored at their upper left corner.

    Raises
    ------
    ValueError
        For no counts, or one that the window does not hold.
    """
    if not counts or min(counts) < 1 or max(counts) > size**2:
        raise ValueError(f"counts must be from 1 to {size**2} for size {size}, got {counts}.")
    network = _Network(keep=max(counts))
    column = network.sorted_window([Term(0)], size, (1, 0))
    left, right = network.sorted_halves(column, size, (0, 1))
    results = tuple(network.largest(left, right, count) for count in counts)
    return compile_program(network.steps, results)


class _Network:
    """Records operations, each on a plane of its own, and numbers the planes."""

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.steps: list[Step] = []
        self._reach = [(0, 0)]

    def record(self, operation: Operation, first: Term, second: Term) -> Term:
        reach_y, reach_x = 0, 0
        for term in (first, second):
            rows, columns = self._reach[term.plane]
            reach_y, reach_x = max(reach_y, rows + term.dy), max(reach_x, columns + term.dx)
        self._reach.append((reach_y, reach_x))
        target = len(self._reach) - 1
        self.steps.append(Step(operation, target, first, second, (reach_y, reach_x)))
        return Term(target)

    def sorted_window(self, unit: list[Term], size: int, step: tuple[int, int]) -> list[Term]:
        """The largest values, in descending order, of ``size`` units placed ``step`` apart."""
        return self._window(unit, size, step, {1: unit})

    def sorted_halves(
        self, unit: list[Term], size: int, step: tuple[int, int]
    ) -> tuple[list[Term], list[Term]]:
        """The same in two parts that are not yet merged; the second is empty for size 1."""
        if size == 1:
            return unit, []
        return self._halves(unit, size, step, {1: unit})

    def _window(
        self, unit: list[Term], size: int, step: tuple[int, int], known: dict[int, list[Term]]
    ) -> list[Term]:
        if size not in known:
            left, right = self._halves(unit, size, step, known)
            known[size] = self.merge(left, right)[: self.keep]
        return known[size]

    def _halves(
        self, unit: list[Term], size: int, step: tuple[int, int], known: dict[int, list[Term]]
    ) -> tuple[list[Term], list[Term]]:
        n_left = 1 << ((size - 1).bit_length() - 1)
        left = self._window(unit, n_left, step, known)
        right = self._window(unit, size - n_left, step, known)
        dy, dx = step
        return left, [term.shifted(n_left * dy, n_left * dx) for term in right]

    def merge(self, first: list[Term], second: list[Term]) -> list[Term]:
        """Merge two descending lists of any lengths by Batcher's odd-even merge."""
        if not first or not second:
            return first or second
        if len(first) == len(second) == 1:
            return list(self.exchange(first[0], second[0]))
        even = self.merge(first[::2], second[::2])
        odd = self.merge(first[1::2], second[1::2])
        n_pairs = min(len(odd), len(even) - 1)
        merged = even[:1]
        for upper, lower in zip(odd[:n_pairs], even[1 : n_pairs + 1], strict=True):
            merged += self.exchange(upper, lower)
        return merged + odd[n_pairs:] + even[n_pairs + 1 :]

    def exchange(self, first: Term, second: Term) -> tuple[Term, Term]:
        """The larger and the smaller of two values."""
        return self.record("maximum", first, second), self.record("minimum", first, second)

    def largest(self, left: list[Term], right: list[Term], count: int) -> LargestOf:
        """The ``count`` largest of two descending lists: a set, hence in no order."""
        # i from the left and count - i from the right: the i-th of one list stands
        # against the (count - i)-th of the other, and the larger of the two belongs to the set.
        chosen = [
            self.record("maximum", left[i], right[count - 1 - i])
            if i < len(left) and count - 1 - i < len(right)
            else (left[i] if i < len(left) else right[count - 1 - i])
            for i in range(count)
        ]
        total = chosen[0]
        for term in chosen[1:]:
            total = self.record("add", total, term)
        if len(left) >= count:
            lower = left[count - 1]
        elif len(right) >= count:
            lower = right[count - 1]
        else:
            # Each list holds all of its values, since neither was cut.
            lower = self.record("minimum", left[-1], right[-1])
        upper = self.record("maximum", left[0], right[0]) if right else left[0]
        return LargestOf(total, lower, upper)
