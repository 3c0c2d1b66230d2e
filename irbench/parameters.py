"""Parameters of a method: declared once, checked, documented and parsed from it.

A method declares ``size: int = parameter(default=5, low=1, unit="px", help="…")``.
From that one line come the default, the check when a detector is made, the
table of ``irbench methods show``, and the parsing of ``--param tophat.size=9``.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from irbench.errors import ParameterError, UnknownNameError

_METADATA_KEY = "irbench"


@dataclass(frozen=True, kw_only=True)
class ParameterSpec:
    """What is known of one parameter beside its value.

    Attributes
    ----------
    name : str
    type : type
        The annotated type: ``int``, ``float``, ``bool``, ``str``, a tuple of one
        of these, or an optional one.
    default : object
    low, high : float or None
        Closed bounds; for tuples they hold for every entry.
    odd : bool
        Only odd values.
    choices : tuple or None
        The accepted values.
    unit : str
    help : str
    """

    name: str
    type: Any
    default: Any
    low: float | None
    high: float | None
    odd: bool
    choices: tuple[Any, ...] | None
    unit: str
    help: str

    @property
    def range(self) -> str:
        """The accepted values in words."""
        if self.choices is not None:
            return ", ".join(str(choice) for choice in self.choices)
        text = ""
        if self.low is not None and self.high is not None:
            text = f"{self.low:g} to {self.high:g}"
        elif self.low is not None:
            text = f"at least {self.low:g}"
        elif self.high is not None:
            text = f"at most {self.high:g}"
        return f"{text}, odd".lstrip(", ") if self.odd else text


def parameter(
    *,
    default: Any,
    low: float | None = None,
    high: float | None = None,
    odd: bool = False,
    choices: tuple[Any, ...] | None = None,
    unit: str = "",
    help: str = "",
) -> Any:
    """Declare a parameter of a :class:`irbench.Detector`.

    Parameters
    ----------
    default : int, float, bool, str, tuple or None
        The published default.
    low, high : float, optional
        Closed bounds; for tuples they hold for every entry.
    odd : bool
        Accept odd values only.
    choices : tuple, optional
        The accepted values.
    unit : str
        Such as ``"px"`` or ``"grey levels"``.
    help : str
        One line, shown by ``irbench methods show``.

    Returns
    -------
    dataclasses.Field
    """
    metadata = {
        "low": low,
        "high": high,
        "odd": odd,
        "choices": choices,
        "unit": unit,
        "help": help,
    }
    return dataclasses.field(default=default, metadata={_METADATA_KEY: metadata})


def parameter_specs(owner: Any) -> dict[str, ParameterSpec]:
    """The parameters that a detector, or a class of detectors, declares.

    Parameters
    ----------
    owner : Detector or type[Detector]

    Returns
    -------
    dict of str to ParameterSpec
        In order of declaration.
    """
    cls = owner if isinstance(owner, type) else type(owner)
    hints = typing.get_type_hints(cls)
    specs = {}
    for field in dataclasses.fields(cls):
        metadata = field.metadata.get(_METADATA_KEY)
        if metadata is not None:
            specs[field.name] = ParameterSpec(
                name=field.name, type=hints[field.name], default=field.default, **metadata
            )
    return specs


def validate_parameters(owner: Any) -> None:
    """Check every declared parameter of a detector against its type and range.

    Numbers are brought to the annotated type where that loses nothing
    (``5.0`` for an ``int``, a list for a ``tuple``).

    Raises
    ------
    ParameterError
        Naming the method, the parameter, what is accepted and what came.
    """
    for name, spec in parameter_specs(owner).items():
        value = _coerce(owner, spec, getattr(owner, name))
        for entry in value if isinstance(value, tuple) else (value,):
            if entry is not None:
                _check_range(owner, spec, entry)
        object.__setattr__(owner, name, value)


def parse_parameters(cls: type, texts: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the text of ``--param METHOD.NAME=TEXT`` into values.

    Parameters
    ----------
    cls : type[Detector]
    texts : mapping of str to object
        Parameter name to text. Tuples are separated by commas; ``none`` is None. What is no text
        is a value already, and is checked when the detector is made.

    Returns
    -------
    dict of str to object

    Raises
    ------
    UnknownNameError
        For a parameter that the method does not have.
    ParameterError
        For a text that is not of the parameter's type.
    """
    specs = parameter_specs(cls)
    values = {}
    for name, text in texts.items():
        if name not in specs:
            raise UnknownNameError(f"parameter of {_title(cls)}", name, specs)
        values[name] = _parse(cls, specs[name], text) if isinstance(text, str) else text
    return values


def _title(owner: Any) -> str:
    info = getattr(owner, "info", None)
    return info.name if info is not None else getattr(owner, "__name__", type(owner).__name__)


def _entry_type(annotation: Any) -> tuple[Any, bool, bool]:
    """The scalar type of an annotation, whether it is a tuple, whether it may be None."""
    optional = False
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [m for m in typing.get_args(annotation) if m is not type(None)]
        optional = len(members) < len(typing.get_args(annotation))
        annotation = members[0]
    if typing.get_origin(annotation) is typing.Literal:
        return type(typing.get_args(annotation)[0]), False, optional
    if typing.get_origin(annotation) is tuple:
        return typing.get_args(annotation)[0], True, optional
    return annotation, False, optional


def _coerce(owner: Any, spec: ParameterSpec, value: Any) -> Any:
    scalar, is_tuple, optional = _entry_type(spec.type)
    if value is None and optional:
        return None
    if is_tuple:
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise _type_error(owner, spec, value)
        return tuple(_coerce_scalar(owner, spec, scalar, entry) for entry in value)
    return _coerce_scalar(owner, spec, scalar, value)


def _coerce_scalar(owner: Any, spec: ParameterSpec, scalar: Any, value: Any) -> Any:
    if scalar is bool or isinstance(value, bool):
        if scalar is bool and isinstance(value, bool):
            return value
        raise _type_error(owner, spec, value)
    if scalar is str:
        if isinstance(value, str):
            return value
        raise _type_error(owner, spec, value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise _type_error(owner, spec, value) from None
    if isinstance(value, str) or not math.isfinite(number):
        raise _type_error(owner, spec, value)
    if scalar is int:
        if number != int(number):
            raise _type_error(owner, spec, value)
        return int(number)
    return number


def _check_range(owner: Any, spec: ParameterSpec, value: Any) -> None:
    bad = spec.choices is not None and value not in spec.choices
    if not isinstance(value, str | bool):
        bad = bad or (spec.low is not None and value < spec.low)
        bad = bad or (spec.high is not None and value > spec.high)
        bad = bad or (spec.odd and value % 2 != 1)
    if bad:
        unit = f" {spec.unit}" if spec.unit else ""
        raise ParameterError(
            f"{_title(owner)}.{spec.name} must be {spec.range}{unit}, got {value!r}."
        )


def _type_error(owner: Any, spec: ParameterSpec, value: Any) -> ParameterError:
    expected = spec.type.__name__ if isinstance(spec.type, type) else str(spec.type)
    return ParameterError(f"{_title(owner)}.{spec.name} must be of type {expected}, got {value!r}.")


def _parse(cls: type, spec: ParameterSpec, text: str) -> Any:
    scalar, is_tuple, optional = _entry_type(spec.type)
    if optional and text.strip().lower() == "none":
        return None
    if is_tuple:
        parts = [part for part in text.strip("()[] ").split(",") if part.strip()]
        return tuple(_parse_scalar(cls, spec, scalar, part.strip()) for part in parts)
    return _parse_scalar(cls, spec, scalar, text.strip())


def _parse_scalar(cls: type, spec: ParameterSpec, scalar: Any, text: str) -> Any:
    if scalar is str:
        return text
    if scalar is bool:
        lowered = text.lower()
        if lowered in ("true", "yes", "on", "1"):
            return True
        if lowered in ("false", "no", "off", "0"):
            return False
        raise _type_error(cls, spec, text)
    try:
        return scalar(text)
    except ValueError:
        raise _type_error(cls, spec, text) from None
