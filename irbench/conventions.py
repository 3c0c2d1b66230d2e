"""Conventions of a user's own data that its files do not state, as a person states them.

They come from ``irbench.toml`` beside the data, and from options of the same names on every
command that reads data, which win over it. What is stated is part of the key of a run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from irbench.errors import UsageError
from irbench.images.auto_range import AUTO, AUTO_FRAME, RULE, RangeChoice
from irbench.images.dead_pixels import DeadChoice, DeadPixels

YoloConfidence = Literal["last", "second"]
ClassRole = Literal["target", "ignored", "unused"]
"""Labels are to be found; or finding them is neither right nor wrong; or they are not there."""


@dataclass(frozen=True, kw_only=True)
class Conventions:
    """What was stated of a folder of data; None where nothing was.

    Parameters
    ----------
    layout : str, optional
        Which kind of ground truth to read, such as ``"voc"``, where there are several.
    value_range : (float, float), "auto" or "auto-frame", optional
        Values of black and white, such as ``(0, 16383)`` of a 14-bit camera or ``(16383, 0)`` of
        one that shows hot as black, or that they are to be found from the data, or from each
        frame; see :mod:`irbench.images.auto_range`.
    range_rule : str, optional
        The rule by which ``value_range`` was found: what lies outside of it is clipped, where
        of a stated range it is an error.
    dead_pixels : str or DeadPixels, optional
        Which pixels are replaced: ``"nan"``, ``"auto"``, a file, or what these came to; see
        :mod:`irbench.images.dead_pixels`. By default none: NaN is an error.
    voc_origin : {0, 1}, optional
        The number of the first pixel in PASCAL VOC boxes.
    voc_inclusive : bool, optional
        Whether ``xmax`` and ``ymax`` of PASCAL VOC are the last pixel of a box, or the one after.
    yolo_confidence : {"last", "second"}, optional
        Where the confidence stands among the six columns of YOLO text: at the end, or after the
        class, as darknet writes it.
    classes : tuple of str, optional
        Classes whose labels are targets; by default all but the ignored ones. Labels of other
        classes are as if they were not there.
    ignore_classes : tuple of str, optional
        Classes whose labels are neither targets, nor a detection on them a false alarm; see
        :mod:`irbench.metrics.ignored_regions`.

    Raises
    ------
    UsageError
        Naming the option, for a value that it cannot have.

    Examples
    --------
    >>> given, file = Conventions(voc_origin=0), Conventions(layout="voc", voc_origin=1)
    >>> given.over(file).as_dict()
    {'layout': 'voc', 'voc_origin': 0}
    """

    layout: str | None = None
    value_range: RangeChoice = None
    voc_origin: int | None = None
    voc_inclusive: bool | None = None
    range_rule: str | None = None
    yolo_confidence: YoloConfidence | None = None
    classes: tuple[str, ...] | None = None
    ignore_classes: tuple[str, ...] | None = None
    dead_pixels: DeadChoice = None

    def __post_init__(self) -> None:
        if isinstance(self.value_range, str):
            if self.value_range not in (AUTO, AUTO_FRAME):
                raise UsageError(
                    f"--value-range (value_range): expected two numbers, {AUTO} or {AUTO_FRAME}, "
                    f"got {self.value_range!r}."
                )
            object.__setattr__(self, "range_rule", RULE)
        elif self.value_range is not None:
            low, high = map(float, self.value_range)
            if not (math.isfinite(low) and math.isfinite(high) and low != high):
                raise UsageError(
                    "--value-range (value_range): expected two finite numbers that differ, got "
                    f"{low:g} {high:g}."
                )
            object.__setattr__(self, "value_range", (low, high))
        if self.voc_origin not in (None, 0, 1) or isinstance(self.voc_origin, bool):
            raise UsageError(
                f"--voc-origin (voc.origin): expected 0 or 1, got {self.voc_origin!r}."
            )

        if self.yolo_confidence not in (None, *get_args(YoloConfidence)):
            raise UsageError(
                "--yolo-confidence (yolo_confidence): expected last or second, got "
                f"{self.yolo_confidence!r}."
            )
        both = set(self.classes or ()) & set(self.ignore_classes or ())
        if both:
            raise UsageError(
                "--classes and --ignore-classes (ignore_classes): expected different classes, got "
                f"{', '.join(sorted(both))} in both."
            )

    def role_of(self, name: str) -> ClassRole:
        """What labels of a class are."""
        if name in (self.ignore_classes or ()):
            return "ignored"
        return "target" if self.classes is None or name in self.classes else "unused"

    def over(self, other: Conventions) -> Conventions:
        """These, and what ``other`` states where these state nothing."""
        changes = self.stated()
        if self.value_range is not None:
            # A range and how it came about go together.
            changes["range_rule"] = self.range_rule
        return replace(other, **changes)

    def stated(self) -> dict[str, Any]:
        """The values that are not None, by name."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def as_dict(self) -> dict[str, Any]:
        """What is stated as JSON takes it."""
        content = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.stated().items()
        }
        if isinstance(self.dead_pixels, DeadPixels):
            content["dead_pixels"] = self.dead_pixels.as_dict()
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Conventions:
        """Read what :meth:`as_dict` gave; what this version does not know is left out."""
        known = {one.name for one in fields(cls)}
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in content.items()
            if name in known
        }
        if isinstance(dead := values.get("dead_pixels"), Mapping):
            values["dead_pixels"] = DeadPixels.from_dict(dead)
        return cls(**values)

    def __bool__(self) -> bool:
        return bool(self.stated())
