"""What is kept of a score map as a flat record, for a line of the journal or a row of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from irbench.errors import RunKeyError
from irbench.json_fields import parse_json
from irbench.metrics.clutter_suppression import LocalContrasts
from irbench.metrics.map_statistics import PROBABILITY, STANDARDISED, MapStatistics
from irbench.metrics.own_counts import MapCount
from irbench.metrics.pixel_roc import Histogram, PixelHistograms
from irbench.metrics.roc_3d import NormalisedStatistics
from irbench.metrics.score_maps import N_BINS

HISTOGRAMS = ("target", "background", "unit_target", "unit_background")
SUMS = ("target_sum", "background_sum")
OWN = "own"
CONTRASTS = ("contrast_in", "std_in", "contrast_out", "std_out")


def encode_map(measured: MapStatistics) -> dict[str, Any]:
    """The statistics as a flat record, for JSON or a row of the Parquet file."""
    pairs = (measured.histograms, measured.normalised.histograms)
    histograms = [one for pair in pairs for one in (pair.target, pair.background)]
    record: dict[str, Any] = {"binning": measured.binning}
    for name, histogram in zip(HISTOGRAMS, histograms, strict=True):
        record[f"{name}_bins"] = histogram.bins
        record[f"{name}_counts"] = histogram.counts
    record.update({name: getattr(measured.normalised, name) for name in SUMS})
    record.update({name: _optional(getattr(measured.contrasts, name)) for name in CONTRASTS})
    if measured.own:
        record[OWN] = orjson.dumps(measured.own).decode()
    return record


def decode_map(record: Mapping[str, Any]) -> MapStatistics:
    """The statistics of a record of :func:`encode_map`.

    Raises
    ------
    RunKeyError
        For bins of another version.
    LookupError, ValueError
        For a record that is damaged.
    """
    if not isinstance(record, Mapping):
        raise ValueError(f"the score map's statistics must be an object, got {str(record)[:40]}")
    binning = record["binning"]
    if binning not in (STANDARDISED, PROBABILITY):
        raise RunKeyError(
            f"the score maps were counted in bins {binning!r}, which this irbench does not know; "
            "use the irbench that wrote them, or another --out."
        )
    target, background, unit_target, unit_background = (
        _histogram(name, record[f"{name}_bins"], record[f"{name}_counts"]) for name in HISTOGRAMS
    )
    unit = PixelHistograms(unit_target, unit_background)
    sums = _numbers("the sums", [record[name] for name in SUMS], np.float64)
    # None becomes NaN.
    contrasts = [_numbers(name, record[name], np.float64) for name in CONTRASTS]
    if not np.isfinite(sums).all() or any(one.shape != contrasts[0].shape for one in contrasts):
        raise ValueError("the sums must be finite, and the contrasts as many as targets")
    return MapStatistics(
        binning,
        PixelHistograms(target, background),
        NormalisedStatistics(unit, *sums.tolist()),
        LocalContrasts(*contrasts),
        _own_counts(record.get(OWN)),
    )


def _own_counts(text: str | None) -> dict[str, MapCount]:
    if text is None:
        return {}
    found = parse_json(text)
    if not isinstance(found, dict):
        raise ValueError(f"the countings of a score map must be an object, got {text[:40]}")
    return {name: _map_count(name, one) for name, one in found.items()}


def _map_count(name: str, one: Any) -> MapCount:
    fields = ("version", "values", "error")
    if not isinstance(one, dict) or set(one) != set(fields):
        raise ValueError(f"the counting {name} must have {', '.join(fields)}, got {str(one)[:40]}")
    values = _numbers(name, one["values"], np.float64)
    if not (isinstance(one["version"], str) and isinstance(one["error"], str)):
        raise ValueError(f"version and error of the counting {name} must be texts")
    if not np.isfinite(values).all():
        raise ValueError(f"the values of the counting {name} must be finite")
    return MapCount(one["version"], tuple(values.tolist()), one["error"])


def _histogram(name: str, bins: Any, counts: Any) -> Histogram:
    found = Histogram(_numbers(name, bins, np.uint16), _numbers(name, counts, np.int32))
    same = found.bins.shape == found.counts.shape
    if not same or (found.bins >= N_BINS).any() or (found.counts < 1).any():
        raise ValueError(f"{name} must have counts of at least 1 in bins below {N_BINS}")
    return found


def _numbers(name: str, values: Any, kind: Any) -> NDArray[Any]:
    """A list of numbers as an array; its elements may be anything before."""
    try:
        array = np.asarray(values, dtype=kind)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{name} must be numbers of type {np.dtype(kind)}: {error}") from error
    if array.ndim != 1:
        raise ValueError(f"{name} must be a list of numbers, got {array.ndim} dimensions")
    return array


def _optional(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
