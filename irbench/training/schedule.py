"""Learning rate and momentum over the steps of a training: pure functions.

References
----------
.. [1] I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm
   restarts", ICLR 2017, equation (5).
"""

from __future__ import annotations

import math


def cosine_rate(progress: float, final_ratio: float) -> float:
    """The share of the first learning rate that is left; equation (5) of [1]_.

    Parameters
    ----------
    progress : float
        Of the training, in [0, 1].
    final_ratio : float
        What is left at the end.

    Returns
    -------
    float

    Examples
    --------
    >>> cosine_rate(0.0, 0.01), cosine_rate(0.5, 0.0), cosine_rate(1.0, 0.01)
    (1.0, 0.5, 0.01)
    """
    return final_ratio + (1 - final_ratio) * (1 + math.cos(math.pi * progress)) / 2


def warm_up(step: int, n_steps: int, first: float, last: float) -> float:
    """A value on a straight line from ``first`` to ``last`` over the first steps.

    Parameters
    ----------
    step : int
        From 0.
    n_steps : int
        Length of the warm-up; from there on ``last``.

    Examples
    --------
    >>> [warm_up(step, 4, 0.0, 1.0) for step in (0, 2, 4, 9)]
    [0.0, 0.5, 1.0, 1.0]
    """
    if step >= n_steps:
        return last
    return first + (last - first) * step / n_steps


def averaging_decay(step: int, share: float) -> float:
    """The decay of the running mean of weights after ``step`` updates.

    Such that the mean reaches back over ``share`` of the steps so far: a mean over a fixed number
    of steps averages nothing in a short training, and never forgets the first weights of a
    shorter one.

    Parameters
    ----------
    step : int
        From 0.
    share : float
        In [0, 1]; at 0 the mean is the last weights.

    Returns
    -------
    float
        In [0, 1).

    Examples
    --------
    >>> averaging_decay(0, 0.1)
    0.0
    >>> averaging_decay(990, 0.1)  # 1 / (1 - 0.99): 100 steps
    0.99
    """
    return share * step / (1 + share * step)
