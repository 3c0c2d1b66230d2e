"""What a method does to a target's surroundings: SCR gain, background suppression, contrast gain.

Of each target, with mean μt, and mean μb and standard deviation σb of its local background
(:func:`irbench.metrics.signal_to_clutter.local_statistics`: its box grown by 20 px, less all
targets dilated by 1 px), in the image's grey levels 0 to 255 ("in") and in the method's raw
score map ("out")::

    SCR  = |μt - μb| / σb
    SCRG = SCR_out / SCR_in
    BSF  = σb_in / σb_out
    CG   = |μt - μb|_out / |μt - μb|_in

SCRG does not depend on the unit of the map; BSF and CG do, and compare only maps in grey
levels, such as those of background suppression. A gain is

- undefined where the image gives no reference: no background pixel, or σb_in = 0, or
  (SCRG, CG) μt = μb; where a statistic is not finite; and for SCRG where the map is flat, target
  included, which is 0 / 0;
- infinite where the map's background is flat, σb_out = 0, and (SCRG) the target is not.

Many maps are flat round most targets, so that how gains are summed up decides the number.
Here it is the median over targets, undefined ones left out and infinite ones ranked above all
others: it needs no cap, no draw of a bootstrap is ruled by one target, and a method is not
judged by its worst targets only because it suppressed everything round the others. Where half
of the targets are infinite the median is undefined, and the reason says so. The field takes
the plain mean over the finite ones (``scrg_mean``, ``bsf_mean``, ``cg_mean``), with just that flaw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.detections.regions import Regions
from irbench.metrics.metric import Metric
from irbench.metrics.signal_to_clutter import local_statistics
from irbench.metrics.value import NO_TARGETS
from irbench.metrics.weighted import Draws, Form, Ratio, Values, compiled_forms

GainName = Literal["scrg", "bsf", "cg"]


@dataclass(frozen=True, eq=False)
class LocalContrasts:
    """Contrast and clutter of the N targets of one image, before and after a method.

    Attributes
    ----------
    contrast_in, contrast_out : (N,) ndarray of float64
        ``|μt - μb|``, in grey levels and in units of the map; NaN where there is none.
    std_in, std_out : (N,) ndarray of float64
        ``σb``, likewise.
    """

    contrast_in: NDArray[np.float64]
    std_in: NDArray[np.float64]
    contrast_out: NDArray[np.float64]
    std_out: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.contrast_in)

    @classmethod
    def undefined(cls, n_targets: int) -> LocalContrasts:
        """Those of an image without a map."""
        return cls(*np.full((4, n_targets), np.nan))

    @property
    def scrg(self) -> NDArray[np.float64]:
        """``(N,)`` gain of the signal-to-clutter ratio; NaN where undefined."""
        after = _ratio(self.contrast_out, self.std_out)
        return after * _reference(_ratio(self.std_in, self.contrast_in))

    @property
    def erased(self) -> NDArray[np.bool_]:
        """``(N,)`` whether the map is flat round a target and the target with it.

        Its gain of the signal-to-clutter ratio is 0 / 0: the method has lost the target. The
        image itself gives a reference there.
        """
        is_flat = (self.contrast_out == 0) & (self.std_out == 0)
        has_reference = ~np.isnan(_reference(self.std_in) + _reference(self.contrast_in))
        return np.asarray(is_flat & has_reference)

    @property
    def bsf(self) -> NDArray[np.float64]:
        """``(N,)`` background suppression factor; NaN where undefined."""
        return _ratio(_reference(self.std_in), self.std_out)

    @property
    def cg(self) -> NDArray[np.float64]:
        """``(N,)`` contrast gain; NaN where undefined."""
        return _ratio(self.contrast_out, _reference(self.contrast_in))


def local_contrasts(
    grey_levels: NDArray[Any], score_map: NDArray[Any], targets: Regions
) -> LocalContrasts:
    """Measure every target of one image in the image and in the score map.

    Parameters
    ----------
    grey_levels : (H, W) ndarray
        0 to 255.
    score_map : (H, W) ndarray
        As the method gave it.
    targets : Regions

    Returns
    -------
    LocalContrasts

    Raises
    ------
    UsageError
        If the targets are those of an image of another shape.
    """
    # A raw map may be infinite somewhere; such a target is undefined, not an error.
    with np.errstate(invalid="ignore", over="ignore"):
        before, after = local_statistics([grey_levels, score_map], targets)
        parts = [
            part
            for one in (before, after)
            for part in (np.abs(one.target_mean - one.background_mean), one.background_std)
        ]
    return LocalContrasts(*(np.where(np.isfinite(part), part, np.nan) for part in parts))


@dataclass(frozen=True, eq=False)
class Gains:
    """Gains of all targets of a set.

    Attributes
    ----------
    n_images : int
    images : (n_targets,) ndarray of int64
        The image of each target.
    scrg, bsf, cg : (n_targets,) ndarray of float64
        NaN where undefined.
    erased : (n_targets,) ndarray of bool
        Whether the map shows neither the target nor anything round it.
    """

    n_images: int
    images: NDArray[np.int64]
    scrg: NDArray[np.float64]
    bsf: NDArray[np.float64]
    cg: NDArray[np.float64]
    erased: NDArray[np.bool_]

    @classmethod
    def of(cls, images: Sequence[LocalContrasts]) -> Gains:
        """Those of ``images``, in their order."""
        empty = np.zeros(0)
        return cls(
            len(images),
            np.repeat(np.arange(len(images)), [len(one) for one in images]),
            np.concatenate([empty, *(one.scrg for one in images)]),
            np.concatenate([empty, *(one.bsf for one in images)]),
            np.concatenate([empty, *(one.cg for one in images)]),
            np.concatenate([empty.astype(bool), *(one.erased for one in images)]),
        )

    def counts(self, name: str) -> dict[str, int]:
        """How many targets have an infinite gain, how many an undefined one.

        ``erased`` are those of the undefined ones that the method has lost: left out of median
        and mean, they would flatter it unless they are reported.
        """
        values = getattr(self, name)
        undefined = np.isnan(values)
        return {
            "infinite": int(np.isinf(values).sum()),
            "undefined": int(undefined.sum()),
            "erased": int((undefined & self.erased).sum()),
        }


def _median_form(gains: Gains, name: GainName) -> Form:
    """Median of a gain over targets, infinite ones above all others, as a function of draws.

    NaN where no gain is defined, or half of them are infinite.
    """
    values: NDArray[np.float64] = getattr(gains, name)
    order = np.argsort(values, kind="stable")
    # NaN comes last; infinite values stay.
    order = order[: len(values) - int(np.isnan(values).sum())]
    ranked, images = values[order], gains.images[order]

    def form(draws: Draws) -> Values:
        compiled = compiled_forms(draws.n_draws)
        medians = weighted_medians if compiled is None else compiled.weighted_medians
        found = np.asarray(medians(draws.by_draw, images, ranked))
        found[np.isinf(found)] = np.nan
        return found

    return form


def weighted_medians(
    weights: NDArray[np.float64], images: NDArray[np.int64], ranked: NDArray[np.float64]
) -> Values:
    """The median of the list in which each value stands as often as its image counts.

    Parameters
    ----------
    weights : (n_draws, n_images) ndarray of float64
    images : (n,) ndarray of int64
        Of each value.
    ranked : (n,) ndarray of float64
        The values, ascending.

    Returns
    -------
    (n_draws,) ndarray of float64
        NaN where no value counts. The same to the last bit as those of
        :func:`irbench.metrics.compiled_forms.weighted_medians`.
    """
    found = np.full(len(weights), np.nan)
    if not len(ranked):
        return found
    # The two middle ones.
    reached = np.cumsum(weights[:, images], axis=1)
    half = reached[:, -1] / 2
    some = half > 0
    lower = (reached < half[:, None]).sum(axis=1)[some]
    upper = (reached <= half[:, None]).sum(axis=1)[some]
    found[some] = (ranked[lower] + ranked[upper]) / 2
    return found


def _mean_form(gains: Gains, name: GainName) -> Form:
    """Mean of a gain over the targets where it is finite, as the field averages."""
    values: NDArray[np.float64] = getattr(gains, name)
    finite = np.isfinite(values)
    images, n = gains.images[finite], gains.n_images
    sums = np.bincount(images, weights=values[finite], minlength=n)
    return Ratio(sums, np.bincount(images, minlength=n))


def _reason(gains: Gains, weights: NDArray[np.float64], name: GainName, infinite: str) -> str:
    times = weights[gains.images]
    if not (times > 0).any():
        return NO_TARGETS
    values: NDArray[np.float64] = getattr(gains, name)
    defined = ~np.isnan(values)
    n_defined = times[defined].sum()
    if n_defined == 0:
        return "undefined at every target"
    return infinite.format(times[np.isinf(values)].sum() / n_defined)


def _gain(
    name: GainName, title: str, formula: str, description: str, *, mean: bool = False
) -> Metric:
    infinite = "infinite at {:.0%} of targets: the map is flat around them"
    if mean:
        infinite = "infinite at every target: the map is flat there"
    return Metric(
        name=f"{name}_mean" if mean else name,
        title=title,
        kind="maps",
        higher_is_better=True,
        bounds=(0.0, math.inf),
        decimals=2,
        reference="C. Gao et al., IEEE Trans. Image Process. 22(12), 2013",
        description=description,
        formula=formula,
        dialect="mean over targets where it is finite"
        if mean
        else "median over targets, infinite ones above all others",
        needs="gains",
        form=lambda gains: (_mean_form if mean else _median_form)(gains, name),
        reason=lambda gains, weights: _reason(gains, weights, name, infinite),
    )


scrg = _gain(
    "scrg",
    "SCRG",
    "(|μt - μb| / σb) of the map / the same of the image",
    "Gain of the local signal-to-clutter ratio.",
)
bsf = _gain(
    "bsf",
    "BSF",
    "σb of the image / σb of the map",
    "Background suppression factor; compares only maps in grey levels.",
)
cg = _gain(
    "cg",
    "CG",
    "|μt - μb| of the map / the same of the image",
    "Contrast gain; compares only maps in grey levels.",
)
scrg_mean = _gain(
    "scrg", "SCRG (mean)", "as SCRG", "As SCRG, averaged as the field does.", mean=True
)
bsf_mean = _gain("bsf", "BSF (mean)", "as BSF", "As BSF, averaged as the field does.", mean=True)
cg_mean = _gain("cg", "CG (mean)", "as CG", "As CG, averaged as the field does.", mean=True)

METRICS = (scrg, bsf, cg, scrg_mean, bsf_mean, cg_mean)


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ratio; infinite over 0, NaN for 0 / 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(numerator / denominator)


def _reference(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a gain is relative to; NaN where that is nothing."""
    return np.where((values > 0) & np.isfinite(values), values, np.nan)
