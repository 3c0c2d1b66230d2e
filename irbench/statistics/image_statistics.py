"""The quality metrics of a method as functions of how often each image counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UnknownNameError, UsageError
from irbench.metrics.definition import quality_metrics
from irbench.metrics.metric import CheckedForm
from irbench.metrics.weighted import Draws, Form, Ratio, WholeRatios
from irbench.scoring.scored_output import Result


class ImageStatistics:
    """The quality metrics of a method as functions of how often each image counts.

    Parameters
    ----------
    n_images : int
    forms : mapping of str to callable
        By metric, its values as a function of draws.
    adds_miss : collection of str
        The metrics whose form counts missed targets that draws add.
    """

    def __init__(
        self, n_images: int, forms: Mapping[str, Form], adds_miss: Collection[str] = ()
    ) -> None:
        self.n_images = n_images
        self._forms = dict(forms)
        self.adds_miss = frozenset(adds_miss)

    @classmethod
    def of(cls, result: Result, metrics: Collection[str] | None = None) -> ImageStatistics:
        """The metrics of an evaluation, those without counts excepted.

        Parameters
        ----------
        result : Result
            Of :func:`irbench.scoring.evaluation.evaluate`.
        metrics : collection of str, optional
            By default every metric of quality.

        Raises
        ------
        UnknownNameError
        MetricError
            If the counting or the form of one failed.
        """
        known = quality_metrics()
        for name in metrics or ():
            if name not in known:
                raise UnknownNameError("resampled metric", name, known)
        chosen = [
            metric
            for name, metric in known.items()
            if (metrics is None or name in metrics) and result.counts.has(metric)
        ]
        return cls(
            result.n_images,
            {one.name: one.checked(result.counts.of(one)) for one in chosen},
            [one.name for one in chosen if one.adds_miss],
        )

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics."""
        return tuple(self._forms)

    def values(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Every metric of each draw.

        Parameters
        ----------
        weights : (n_images, n_draws) ndarray of float64
            How often each image counts; finite and not negative.

        Returns
        -------
        dict of str to (n_draws,) ndarray of float64
            NaN where a metric is undefined.

        Raises
        ------
        UsageError
        """
        return self.of_draws(Draws(weights))

    def of_draws(self, draws: Draws) -> dict[str, NDArray[np.float64]]:
        """Every metric of each draw; see :meth:`values`.

        Raises
        ------
        UsageError
        """
        if draws.n_images != self.n_images:
            raise UsageError(
                f"weights must have shape ({self.n_images}, n_draws), got {draws.weights.shape}."
            )
        found = self._whole_ratios(draws)
        for name, values in found.items():
            form = self._forms[name]
            if isinstance(form, CheckedForm):
                form.check_bounds(values)
        return {
            name: found[name] if name in found else form(draws)
            for name, form in self._forms.items()
        }

    @cached_property
    def _whole_ratios(self) -> WholeRatios:
        plain = {
            name: form.form if isinstance(form, CheckedForm) else form
            for name, form in self._forms.items()
        }
        # One that is made of a ratio may compute something else.
        ratios = {name: form for name, form in plain.items() if type(form) is Ratio}
        return WholeRatios(self.n_images, ratios)

    def with_miss(self, draws: Draws) -> dict[str, NDArray[np.float64]]:
        """Those of :attr:`adds_miss` alone, likewise."""
        return {name: form(draws) for name, form in self._forms.items() if name in self.adds_miss}
