"""Which classes of a module are plug-ins, and whether they are fit to be listed."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from types import ModuleType
from typing import Any

from irbench.messages.external_text import unprintable


def classes_of(module: ModuleType, base: type[Any]) -> list[type[Any]]:
    """The classes that a module defines itself and that are to be plug-ins.

    Parameters
    ----------
    module : module
    base : type
        Detector, Dataset or Report.

    Returns
    -------
    list of type
        Those derived from ``base`` that have an ``info`` and lack no method; others are bases
        for more classes.
    """
    return [
        member
        for member in vars(module).values()
        if inspect.isclass(member)
        and issubclass(member, base)
        and member.__module__ == module.__name__
        and not inspect.isabstract(member)
        and hasattr(member, "info")
    ]


def flaw_of(cls: type[Any], base: type[Any]) -> str:
    """Why a class cannot be listed beside others; empty if it can.

    Parameters
    ----------
    cls : type
        Whatever a plug-in offers.
    base : type
        Detector, Dataset or Report; what it says of its class attributes is held against
        those of ``cls``, since every command that lists or sorts plug-ins relies on them.

    Returns
    -------
    str
        The attribute, what was expected, and what came.
    """
    title = f"the class {cls.__qualname__}"
    if not issubclass(cls, base):
        return f"{title} must be derived from {base.__module__}.{base.__name__}"
    if inspect.isabstract(cls):
        return f"{title} lacks {', '.join(sorted(cls.__abstractmethods__))}"
    for name, hint in typing.get_type_hints(base).items():
        if typing.get_origin(hint) is not typing.ClassVar:
            continue
        if not hasattr(cls, name):
            return f"{title} lacks `{name}`"
        if flaw := _flaw_of_value(name, getattr(cls, name), typing.get_args(hint)[0]):
            return f"{title}: {flaw}"
    return ""


def _flaw_of_value(name: str, value: Any, hint: Any) -> str:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        choices = typing.get_args(hint)
        return "" if value in choices else f"{name} must be one of {choices}, got {value!r}"
    # Of tuple[str, ...] no more than that it is a tuple.
    expected = hint if origin in (None, types.UnionType) else origin
    if not isinstance(value, expected):
        kind = getattr(expected, "__name__", None) or str(expected)
        return f"{name} must be of type {kind}, got {value!r}"
    if dataclasses.is_dataclass(value):
        for field, inner in typing.get_type_hints(type(value)).items():
            if flaw := _flaw_of_value(f"{name}.{field}", getattr(value, field), inner):
                return flaw
    if isinstance(value, str) and (flaw := unprintable(value)):
        return f"{name} must be a text for tables, got one with {flaw}"
    return f"{name} must not be empty" if name == "info.name" and not value else ""
