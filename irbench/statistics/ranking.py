"""An order of methods that says which neighbours in it cannot be distinguished."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.errors import UsageError

ALPHA = 0.05


@dataclass(frozen=True)
class RankedMethod:
    """A method's rank.

    Attributes
    ----------
    method : str
    rank : int or None
        1 is best; equal values share a rank; None where the metric is undefined.
    letters : str
        Methods that share a letter are not distinguishable; empty where undefined.
    """

    method: str
    rank: int | None
    letters: str


def rank_methods(
    estimates: Mapping[str, float | None],
    p_adjusted: ArrayLike,
    higher_is_better: bool,
    alpha: float = ALPHA,
) -> list[RankedMethod]:
    """Order methods by a metric, with the groups that cannot be distinguished.

    Parameters
    ----------
    estimates : mapping of str to (float or None)
        By method.
    p_adjusted : (n_methods, n_methods) array_like of float
        Adjusted p-value of each pair, in the order of ``estimates``; NaN where there
        is none, which is not distinguishable. The diagonal is not read.
    higher_is_better : bool
    alpha : float
        A pair is distinguishable where its p-value is at most this.

    Returns
    -------
    list of RankedMethod
        Best first; equal values in the order of ``estimates``, undefined ones last.
        Group ``a`` holds the best.

    Raises
    ------
    UsageError
    """
    names = list(estimates)
    p = np.asarray(p_adjusted, dtype=np.float64)
    if p.shape != (len(names), len(names)):
        raise UsageError(
            f"p_adjusted must have shape ({len(names)}, {len(names)}) as there are so many "
            f"methods, got {p.shape}."
        )
    values = {name: value for name, value in estimates.items() if value is not None}
    order = sorted(values, key=values.__getitem__, reverse=higher_is_better)
    rows = [names.index(name) for name in order]
    letters = compact_letters(p[np.ix_(rows, rows)] <= alpha)
    ranked: list[RankedMethod] = []
    for position, name in enumerate(order):
        tied = position > 0 and values[name] == values[order[position - 1]]
        rank = ranked[-1].rank if tied else position + 1
        ranked.append(RankedMethod(name, rank, letters[position]))
    return ranked + [RankedMethod(name, None, "") for name in names if name not in values]


def compact_letters(distinguishable: NDArray[np.bool_]) -> list[str]:
    """Letters such that two items share one exactly where they are not distinguishable.

    Parameters
    ----------
    distinguishable : (n, n) ndarray of bool
        Symmetric.

    Returns
    -------
    list of str
        One or more letters per item, ``a`` for the group of the first.

    Notes
    -----
    By inserting and absorbing. [1]_ Not being distinguishable is no equivalence: an
    item between two that differ belongs to the groups of both.

    References
    ----------
    .. [1] H.-P. Piepho, "An Algorithm for a Letter-Based Representation of
       All-Pairwise Comparisons", Journal of Computational and Graphical Statistics
       13, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> differ = np.zeros((3, 3), dtype=bool)
    >>> differ[0, 2] = differ[2, 0] = True
    >>> compact_letters(differ)
    ['a', 'ab', 'b']
    """
    n = len(distinguishable)
    groups = [frozenset(range(n))] if n else []
    for i, j in np.argwhere(np.triu(distinguishable | distinguishable.T, 1)).tolist():
        split = [part for group in groups for part in _without_pair(group, i, j)]
        unique = list(dict.fromkeys(split))
        groups = [one for one in unique if not any(one < other for other in unique)]
    groups.sort(key=sorted)
    return ["".join(_letter(k) for k, group in enumerate(groups) if i in group) for i in range(n)]


def _without_pair(group: frozenset[int], i: int, j: int) -> list[frozenset[int]]:
    return [group - {i}, group - {j}] if {i, j} <= group else [group]


def _letter(index: int) -> str:
    letters = string.ascii_letters
    return letters[index] if index < len(letters) else f"({index + 1})"
