"""The definitions of the metrics of score maps; see :mod:`irbench.metrics.definition`."""

from __future__ import annotations

import math

from irbench.metrics.metric import MetricDefinition

_CHANG = "C.-I. Chang, IEEE Trans. Geosci. Remote Sens. 59(6), 2021"
_IPI = "C. Gao et al., IEEE Trans. Image Process. 22(12), 2013"
_PER_IMAGE = "minimum and maximum per image"
_MEDIAN = "median over targets, infinite ones above all others"
_MEAN = "mean over targets where it is finite"


def _area(
    name: str,
    title: str,
    bounds: tuple[float, float],
    formula: str,
    description: str,
    *,
    higher: bool = True,
    reference: str = _CHANG,
    dialect: str = _PER_IMAGE,
) -> MetricDefinition:
    return MetricDefinition(
        name=name,
        title=title,
        kind="maps",
        higher_is_better=higher,
        bounds=bounds,
        unit="",
        scale=1.0,
        decimals=4,
        reference=reference,
        description=description,
        formula=formula,
        dialect=dialect,
    )


def _gain(
    name: str, title: str, formula: str, description: str, dialect: str = _MEDIAN
) -> MetricDefinition:
    return MetricDefinition(
        name=name,
        title=title,
        kind="maps",
        higher_is_better=True,
        bounds=(0.0, math.inf),
        unit="",
        scale=1.0,
        decimals=2,
        reference=_IPI,
        description=description,
        formula=formula,
        dialect=dialect,
    )


MAP_DEFINITIONS = (
    _area(
        "auc",
        "AUC",
        (0.0, 1.0),
        "P(target pixel > background pixel) + P(equal) / 2",
        "Area under the ROC curve of pixels, of standardised maps pooled over images.",
        reference="J. A. Hanley and B. J. McNeil, Radiology 143(1), 1982",
        dialect="standardised per image; probabilities as they are",
    ),
    _area(
        "auc_df",
        "AUC(D,F)",
        (0.0, 1.0),
        "∫ PD dPF",
        "Area under the ROC curve of pixels, of maps normalised to [0, 1].",
    ),
    _area(
        "auc_dt",
        "AUC(D,τ)",
        (0.0, 1.0),
        "∫ PD dτ",
        "Mean of the normalised map over target pixels.",
    ),
    _area(
        "auc_ft",
        "AUC(F,τ)",
        (0.0, 1.0),
        "∫ PF dτ",
        "Mean of the normalised map over background pixels.",
        higher=False,
    ),
    _area("auc_td", "AUC TD", (0.0, 2.0), "AUC(D,F) + AUC(D,τ)", "Target detectability."),
    _area("auc_bs", "AUC BS", (-1.0, 1.0), "AUC(D,F) - AUC(F,τ)", "Background suppressibility."),
    _area(
        "auc_tdbs",
        "AUC TDBS",
        (-1.0, 1.0),
        "AUC(D,τ) - AUC(F,τ)",
        "Target detectability with background suppressed.",
    ),
    _area(
        "auc_od",
        "AUC OD",
        (-1.0, 2.0),
        "AUC(D,F) + AUC(D,τ) - AUC(F,τ)",
        "Overall detection.",
    ),
    _area(
        "auc_snpr",
        "AUC SNPR",
        (0.0, math.inf),
        "AUC(D,τ) / AUC(F,τ)",
        "Signal to noise probability ratio.",
    ),
    _gain(
        "scrg",
        "SCRG",
        "(|μt - μb| / σb) of the map / the same of the image",
        "Gain of the local signal-to-clutter ratio.",
    ),
    _gain(
        "bsf",
        "BSF",
        "σb of the image / σb of the map",
        "Background suppression factor; compares only maps in grey levels.",
    ),
    _gain(
        "cg",
        "CG",
        "|μt - μb| of the map / the same of the image",
        "Contrast gain; compares only maps in grey levels.",
    ),
    _gain("scrg_mean", "SCRG (mean)", "as SCRG", "As SCRG, averaged as the field does.", _MEAN),
    _gain("bsf_mean", "BSF (mean)", "as BSF", "As BSF, averaged as the field does.", _MEAN),
    _gain("cg_mean", "CG (mean)", "as CG", "As CG, averaged as the field does.", _MEAN),
)
"""In the order of :data:`irbench.metrics.map_statistics.MAP_METRICS`."""
