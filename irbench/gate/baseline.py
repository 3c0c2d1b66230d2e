"""Baseline files: what a run scored, kept so that a later one can be held against it.

A baseline is one JSON file, meant to be committed: a pull request that updates it
shows which values moved. The counts of each image stand in it as packed text.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from irbench.atomic import write_bytes
from irbench.errors import UsageError
from irbench.gate.image_counts import Arrays, TruthCounts, counted_result
from irbench.gate.packed_arrays import pack, unpack
from irbench.json_fields import is_number, parse_json, shown
from irbench.messages.external_text import error_text
from irbench.scoring.scored_output import Result

FORMAT = "irbench-baseline"
VERSION = 1
MAX_FILE_BYTES = 1 << 26
"""Longer files are no baselines."""


class BaselineError(UsageError):
    """A file that is no baseline, or a damaged one."""


@dataclass(frozen=True, eq=False)
class BaselineRow:
    """What a baseline keeps of a method.

    Attributes
    ----------
    method, title : str
    deterministic : bool
        Whether the same code gives the same values again; else they are judged by
        the bootstrap over images, too.
    facts : dict
        Of ``run.json``: parameters, code version, conversion, weights.
    settings : dict
        Extent and threshold that the run chose.
    values : dict of str to (float or None)
        By metric.
    n_failed : int
        Images on which it failed.
    counts : dict of str to ndarray
        See :func:`irbench.gate.image_counts.count_arrays`.
    times_ms : dict of str to float
        By image of the timing pass, end to end; empty where there was none.
    """

    method: str
    title: str
    deterministic: bool
    facts: dict[str, Any]
    settings: dict[str, Any]
    values: dict[str, float | None]
    n_failed: int
    counts: Arrays
    times_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Baseline:
    """What a run scored.

    Attributes
    ----------
    key : dict
        Of ``run.json``: data, split, limit and protocol.
    dataset : dict
        Name, title, split and counts of the dataset.
    versions : dict of str to (str or None)
        Of the libraries, for the record.
    processor : str
        For the record: times of other processors say little.
    truth : TruthCounts
        Of the images, in the order of their ids.
    rows : dict of str to BaselineRow
        By method.
    """

    key: dict[str, Any]
    dataset: dict[str, Any]
    versions: dict[str, Any]
    processor: str
    truth: TruthCounts
    rows: dict[str, BaselineRow]

    def result(self, method: str) -> Result:
        """The counts of a method as an evaluation has them, to be resampled."""
        row = self.rows[method]
        return counted_result(row.counts, self.truth, row.values)

    @cached_property
    def content(self) -> bytes:
        """The file, byte for byte the same for the same run."""
        rows = [
            {**_fields(row), "counts": pack(row.counts), "times_ms": row.times_ms}
            for row in self.rows.values()
        ]
        content = {**_fields(self), "truth": pack(self.truth.as_arrays()), "rows": rows}
        signed = {"format": FORMAT, "version": VERSION, "checksum": _checksum(content), **content}
        return orjson.dumps(signed, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    def write(self, path: Path) -> None:
        """Write the file, atomically.

        Raises
        ------
        UsageError
            If it cannot be written.
        """
        try:
            write_bytes(path, self.content)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


def read_baseline(path: Path) -> Baseline:
    """Read a baseline file.

    Raises
    ------
    BaselineError
        If there is no such file, it is something else, of another version, cut
        short or changed by hand.
    """
    content = _read_json(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BaselineError(f"{path} is no baseline of irbench; `irbench check --write` makes one.")
    if content.get("version") != VERSION:
        raise BaselineError(
            f"{path} is a baseline of version {content.get('version')}, this irbench reads "
            f"{VERSION}; write it again by `irbench check --write`."
        )
    unsigned = {k: v for k, v in content.items() if k not in ("format", "version", "checksum")}
    if content.get("checksum") != _checksum(unsigned):
        raise BaselineError(
            f"{path} is damaged, or was edited or merged by hand: its checksum does not hold. "
            "Take it from version control again, or write it again by `irbench check --write`."
        )
    try:
        return _parse(unsigned)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = error_text(error)
        raise BaselineError(f"{path} is no complete baseline ({reason}).") from None


def _read_json(path: Path) -> Any:
    try:
        n_bytes = path.stat().st_size
        if n_bytes > MAX_FILE_BYTES:
            raise BaselineError(f"{path} is no baseline: it has {n_bytes} bytes.")
        return parse_json(path.read_bytes())
    except OSError as error:
        raise BaselineError(
            f"the baseline {path} cannot be read: {error.strerror}; write one by "
            f"`irbench check RUN --write {path}`."
        ) from None
    except ValueError as error:
        raise BaselineError(f"{path} is no baseline, or cut short: {error}.") from None


def _parse(content: dict[str, Any]) -> Baseline:
    rows = {}
    truth = TruthCounts.from_arrays(unpack(content["truth"]))
    for fields in content["rows"]:
        row = BaselineRow(**{**fields, "counts": unpack(fields["counts"])})
        for name, value in row.values.items():
            if not (value is None or is_number(value)):
                raise BaselineError(f"{name} of {row.method} is {shown(value)}")
        counted_result(row.counts, truth, row.values)
        rows[row.method] = row
    return Baseline(**{**content, "truth": truth, "rows": rows})


def _fields(one: Baseline | BaselineRow) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}


def _checksum(content: Mapping[str, Any]) -> str:
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:16]
