"""The extras of the package: whether what an extra brings is installed; imports none of it."""

from __future__ import annotations

import importlib.util

from irbench.errors import MissingLibraryError

DEEP = ("torch", "safetensors")
"""What every network needs, of the extra ``deep``."""


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
        Such as ``"deep"``.
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
    require_packages(who, "deep", *DEEP)
