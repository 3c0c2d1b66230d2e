"""How the images were read that a threshold was found on: it holds for those that are read so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from irbench.images.auto_range import AUTO, RangeChoice
from irbench.json_fields import parse_json


def calibrated_reading(path: Path, method: str) -> dict[str, Any]:
    """How the images were read that a method's threshold was found on.

    Parameters
    ----------
    path : Path
        As after ``--calibration``, read without a fault before.
    method : str

    Returns
    -------
    dict
        With ``value_range`` and, where some were replaced, ``dead_pixels``; empty where nothing
        was stated, of a dataset that says itself how it is read.
    """
    if path.is_dir():
        from irbench.engine.storage.directory import RunDirectory

        run = RunDirectory(path).read() or {}
        return _stated(run.get("dataset", {}).get("conventions"))
    fields = parse_json(path.read_bytes())["methods"].get(method)
    facts = fields.get("on") if isinstance(fields, dict) else None
    return facts if isinstance(facts, dict) and "frames" in facts else _stated(facts)


def _stated(facts: Any) -> dict[str, Any]:
    if not isinstance(facts, dict) or not facts.keys() & {"value_range", "dead_pixels"}:
        return {}
    return facts


def calibrated_range(path: Path, method: str) -> RangeChoice:
    """The value range of these images: two numbers, ``"auto-frame"``, or None for their type's."""
    return _range_of(calibrated_reading(path, method))


def _range_of(facts: dict[str, Any]) -> RangeChoice:
    stated = facts.get("value_range")
    return (stated[0], stated[1]) if isinstance(stated, list) else stated


def reading_difference(
    path: Path, method: str, value_range: RangeChoice, replaces_dead: bool | None = None
) -> str:
    """What to say of frames that are read otherwise than those of a calibration.

    Parameters
    ----------
    path : Path
        As after ``--calibration``.
    method : str
    value_range : (float, float), "auto", "auto-frame" or None
        As asked for now.
    replaces_dead : bool, optional
        Whether dead pixels are replaced now; None where nobody knows.

    Returns
    -------
    str
        A sentence that says what to do; empty where they are read alike.
    """
    facts = calibrated_reading(path, method)
    if not facts:
        return ""
    before = _range_of(facts)
    # What was found then is found again, about, by the same rule; what was stated is not.
    found_alike = value_range == AUTO and "range_rule" in facts
    parts, options = [], []
    if value_range != before and not found_alike:
        parts.append(f"at the value range {_words(before)}, here it is {_words(value_range)}")
        options.append(f"--value-range {_words(before)}" if before else "no --value-range")
    if replaces_dead is not None and ("dead_pixels" in facts) != replaces_dead:
        how = ("with", "without") if "dead_pixels" in facts else ("without", "with")
        parts.append(f"{how[0]} dead pixels replaced, here {how[1]}")
        asked = facts.get("dead_pixels", {}).get("asked", AUTO)
        options.append("no --dead-pixels" if replaces_dead else f"--dead-pixels {asked}")
    if not parts:
        return ""
    return (
        f"--calibration {path}: the threshold of {method} was found {' and '.join(parts)}, and "
        f"may be wrong by far: give {' and '.join(options)}, or calibrate as you detect."
    )


def _words(value_range: RangeChoice) -> str:
    if value_range is None:
        return "of the pixels' type"
    if isinstance(value_range, str):
        return value_range
    return " ".join(f"{value:.10g}" for value in value_range)
