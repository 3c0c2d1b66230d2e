"""The interval of a rate whose events are counted."""

from __future__ import annotations

from irbench.errors import UsageError


def poisson_interval(count: int, exposure: float, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a Poisson rate.

    Parameters
    ----------
    count : int
        Events that were counted.
    exposure : float
        In how many units, such as frames.
    level : float
        Confidence of the interval.

    Returns
    -------
    (float, float)
        Events per unit, lower and upper limit.

    Raises
    ------
    UsageError

    References
    ----------
    .. [1] F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28, 1936.

    Examples
    --------
    >>> [round(limit, 3) for limit in poisson_interval(10, 100)]
    [0.048, 0.184]
    >>> [round(limit, 3) for limit in poisson_interval(0, 100)]
    [0.0, 0.037]
    """
    from scipy.special import gammaincinv

    if count < 0 or not exposure > 0 or not 0 < level < 1:
        raise UsageError(
            "count must be at least 0, exposure above 0 and level in (0, 1), got "
            f"{count}, {exposure}, {level}."
        )
    tail = (1 - level) / 2
    lower = 0.0 if count == 0 else float(gammaincinv(count, tail))
    return lower / exposure, float(gammaincinv(count + 1, 1 - tail)) / exposure
