"""What networks need installed, and is not always; imports none of it."""

from __future__ import annotations

import importlib.util

from irbench.errors import MissingLibraryError

LIBRARIES = ("torch", "safetensors")
INSTALL = 'pip install "irbench[deep]"'


def missing_libraries() -> list[str]:
    """Those of :data:`LIBRARIES` that are not installed."""
    return [name for name in LIBRARIES if importlib.util.find_spec(name) is None]


def require_libraries(who: str) -> None:
    """Refuse to begin where a library of the extra ``deep`` is missing.

    Parameters
    ----------
    who : str
        The method that needs it.

    Raises
    ------
    MissingLibraryError
    """
    if missing := missing_libraries():
        raise MissingLibraryError(f"{who} needs {' and '.join(missing)}: {INSTALL}")
