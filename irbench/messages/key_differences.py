"""What two keys of runs differ in, in words: of digests nobody learns what has changed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson

from irbench.errors import RunKeyError
from irbench.messages.external_text import storable

_DIGEST = re.compile("[0-9a-f]{16,64}")

_CHANGED = {
    "code": "the code of the method, or of what it uses, has changed",
    "weights_sha256": "the weights are others",
    "content": "the submitted files are others",
    "manifests": "its images, masks or list are others",
}
"""What a digest stands for, by the name of its field."""


def differences(before: Any, now: Any, where: str = "") -> list[str]:
    """The leaves in which two JSON values differ, as ``name: before -> now``.

    Examples
    --------
    >>> differences({"iou": 0.5, "code": "0" * 16}, {"iou": 0.3, "code": "1" * 16})
    ['code: the code of the method, or of what it uses, has changed', 'iou: 0.5 -> 0.3']
    """
    if isinstance(before, dict) and isinstance(now, dict):
        lines = []
        for name in sorted(before.keys() | now.keys()):
            path = f"{where}.{name}" if where else name
            lines += differences(before.get(name), now.get(name), path)
        return lines
    if before == now:
        return []
    return [f"{where}: {changed(where, before, now) or f'{_short(before)} -> {_short(now)}'}"]


def changed(where: str, before: Any, now: Any) -> str:
    """What it means that two digests differ; empty where one of the values is no digest.

    Parameters
    ----------
    where : str
        Names of the fields that lead to the values, with dots between.
    before, now : object
    """
    if not all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in (before, now)):
        return ""
    named = [_CHANGED[name] for name in reversed(where.split(".")) if name in _CHANGED]
    return named[0] if named else "the content is another"


def is_same(before: Any, now: Any) -> bool:
    """Whether what was read from JSON is what would be written now."""
    return not _changes(before, now)


def check_key(directory: Path, before: Any, now: Any) -> None:
    """Refuse to resume in a directory that holds another run.

    Raises
    ------
    RunKeyError
        Showing what differs.
    """
    found = _changes(before, now)
    if found:
        listed = "; ".join(found[:6]) + ("; …" if len(found) > 6 else "")
        raise RunKeyError(
            f"{directory} holds another run ({listed}). Use another --out, or repeat the command "
            "that made it."
        )


def _changes(before: Any, now: Any) -> list[str]:
    # Through JSON, so that tuples and lists compare as what they became on disk.
    return differences(before, orjson.loads(orjson.dumps(storable(now))))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
