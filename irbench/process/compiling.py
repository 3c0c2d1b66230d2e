"""Functions that numba compiles at their first call.

Importing this module raises ImportError where numba is missing, or is set not to compile:
callers have another form of the same function then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

import numba
import platformdirs

if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
    # Interpreted, such loops are a hundred times slower than the other form.
    raise ImportError("numba is set not to compile (NUMBA_DISABLE_JIT)")

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile at the first call, and keep the result on disk where a folder can be written.

    It is kept in ``NUMBA_CACHE_DIR``, else in the user's cache. Beside the module, where numba
    keeps it by default, it would outlive an uninstallation: Python takes the folder that stays
    for a package without content, and finds no other irbench, such as an editable one.

    A division by 0 is that of NumPy: to look out for an error takes as long as the division.
    """
    compile_it = partial(numba.njit, nogil=True, error_model="numpy")
    config: Any = numba.config
    given = config.CACHE_DIR
    config.CACHE_DIR = given or str(platformdirs.user_cache_path("irbench") / "compiled")
    try:
        return cast("_Function", compile_it(cache=True)(function))
    except RuntimeError:  # no folder can be written
        return cast("_Function", compile_it()(function))
    finally:
        config.CACHE_DIR = given
