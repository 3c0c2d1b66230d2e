"""What the fields of ``run.json`` and ``results.json`` must be; held against every file read.

Both are written by irbench alone, but merged, edited and cut short by others. A reader that
has come past these checks can rely on the types of what it knows; fields that it does not
know, such as those of a later version, are let through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from irbench.errors import RunKeyError
from irbench.metrics.definition import METRICS
from irbench.protocol import OPERATING_POINT_RULES

Rule = tuple[str, Callable[[Any], bool]]
"""What is expected, in words, and whether a value is that."""


def check_run(content: Mapping[str, Any], path: Path) -> None:
    """Hold the content of ``run.json`` against what it must be.

    Raises
    ------
    RunKeyError
        Naming the field.
    """
    _check(content, _RUN, path, "", set(_RUN) - {"command", "machine", "versions", "data_root"})
    _check(content["key"], _KEY, path, "key.", {"protocol"})
    # Runs of before there was a choice have no `score`.
    required = _PROTOCOL.keys() - {"score"}
    _check(content["key"]["protocol"], _PROTOCOL, path, "key.protocol.", required)
    required = {"name", "title", "split", "n_images", "n_targets"}
    _check(content["dataset"], _DATASET, path, "dataset.", required)
    for name, method in content["methods"].items():
        _check(method, _METHOD, path, f"methods.{name}.", {"state"})
        if method.get("calibration"):
            inside = f"methods.{name}.calibration."
            _check(method["calibration"], _CALIBRATION, path, inside, set())


def check_rows(rows: Any, path: Path) -> None:
    """Hold the rows of ``results.json`` against what they must be.

    Raises
    ------
    RunKeyError
        Naming the row and the field.
    """
    if not isinstance(rows, list):
        raise _wrong(path, "rows", "a list", rows)
    seen = set()
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise _wrong(path, f"rows[{index}]", "an object", row)
        _check(row, _ROW, path, f"rows[{index}].", _REQUIRED_OF_ROW)
        if row["method"] in seen:
            raise _wrong(path, f"rows[{index}].method", "one that occurs once", row["method"])
        seen.add(row["method"])


def _check(
    fields: Any, rules: Mapping[str, Rule], path: Path, inside: str, required: set[str]
) -> None:
    for name in sorted(required - fields.keys()):
        raise _wrong(path, inside + name, rules[name][0], "nothing")
    for name, value in fields.items():
        expected, holds = rules.get(name, _ANYTHING)
        if not holds(value):
            raise _wrong(path, inside + str(name), expected, value)


def _wrong(path: Path, where: str, expected: str, got: Any) -> RunKeyError:
    shown = repr(got)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
    advice = "use another --out, or the irbench that wrote it"
    if path.name == "results.json":
        advice = "remove it and repeat the command that made the run, which scores it again"
    return RunKeyError(
        f"{path} is damaged, or of another version: {where} must be {expected}, got {shown}; "
        f"{advice}."
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _optional(rule: Rule) -> Rule:
    return f"{rule[0]} or null", lambda value: value is None or rule[1](value)


_ANYTHING: Rule = ("anything", lambda value: True)
_TEXT: Rule = ("a text", lambda value: isinstance(value, str))
_NAME: Rule = ("a text that is not empty", lambda value: isinstance(value, str) and value != "")
_NUMBER: Rule = ("a number", _is_number)
_VALUE = _optional(_NUMBER)
_COUNT: Rule = _optional(("a whole number, at least 0", _is_count))
_OBJECT: Rule = ("an object", lambda value: isinstance(value, dict))
_TEXTS: Rule = (
    "texts by name",
    lambda value: isinstance(value, dict) and all(isinstance(one, str) for one in value.values()),
)
_NUMBERS: Rule = (
    "numbers by name",
    lambda value: isinstance(value, dict) and all(map(_is_number, value.values())),
)
_THRESHOLD: Rule = (
    'a number, "inf" or null',
    lambda value: value is None or value == "inf" or _is_number(value),
)
_STATE: Rule = (
    "the state of a method",
    lambda value: value in ("running", "done", "partial", "failed", "interrupted", "skipped"),
)

_RUN: dict[str, Rule] = {
    "key": _OBJECT,
    "dataset": _OBJECT,
    "methods": (
        "objects by method",
        lambda value: isinstance(value, dict) and all(map(_OBJECT[1], value.values())),
    ),
    "data_root": _optional(_TEXT),
    "command": ("a list", lambda value: isinstance(value, list)),
    "machine": _OBJECT,
    "versions": _OBJECT,
}
_KEY: dict[str, Rule] = {
    "conventions": _OBJECT,
    "protocol": _OBJECT,
    "dataset": _TEXT,
    "split": _TEXT,
    "scheme": _optional(_TEXT),
    "limit": _COUNT,
    "manifests": _TEXTS,
    "calibration": _optional(_TEXT),
}
_PROTOCOL: dict[str, Rule] = {
    **dict.fromkeys(("name", "scheme", "score", "ap_estimator"), _NAME),
    "operating_point": (
        f"one of {', '.join(OPERATING_POINT_RULES)}",
        lambda value: value in OPERATING_POINT_RULES,
    ),
    **dict.fromkeys(("score_map_conversion", "probability_conversion"), _NAME),
    **dict.fromkeys(("n_std", "iou_threshold", "distance_px"), _NUMBER),
    "fixed_threshold": _VALUE,
    "max_detections": ("a whole number, at least 0", _is_count),
}
_DATASET: dict[str, Rule] = {
    **dict.fromkeys(("name", "title", "split"), _NAME),
    "scheme": _optional(_TEXT),
    "conventions": _OBJECT,
    "left_out": (
        "texts by split and image",
        lambda value: isinstance(value, dict) and all(map(_TEXTS[1], value.values())),
    ),
    "n_images": _COUNT,
    "n_targets": _COUNT,
}
_METHOD: dict[str, Rule] = {
    "state": _STATE,
    "facts": _OBJECT,
    "errors": _TEXTS,
    "calibration": _optional(_OBJECT),
    "network": _optional(_OBJECT),
    "peak_memory": _COUNT,
}
_CALIBRATION: dict[str, Rule] = {
    **dict.fromkeys(("extent", "map50", "f1"), _VALUE),
    "threshold": _THRESHOLD,
    "source": _TEXT,
}
_REQUIRED_OF_ROW = {
    *("method", "title", "group", "state", "year"),
    *("kind", "dataset"),
}
_ROW: dict[str, Rule] = {
    **dict.fromkeys(METRICS, _VALUE),
    **dict.fromkeys(("fps", "ms_median", "ms_lower", "ms_upper", "peak_memory"), _VALUE),
    **dict.fromkeys(("params", "flops", "extent", "auc_resolution"), _VALUE),
    **dict.fromkeys(("method", "title", "group"), _NAME),
    **dict.fromkeys(("reason", "note", "kind", "dataset", "dataset_title", "split"), _TEXT),
    **dict.fromkeys(("operating_point", "calibration"), _TEXT),
    **dict.fromkeys(("scheme", "conversion", "weights", "weights_sha256"), _optional(_TEXT)),
    **dict.fromkeys(("device", "gpu"), _optional(_TEXT)),
    **dict.fromkeys(("n_images", "n_targets", "n_failed"), _COUNT),
    "state": _STATE,
    "year": ("a year", lambda value: _is_count(value) and value < 10_000),
    "threshold": _THRESHOLD,
    "undefined": _TEXTS,
    "ms_stages": _NUMBERS,
    "method_params": _OBJECT,
    "gain_counts": _OBJECT,
    "uncounted": (
        "a list of texts",
        lambda value: isinstance(value, list | tuple) and all(map(_TEXT[1], value)),
    ),
    "input_size": _optional(
        ("two numbers", lambda v: isinstance(v, list) and len(v) == 2 and all(map(_is_number, v)))
    ),
}
