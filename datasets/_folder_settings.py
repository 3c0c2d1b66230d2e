"""``irbench.toml`` beside the data: the conventions of a folder that its files do not state."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from irbench.conventions import Conventions
from irbench.errors import AnnotationError, UsageError
from irbench.images.auto_range import AUTO, AUTO_FRAME, RangeChoice
from irbench.images.dead_pixels import AUTO as AUTO_DEAD
from irbench.images.dead_pixels import NAN

FILE_NAME = "irbench.toml"


@dataclass(frozen=True)
class FolderSettings:
    """What ``irbench.toml`` says; None where it says nothing.

    Attributes
    ----------
    scheme : str or None
        Which set of split lists.
    conventions : Conventions
        All else.
    """

    scheme: str | None = None
    conventions: Conventions = field(default_factory=Conventions)


def read_settings(root: Path) -> FolderSettings:
    """Read ``irbench.toml`` of a folder; nothing is set where there is none.

    Raises
    ------
    AnnotationError
        If it is no TOML, or a key is unknown or of another type, naming the key.
    """
    path = root / FILE_NAME
    if not path.is_file():
        return FolderSettings()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AnnotationError(f"{path}: cannot be read: {error}.") from error
    voc = content.pop("voc", {})
    if not isinstance(voc, dict):
        raise _invalid(path, "voc", "a table with origin and inclusive", voc)
    flat = {**content, **{f"voc.{name}": value for name, value in voc.items()}}
    known = (
        *("layout", "scheme", "value_range", "voc.origin", "voc.inclusive", "yolo_confidence"),
        *("classes", "ignore_classes", "dead_pixels"),
    )
    for name in flat:
        if name not in known:
            raise _invalid(path, "the keys", f"some of {', '.join(known)}", name)
    for name in ("layout", "scheme", "yolo_confidence", "dead_pixels"):
        if not isinstance(flat.get(name, ""), str):
            raise _invalid(path, name, "a text", flat[name])
    origin, inclusive = flat.get("voc.origin"), flat.get("voc.inclusive")
    if origin is not None and (isinstance(origin, bool) or origin not in (0, 1)):
        raise _invalid(path, "voc.origin", "0 or 1", origin)
    if inclusive is not None and not isinstance(inclusive, bool):
        raise _invalid(path, "voc.inclusive", "true or false", inclusive)
    value_range = _value_range(path, flat.get("value_range"))
    try:
        conventions = Conventions(
            layout=flat.get("layout"),
            value_range=value_range,
            voc_origin=origin,
            voc_inclusive=inclusive,
            yolo_confidence=flat.get("yolo_confidence"),
            classes=_names(path, "classes", flat.get("classes")),
            ignore_classes=_names(path, "ignore_classes", flat.get("ignore_classes")),
            dead_pixels=_dead_pixels(root, flat.get("dead_pixels")),
        )
    except UsageError as error:
        raise AnnotationError(f"{path}: {error}") from error
    return FolderSettings(flat.get("scheme"), conventions)


def _names(path: Path, key: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise _invalid(path, key, 'a list of names such as ["person"]', value)
    return tuple(value)


def _dead_pixels(root: Path, value: str | None) -> str | None:
    """A word, or a file beside ``irbench.toml``."""
    return value if value is None or value in (NAN, AUTO_DEAD) else str(root / value)


def _value_range(path: Path, value: Any) -> RangeChoice:
    if value is None or value in (AUTO, AUTO_FRAME):
        return value  # type: ignore[no-any-return]
    numbers = isinstance(value, list) and len(value) == 2
    if not numbers or any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        raise _invalid(path, "value_range", f"[black, white], {AUTO!r} or {AUTO_FRAME!r}", value)
    return float(value[0]), float(value[1])


def _invalid(path: Path, name: str, expected: str, got: Any) -> AnnotationError:
    return AnnotationError(f"{path}: {name}: expected {expected}, got {got!r}.")
