"""What the export to ONNX needs installed; imports none of it."""

from __future__ import annotations

import importlib.util

from irbench.errors import UsageError


def require(*packages: str) -> None:
    """Refuse to begin where packages of the extra ``onnx`` are missing.

    Parameters
    ----------
    *packages : str
        Names as they are imported.

    Raises
    ------
    UsageError
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        hint = " Or write it unchecked: --no-check." if missing == ["onnxruntime"] else ""
        raise UsageError(
            f"the export to ONNX needs {', '.join(missing)}: pip install 'irbench[onnx]'.{hint}"
        )
