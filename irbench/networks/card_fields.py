"""What each field of a card must be; held against every card that is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from irbench.errors import WeightsError
from irbench.json_fields import COUNT, NAME, TEXT, Rule, is_number, is_text, is_whole, shown

PARTS = ("train", "val")

DIGEST_DIGITS = 12
"""Of an image's SHA-256: 48 bits; two of a million pairs of images meet once in 10⁸ cards."""

_REMEDY = "Get weights and card together from where they came from, or train again."


def check(fields: Mapping[str, Any], rules: Mapping[str, Rule], where: Any, inside: str) -> None:
    """Hold the fields of an object against their rules.

    Parameters
    ----------
    fields : mapping
    rules : mapping of str to Rule
        Every field of them must be there, and no other.
    where : path-like
        The file, for errors.
    inside : str
        What stands before a field's name in errors.

    Raises
    ------
    WeightsError
    """
    for name, (expected, holds) in rules.items():
        if name not in fields:
            raise WeightsError(f"the card {where} lacks the field {inside}{name}. {_REMEDY}")
        if not holds(fields[name]):
            raise invalid_field(where, inside + name, expected, fields[name])
    for name in fields:
        if name not in rules:
            raise WeightsError(f"the card {where} has the unknown field {inside}{name}. {_REMEDY}")


def invalid_field(where: Path | str, name: str, expected: str, got: Any) -> WeightsError:
    """The error of a field that is not what it must be."""
    return WeightsError(f"the card {where}: {name} must be {expected}, got {shown(got)}. {_REMEDY}")


def _hex(n_digits: str) -> Callable[[Any], bool]:
    pattern = re.compile(f"[0-9a-f]{{{n_digits}}}")
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _mapping(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, dict)
        and all(isinstance(key, str) and holds(entry) for key, entry in value.items())
    )


def _parts(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, dict) and set(value) == set(PARTS) and all(map(holds, value.values()))
    )


def _is_metrics(value: Any) -> bool:
    values = _mapping(lambda one: one is None or is_number(one))
    return (
        isinstance(value, dict)
        and set(value) == {"val", "test"}
        and values(value["val"])
        and (value["test"] is None or values(value["test"]))
    )


_NAME: Rule = (NAME[0], lambda value: is_text(value) and bool(value.strip()))
_IMAGES: Rule = (
    f"for train and val, ids with digests of {DIGEST_DIGITS} hex digits",
    _parts(_mapping(_hex(str(DIGEST_DIGITS)))),
)
_SHA256: Rule = ("64 hex digits", _hex("64"))

ANCESTOR: dict[str, Rule] = {
    "name": _NAME,
    "sha256": _SHA256,
    "dataset": _NAME,
    "images": _IMAGES,
}

CARD: dict[str, Rule] = {
    "method": _NAME,
    "title": _NAME,
    "architecture": ("hex digits", _hex("16,64")),
    "dataset": _NAME,
    "scheme": TEXT,
    "manifests": ("for train and val, a hash in hex", _parts(_hex("16,64"))),
    "images": _IMAGES,
    "started_from": ("a list", lambda value: isinstance(value, list | tuple)),
    "image_size": ("a whole number, at least 1", partial(is_whole, least=1)),
    "settings": ("an object", _mapping(lambda _: True)),
    "seed": COUNT,
    "epochs": COUNT,
    "best_epoch": (
        "a whole number, at least 0, or null",
        lambda value: value is None or is_whole(value),
    ),
    "steps": COUNT,
    "seconds": ("a number, at least 0", lambda value: is_number(value) and value >= 0),
    "hardware": TEXT,
    "versions": ("texts or null by name", _mapping(lambda v: v is None or is_text(v))),
    "metrics": ("for val and test, numbers by name", _is_metrics),
    "licence": TEXT,
    "command": (
        "a list of texts",
        lambda value: isinstance(value, list | tuple) and all(map(is_text, value)),
    ),
    "sha256": _SHA256,
}
