"""Python files and packages of others: imported, looked through, and what was wrong with them."""

from __future__ import annotations

import hashlib
import importlib
import importlib.machinery
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

from irbench.errors import UsageError
from irbench.messages.external_text import error_text

_PLUGIN_MODULE = "irbench_plugin_"
"""How the names of plug-in files begin as modules."""

RAISED = (Exception, SystemExit)
"""What a plug-in may raise when it is imported or looked at: anything, and a script ends itself."""


@dataclass(frozen=True)
class Failure:
    """A plug-in that could not be used, and why."""

    source: str
    reason: str


class _SourceLoader(importlib.machinery.SourceFileLoader):
    """Compiles the file as it is, and leaves nothing beside it.

    Kept bytecode is matched with its source by size and by seconds: after two edits within one
    second the older of them would run, under the code version of the newer.
    """

    def get_code(self, fullname: str) -> CodeType | None:
        """The code of the file, never that of ``__pycache__``."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def plugin_module(path: Path) -> ModuleType:
    """Import a plug-in file, once.

    Parameters
    ----------
    path : Path
        Absolute.

    Raises
    ------
    UsageError
        If it is missing, or fails to import.
    """
    if not path.is_file():
        raise UsageError(f"--plugin must name a Python file, got {path}, which is no file.")
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    name = f"{_PLUGIN_MODULE}{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    loader = _SourceLoader(name, str(path)) if path.suffix == ".py" else None
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None or spec.loader is None:
        raise UsageError(f"--plugin must name a Python file (*.py), got {path}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except RAISED as error:
        del sys.modules[name]
        raise UsageError(f"the plug-in {path} fails to import: {reason_of(error)}.") from error
    return module


def plugin_files() -> list[str]:
    """The plug-in files that were loaded, for processes that are to load them too."""
    found = (module for name, module in sys.modules.items() if name.startswith(_PLUGIN_MODULE))
    return [str(module.__file__) for module in found]


def modules_of(package: ModuleType, failures: list[Failure]) -> Iterator[ModuleType]:
    """The module itself and, for a package, all public modules below it.

    Parameters
    ----------
    package : module
    failures : list of Failure
        What fails to import is appended.
    """
    yield package
    for entry in pkgutil.iter_modules(getattr(package, "__path__", [])):
        if entry.name.startswith("_"):
            continue
        name = f"{package.__name__}.{entry.name}"
        try:
            module = importlib.import_module(name)
        except RAISED as error:
            failures.append(Failure(name, reason_of(error)))
            continue
        yield from modules_of(module, failures)


def reason_of(error: BaseException) -> str:
    """Kind and message of an error, without a full stop."""
    return error_text(error).removesuffix(".")
