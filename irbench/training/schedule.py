"""Learning rate and momentum over the steps of a training: pure functions.

References
----------
.. [1] I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm
   restarts", ICLR 2017, equation (5).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from irbench.training.settings import Schedule

POLY_POWER = 0.9
STEPS_AT = (1 / 2, 3 / 4)
"""Of the training: BasicIRSTD divides the rate by ten after 200 and 300 of 400 epochs."""


def cosine_rate(progress: float, final_ratio: float) -> float:
    """The share of the first learning rate that is left; equation (5) of [1]_.

    Parameters
    ----------
    progress : float
        Of the training, in [0, 1].
    final_ratio : float
        What is left at the end.

    Examples
    --------
    >>> cosine_rate(0.0, 0.01), cosine_rate(0.5, 0.0), cosine_rate(1.0, 0.01)
    (1.0, 0.5, 0.01)
    """
    return final_ratio + (1 - final_ratio) * (1 + math.cos(math.pi * progress)) / 2


def scheduled_rate(schedule: Schedule, progress: float, final_ratio: float) -> float:
    """The share of the first learning rate that is left.

    Parameters
    ----------
    schedule : {"cosine", "poly", "steps", "constant"}
        ``"cosine"``: :func:`cosine_rate`; ``"poly"``: ``(1 - progress) ** 0.9``, but at least
        ``final_ratio``; ``"steps"``: a tenth after half of the training, and of that a tenth
        after three quarters.
    progress : float
        Of the training, in [0, 1].
    final_ratio : float

    Examples
    --------
    >>> [scheduled_rate("poly", p, 0.1) for p in (0.0, 1.0)]
    [1.0, 0.1]
    >>> [round(scheduled_rate("steps", p, 0.0), 3) for p in (0.49, 0.5, 0.75)]
    [1.0, 0.1, 0.01]
    """
    if schedule == "cosine":
        return cosine_rate(progress, final_ratio)
    if schedule == "poly":
        return max(float((1 - progress) ** POLY_POWER), final_ratio)
    if schedule == "steps":
        return float(0.1 ** sum(progress >= at for at in STEPS_AT))
    return 1.0


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
