"""What is read of a run's files, held against what it must be.

What cannot be read is named, with what to do next. The JSON files are written by irbench alone, but
merged, edited and cut short by others. A reader that has come past these checks can rely on the
types of what it knows; fields that it does not know, such as those of a later version, are let
through.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from irbench.errors import RunKeyError
from irbench.json_fields import (
    COUNT,
    NAME,
    NUMBER,
    OBJECT,
    TEXT,
    Rule,
    is_number,
    is_whole,
    optional,
    shown,
)
from irbench.metrics.definition import METRICS
from irbench.protocol import OPERATING_POINT_RULES

if TYPE_CHECKING:
    import pyarrow as pa

Arguments = ParamSpec("Arguments")
Content = TypeVar("Content")


def _unreadable() -> tuple[type[Exception], ...]:
    """What reading a damaged file ends in.

    The readers check types, so that a TypeError or an AttributeError is a fault of the program,
    and want of memory says nothing about the file.
    """
    # A worker writes lines of the journal, and reads no file: it does without.
    import pyarrow as pa

    return (
        *(pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowIndexError, pa.ArrowTypeError),
        *(pa.ArrowNotImplementedError, pa.ArrowSerializationError),
        *(OSError, LookupError, OverflowError, ValueError),
    )


def file_reader(
    read: Callable[Concatenate[Path, Arguments], Content],
) -> Callable[Concatenate[Path, Arguments], Content]:
    """Make a function that reads a file of a run raise RunKeyError for one that is damaged.

    Other errors, MemoryError among them, are not touched: none of them is a reason to remove
    a file.

    Parameters
    ----------
    read : callable
        Its first argument is the file.
    """

    @wraps(read)
    def checked(path: Path, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Content:
        try:
            return read(path, *args, **kwargs)
        except RunKeyError:
            raise
        except _unreadable() as error:
            if isinstance(error, OSError) and error.errno is not None:
                # Of the system, such as a permission; Arrow's own OSErrors have no number.
                raise RunKeyError(
                    f"{path} cannot be read: {error.strerror or error}. Nothing in it needs to be "
                    "damaged: see to that, then repeat the command."
                ) from error
            reason = (str(error).strip().splitlines() or [""])[0]
            raise RunKeyError(
                f"{path} cannot be read ({type(error).__name__}: {reason[:200]}); it is damaged, "
                f"or of another version. Remove every {Path(path).name} in the run, and repeat "
                "the command that made it."
            ) from error

    return checked


def check_columns(table: pa.Table, schema: pa.Schema, filled: Collection[str]) -> None:
    """Check the columns of a table that was read.

    Parameters
    ----------
    table : pyarrow.Table
    schema : pyarrow.Schema
        The type of each column; those that ``table`` was read without are not checked.
    filled : collection of str
        Columns of ``table`` that must be there and have no null.

    Raises
    ------
    ValueError
    """
    for name in sorted(set(filled) - set(table.schema.names)):
        raise ValueError(f"the column {name} is missing")
    for field in table.schema:
        if field.name in schema.names and field.type != (kind := schema.field(field.name).type):
            raise ValueError(f"the column {field.name} must be {kind}, got {field.type}")
    for name in filled:
        if table[name].null_count:
            raise ValueError(f"the column {name} must not have nulls")


def check_numbers(table: pa.Table, names: Collection[str]) -> None:
    """Check that columns of lists, or of lists of lists, have a number in every place.

    Raises
    ------
    ValueError
    """
    import pyarrow as pa

    for name in names:
        column = table[name].combine_chunks()
        while pa.types.is_list(column.type):
            column = column.flatten()
            if column.null_count:
                raise ValueError(f"the lists of the column {name} must not have nulls")


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
    # Plug-ins bring more metrics; those that are not loaded are let through.
    rules = {**dict.fromkeys(METRICS, _VALUE), **_ROW}
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise _wrong(path, f"rows[{index}]", "an object", row)
        _check(row, rules, path, f"rows[{index}].", _REQUIRED_OF_ROW)
        if row["method"] in seen:
            raise _wrong(path, f"rows[{index}].method", "one that occurs once", row["method"])
        seen.add(row["method"])


def _check(
    fields: Any, rules: Mapping[str, Rule], path: Path, inside: str, required: set[str]
) -> None:
    for name in sorted(required - fields.keys()):
        raise _wrong(path, inside + name, rules[name][0], "nothing")
    for name, value in fields.items():
        rule = rules.get(name)
        if rule is not None and not rule[1](value):
            raise _wrong(path, inside + str(name), rule[0], value)


def _wrong(path: Path, where: str, expected: str, got: Any) -> RunKeyError:
    advice = "use another --out, or the irbench that wrote it"
    if path.name == "results.json":
        advice = "remove it and repeat the command that made the run, which scores it again"
    return RunKeyError(
        f"{path} is damaged, or of another version: {where} must be {expected}, got {shown(got)}; "
        f"{advice}."
    )


_VALUE = optional(NUMBER)
_COUNT = optional(COUNT)
_TEXTS: Rule = (
    "texts by name",
    lambda value: isinstance(value, dict) and all(isinstance(one, str) for one in value.values()),
)
_LIST: Rule = (
    "a list of texts",
    lambda value: isinstance(value, list | tuple) and all(map(TEXT[1], value)),
)
_NUMBERS: Rule = (
    "numbers by name",
    lambda value: isinstance(value, dict) and all(map(is_number, value.values())),
)
_THRESHOLD: Rule = (
    'a number, "inf" or null',
    lambda value: value is None or value == "inf" or is_number(value),
)
_STATE: Rule = (
    "the state of a method",
    lambda value: value in ("running", "done", "partial", "failed", "interrupted", "skipped"),
)

_RUN: dict[str, Rule] = {
    "key": OBJECT,
    "dataset": OBJECT,
    "methods": (
        "objects by method",
        lambda value: isinstance(value, dict) and all(map(OBJECT[1], value.values())),
    ),
    "data_root": optional(TEXT),
    "command": ("a list", lambda value: isinstance(value, list)),
    "machine": OBJECT,
    "versions": OBJECT,
}
_KEY: dict[str, Rule] = {
    "conventions": OBJECT,
    "degrade": ("a list", lambda value: isinstance(value, list)),
    "protocol": OBJECT,
    "dataset": TEXT,
    "split": TEXT,
    "scheme": optional(TEXT),
    "limit": _COUNT,
    "manifests": _TEXTS,
    "calibration": optional(TEXT),
}
_PROTOCOL: dict[str, Rule] = {
    **dict.fromkeys(("name", "scheme", "score", "ap_estimator"), NAME),
    "operating_point": (
        f"one of {', '.join(OPERATING_POINT_RULES)}",
        lambda value: value in OPERATING_POINT_RULES,
    ),
    **dict.fromkeys(("score_map_conversion", "probability_conversion"), NAME),
    **dict.fromkeys(("n_std", "iou_threshold", "distance_px"), NUMBER),
    "fixed_threshold": _VALUE,
    "max_detections": COUNT,
}
_DATASET: dict[str, Rule] = {
    **dict.fromkeys(("name", "title", "split"), NAME),
    "scheme": optional(TEXT),
    "conventions": OBJECT,
    "left_out": (
        "texts by split and image",
        lambda value: isinstance(value, dict) and all(map(_TEXTS[1], value.values())),
    ),
    "n_images": _COUNT,
    "n_targets": _COUNT,
}
_METHOD: dict[str, Rule] = {
    "state": _STATE,
    "facts": OBJECT,
    "errors": _TEXTS,
    "calibration": optional(OBJECT),
    "network": optional(OBJECT),
    "peak_memory": _COUNT,
    "waited_share": _VALUE,
}
_CALIBRATION: dict[str, Rule] = {
    **dict.fromkeys(("extent", "map50", "f1"), _VALUE),
    "threshold": _THRESHOLD,
    "source": TEXT,
}
_REQUIRED_OF_ROW = {
    *("method", "title", "group", "state", "year"),
    *("kind", "dataset"),
}
_ROW: dict[str, Rule] = {
    **dict.fromkeys(("fps", "ms_median", "ms_lower", "ms_upper", "peak_memory"), _VALUE),
    **dict.fromkeys(("params", "flops", "extent", "auc_resolution", "waited_share"), _VALUE),
    **dict.fromkeys(("method", "title", "group"), NAME),
    **dict.fromkeys(("reason", "note", "kind", "dataset", "dataset_title", "split"), TEXT),
    **dict.fromkeys(("operating_point", "calibration"), TEXT),
    **dict.fromkeys(("scheme", "conversion", "weights", "weights_sha256"), optional(TEXT)),
    **dict.fromkeys(("device", "gpu"), optional(TEXT)),
    **dict.fromkeys(("n_images", "n_targets", "n_failed"), _COUNT),
    **dict.fromkeys(("n_validation", "n_failed_validation"), _COUNT),
    "state": _STATE,
    "year": ("a year", lambda value: is_whole(value) and value < 10_000),
    "threshold": _THRESHOLD,
    "undefined": _TEXTS,
    "ms_stages": _NUMBERS,
    "method_params": OBJECT,
    "gain_counts": OBJECT,
    **dict.fromkeys(("uncounted", "failed_metrics"), _LIST),
    "input_size": optional(
        ("two numbers", lambda v: isinstance(v, list) and len(v) == 2 and all(map(is_number, v)))
    ),
}
