"""Which methods no other betters in both cost and merit."""

from __future__ import annotations

from collections.abc import Sequence


def pareto_front(values: Sequence[tuple[float, float]]) -> list[bool]:
    """Whether each pair of cost and merit is bettered by no other.

    Parameters
    ----------
    values : sequence of (float, float)
        Less of the first and more of the second is better.

    Returns
    -------
    list of bool
        Equal pairs are on it together.

    Examples
    --------
    >>> pareto_front([(1.0, 0.5), (2.0, 0.4), (2.0, 0.9)])
    [True, False, True]
    """
    return [
        not any(
            other[0] <= one[0] and other[1] >= one[1] and tuple(other) != tuple(one)
            for other in values
        )
        for one in values
    ]
