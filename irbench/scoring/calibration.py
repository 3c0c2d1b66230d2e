"""Extent and threshold of a method, chosen on validation data and nothing else."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irbench.errors import UsageError
from irbench.json_fields import finite_number, parse_json, shown
from irbench.messages.external_text import error_text

if TYPE_CHECKING:
    from irbench.detections import Detections
    from irbench.ground_truth import GroundTruth
    from irbench.protocol import Protocol

_NUMBERS = ("extent", "threshold", "map50", "f1")

SHIPPED_FILE = "calibration.json"
"""Beside the methods of a package that ships extents and thresholds of its own."""

EXTENTS_FILE = "extents.json"
"""Beside it: extents that were best on several cameras, for one that has no labels."""

EXTENT_WITHOUT_LABELS = 0.15
"""For methods of which nothing was measured: the best one number for all on three real datasets;
see docs/camera.md."""


@dataclass(frozen=True)
class Calibration:
    """How a method's raw output becomes kept detections.

    Attributes
    ----------
    extent : float or None
        Of the conversion ``components/1``; None for methods without one.
    threshold : float or None
        Keep ``score >= threshold``; infinity where validation found nothing to keep,
        None where there was nothing to choose it on.
    source : str
        ``"validation"``, ``"shipped"``, ``"none"``, or the file it was given in.
    map50 : float or None
        AP@50 on the validation split at this extent.
    f1 : float or None
        F1 on the validation split at this threshold.
    made_on : str
        The images that it was made on, for a person; empty where that was not recorded.
    n_images : int
        Validation images that it was chosen on; 0 where it was not, or that was not recorded.
    n_failed : int
        Those of them on which the method failed: nothing was found in them when it was chosen.
    """

    extent: float | None
    threshold: float | None
    source: str
    map50: float | None = None
    f1: float | None = None
    made_on: str = ""
    n_images: int = 0
    n_failed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """What decides, with an infinite threshold as the text ``"inf"``."""
        fields = {**dataclasses.asdict(self), "threshold": threshold_as_json(self.threshold)}
        del fields["made_on"]
        if not self.n_failed:
            del fields["n_images"], fields["n_failed"]
        return fields

    @property
    def failures(self) -> str:
        """On how many of its validation images the method failed, in a clause; empty if on none."""
        if not self.n_failed:
            return ""
        return (
            f"{self.n_failed} of {self.n_images} validation images failed and count as without "
            "detections in what was chosen on them"
        )

    def describe(self) -> str:
        """Where the threshold comes from, in a clause.

        Examples
        --------
        >>> Calibration(0.2, 9.0, "shipped", made_on="synth val, 50 images").describe()
        'shipped, made on synth val, 50 images'
        """
        return f"{self.source}, made on {self.made_on}" if self.made_on else self.source

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any], source: str | None = None) -> Calibration:
        """Read what :meth:`as_dict` gave; ``source`` replaces the recorded one.

        Raises
        ------
        UsageError
            If a field is no number, or the extent none between 0 and 1.
        """
        if not isinstance(fields, Mapping):
            raise UsageError(f"a calibration must be an object, got {shown(fields)}.")
        numbers = {name: _number(name, fields.get(name)) for name in _NUMBERS}
        extent = numbers["extent"]
        if extent is not None and not 0 < extent <= 1:
            raise UsageError(f"the extent of a calibration must lie in (0, 1], got {extent}.")
        return cls(
            source=source or str(fields.get("source", "given")),
            made_on=_made_on(fields.get("on")),
            n_images=_count("n_images", fields.get("n_images", 0)),
            n_failed=_count("n_failed", fields.get("n_failed", 0)),
            extent=extent,
            threshold=numbers["threshold"],
            map50=numbers["map50"],
            f1=numbers["f1"],
        )


def _made_on(images: Any) -> str:
    """What ``"on"`` of a calibration file says, in words."""
    if not isinstance(images, Mapping):
        return ""
    if "frames" in images:
        return (
            f"{images.get('n_images')} frames of {images['frames']}, at "
            f"{images.get('alarms_per_frame')} alarms a frame"
        )
    return f"{images.get('dataset')} {images.get('split')}, {images.get('n_images')} images"


def _number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    # In files as a text; while irbench runs as a number.
    if name == "threshold" and value in ("inf", math.inf):
        return math.inf
    try:
        return finite_number(f"the {name} of a calibration", value)
    except ValueError as error:
        raise UsageError(f"{error}.") from None


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"{name} of a calibration must be a count, got {shown(value)}.")
    return value


def threshold_as_json(threshold: float | None) -> float | str | None:
    """A threshold as every file has it, since JSON has no infinity: ``"inf"`` keeps nothing.

    One of minus infinity is None, which keeps everything too.
    """
    if threshold is None or math.isfinite(threshold):
        return threshold
    return "inf" if threshold > 0 else None


def calibrate(
    found: Mapping[float | None, Sequence[Detections]],
    truths: Sequence[GroundTruth],
    protocol: Protocol,
) -> Calibration:
    """Choose extent and threshold on validation data.

    The extent is the one of greatest AP@50, ties to the larger; the threshold then
    the one of greatest F1, ties to the higher.

    Parameters
    ----------
    found : mapping of (float or None) to sequence of Detections
        By extent (None for a method without one), one entry per image.
    truths : sequence of GroundTruth
        Of the validation images, in the same order.
    protocol : Protocol

    Returns
    -------
    Calibration
    """
    from irbench.metrics.average_precision import average_precision
    from irbench.metrics.counting import count_boxes, f1
    from irbench.metrics.operating_point import best_f1_threshold
    from irbench.scoring.counted_output import match_images

    def quality(extent: float | None) -> tuple[float, float]:
        value = precisions[extent]
        return (-1.0 if value is None else value, extent or 0.0)

    tables = {extent: match_images(images, truths, protocol) for extent, images in found.items()}
    precisions = {
        extent: average_precision(table, protocol.iou_threshold).value
        for extent, table in tables.items()
    }
    best = max(tables, key=quality)
    threshold = best_f1_threshold(tables[best]).value
    # Without a detection or a target there is nothing to choose: keep nothing.
    kept = float("inf") if threshold is None else threshold
    reached = f1(count_boxes(tables[best], kept)).value
    return Calibration(best, kept, "validation", precisions[best], reached)


def read_calibrations(path: Path | str) -> dict[str, Calibration]:
    """Read ``--calibration RUN|FILE``.

    Parameters
    ----------
    path : path-like
        A run directory, or a JSON file from ``irbench calibrate``.

    Returns
    -------
    dict of str to Calibration
        By method.

    Raises
    ------
    UsageError
        If it is neither, or is damaged or of another version.
    """
    path = Path(path)
    if path.is_dir():
        return _calibrations_of_run(path)
    try:
        content = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--calibration must be a run directory or a JSON file of `irbench calibrate`, got "
            f"{path}: {error}."
        ) from None
    content = content.get("methods") if isinstance(content, dict) else None
    if not isinstance(content, dict):
        raise UsageError(f"--calibration {path} holds no calibrations by method.")
    return {name: _given(path, name, fields) for name, fields in content.items()}


def _calibrations_of_run(path: Path) -> dict[str, Calibration]:
    from irbench.engine.storage.directory import RunDirectory

    run = RunDirectory(path).read()
    if run is None:
        raise UsageError(
            f"--calibration must be a run directory or a JSON file of `irbench calibrate`, got "
            f"{path}: it has no run.json."
        )
    return {
        name: _given(path, name, method["calibration"])
        for name, method in run["methods"].items()
        if method.get("calibration")
    }


def _given(path: Path, method: str, fields: Any) -> Calibration:
    try:
        return Calibration.from_dict(fields, path.name)
    except UsageError as error:
        raise UsageError(f"--calibration {path}: {method}: {error}") from None


@cache
def _shipped() -> dict[str, Calibration]:
    found: dict[str, Calibration] = {}
    for point in entry_points(group="irbench.methods"):
        try:
            file = resources.files(point.module) / SHIPPED_FILE
        # A plug-in may raise anything when it is imported; the catalogue lists it.
        except (Exception, SystemExit):
            continue
        if not file.is_file():
            continue
        try:
            methods = parse_json(file.read_bytes())["methods"]
            read = {name: Calibration.from_dict(one, "shipped") for name, one in methods.items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            reason = error_text(error)
            warnings.warn(f"{point.module}: no {SHIPPED_FILE} is used: {reason}", stacklevel=1)
            continue
        found = read | found
    return found


@cache
def _shipped_extents() -> dict[str, float]:
    file = resources.files("irbench.methods") / EXTENTS_FILE
    methods = parse_json(file.read_bytes())["methods"]
    return {name: float(one["extent"]) for name, one in methods.items()}


def extent_without_labels(method: str) -> float:
    """The extent of a score-map method on a camera that it was never calibrated on.

    Of several published datasets' best extents the geometric mean, to the nearest candidate;
    :data:`EXTENT_WITHOUT_LABELS` where a method was not measured.
    """
    return _shipped_extents().get(method, EXTENT_WITHOUT_LABELS)


def shipped_calibration(method: str) -> Calibration | None:
    """The extent and threshold that ship with a method, for data without validation images.

    The threshold was measured on the validation split of ``synth`` by ``irbench calibrate``;
    the extent is that of :func:`extent_without_labels`, where the package ships one.
    """
    shipped = _shipped().get(method)
    if shipped is None or shipped.extent is None or method not in _shipped_extents():
        return shipped
    return dataclasses.replace(shipped, extent=extent_without_labels(method))
