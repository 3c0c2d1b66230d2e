"""Whether what networks and the extras need is installed; imports none of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from irbench.errors import MissingLibraryError

DEEP = ("torch", "safetensors")
"""What every network needs; missing only where irbench was installed without its dependencies."""


def missing_packages(*packages: str) -> list[str]:
    """Those that are not installed, by the names that they are imported by."""
    return [name for name in packages if importlib.util.find_spec(name) is None]


def install_command(extra: str) -> str:
    """How an extra is installed."""
    return f'pip install "irbench[{extra}]"'


def require_packages(who: str, extra: str, *packages: str, hint: str = "") -> None:
    """Refuse to begin where packages of an extra are missing.

    Parameters
    ----------
    who : str
        What needs them, as the error begins.
    extra : str
        Such as ``"onnx"``.
    *packages : str
        By the names that they are imported by.
    hint : str
        What else can be done; it ends the error.

    Raises
    ------
    MissingLibraryError
        Naming them and how to install them.
    """
    if missing := missing_packages(*packages):
        names = " and ".join(missing)
        raise MissingLibraryError(f"{who} needs {names}: {install_command(extra)}{hint}")


def needs(missing: Sequence[str]) -> str:
    """What is missing and how it is installed.

    Examples
    --------
    >>> needs(["torch", "safetensors"])
    'needs torch and safetensors: pip install torch safetensors'
    """
    return f"needs {' and '.join(missing)}: pip install {' '.join(missing)}"


def require_deep(who: str) -> None:
    """Refuse to begin where a library that every network needs is missing.

    Parameters
    ----------
    who : str
        The method that needs it.

    Raises
    ------
    MissingLibraryError
    """
    if missing := missing_packages(*DEEP):
        raise MissingLibraryError(f"{who} {needs(missing)}")
