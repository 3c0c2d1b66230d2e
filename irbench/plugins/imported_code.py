"""The code that a plug-in runs: the modules that its own one imports, however deep."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from types import FunctionType

_ENGINE = "irbench"

# A method of irbench runs code of its own group and of these packages; the rest of the engine
# has versions of its own (conversion, protocol).
_SHARED_PACKAGES = ("irbench.filters", "irbench.methods", "irbench.networks")

Definition = type | FunctionType
"""What a plug-in defines."""

_IMPORTERS = ("import_module", "__import__")


@dataclass
class ImportedCode:
    """What a plug-in runs beside the engine.

    Attributes
    ----------
    files : dict of str to Path
        By module, the plug-in's own one included: Python source, or a compiled module.
    packages : dict of str to str
        Version of each installed distribution that a module of ``files`` imports from, by
        name; of methods that ship with irbench none, since ``run.json`` has those versions.
    """

    files: dict[str, Path] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)


def imported_code(defined: Definition) -> ImportedCode:
    """Follow the imports of a plug-in's module, those inside its functions too.

    Nothing is imported for it, and nothing of what is found is executed. A module is followed
    unless it is Python's, the engine's, or of an installed distribution other than the
    plug-in's own: that one is known by its name and version. Imports whose name is put
    together while the program runs are not seen.

    Parameters
    ----------
    defined : type or function
        The class of a method, or the function of a counting.
    """
    own = Path(inspect.getfile(defined))
    found = ImportedCode()
    is_ours = _is_below(defined.__module__, _ENGINE)
    own_packages = set() if is_ours else set(_distributions(defined.__module__, own))
    pending = [(defined.__module__, own)]
    while pending:
        name, path = pending.pop()
        if name in found.files:
            continue
        found.files[name] = path
        for imported in _imports(name, path, file_stamp(path)):
            top = imported.partition(".")[0]
            if top == _ENGINE:
                if imported.startswith(_SHARED_PACKAGES) and (file := _engine_file(imported)):
                    pending.append((imported, file))
                continue
            if is_ours or top in sys.stdlib_module_names:
                continue
            located = _locate(imported)
            packages = _distributions(imported, next(iter(located.values()), None))
            if packages and not own_packages & packages.keys():
                found.packages.update(packages)
            else:
                pending.extend(located.items())
    return found


def syntax_of(path: Path) -> ast.Module | None:
    """The syntax tree of a source file; None for one that is compiled, or no valid Python."""
    if path.suffix != ".py":
        return None
    try:
        return ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError, RecursionError):
        # Nothing imports it with success.
        return None


def file_stamp(path: Path) -> tuple[int, int]:
    """Changes when a file does: what was made of its content may be kept as long as this."""
    facts = path.stat()
    return facts.st_mtime_ns, facts.st_size


@lru_cache(maxsize=1024)
def _imports(module: str, path: Path, stamp: tuple[int, int]) -> tuple[str, ...]:
    """The names that a module imports; some may be of things inside a module."""
    return tuple(dict.fromkeys(_imported_names(module, path)))


def _imported_names(module: str, path: Path) -> Iterator[str]:
    tree = syntax_of(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in () if tree is None else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level and package:
                base = _resolved(base, node.level, package)
            if base:
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and (name := _named_by_call(node)):
            yield name


def _resolved(base: str, level: int, package: str) -> str:
    try:
        return importlib.util.resolve_name("." * level + base, package)
    except ImportError:
        # Beyond the top of the package: it fails where it is executed.
        return ""


def _named_by_call(call: ast.Call) -> str:
    """The module that ``importlib.import_module("NAME")`` and the like import."""
    function = getattr(call.func, "attr", getattr(call.func, "id", ""))
    first = call.args[0] if call.args else None
    if function in _IMPORTERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value.lstrip(".")
    return ""


def _engine_file(name: str) -> Path | None:
    """The source file of a module of irbench; None where no module has this name."""
    spec = _engine_spec(name)
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def _engine_spec(name: str) -> ModuleSpec | None:
    # Not importlib.util.find_spec: it imports the parent, which of a thing inside a module is
    # that module, and with it perhaps torch.
    if name in sys.modules:
        return sys.modules[name].__spec__
    package = _engine_spec(name.rpartition(".")[0])
    if package is None or package.submodule_search_locations is None:
        return None
    return PathFinder.find_spec(name, list(package.submodule_search_locations))


def _locate(name: str) -> Mapping[str, Path]:
    """The files of a module and of the packages round it, which importing it executes too."""
    files: dict[str, Path] = {}
    parts = name.split(".")
    spec = _top_level_spec(parts[0])
    for end in range(1, len(parts) + 1):
        if spec is None:
            break
        if spec.has_location and spec.origin:
            files[".".join(parts[:end])] = Path(spec.origin)
        if end == len(parts) or spec.submodule_search_locations is None:
            break
        spec = PathFinder.find_spec(
            ".".join(parts[: end + 1]), list(spec.submodule_search_locations)
        )
    return files


def _top_level_spec(name: str) -> ModuleSpec | None:
    spec: ModuleSpec | None = getattr(sys.modules.get(name), "__spec__", None)
    if spec is not None:
        return spec
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None


def _distributions(module: str, file: Path | None) -> dict[str, str]:
    """Versions of the installed distributions that a module is of; none for a loose file.

    A file of the user's may have the name of an installed module that it hides.
    """
    found: dict[str, str] = {}
    for name in _by_module().get(module.partition(".")[0], ()):
        installed = distribution(name)
        folder = Path(str(installed.locate_file("")))
        if file is None or file.resolve().is_relative_to(folder.resolve()):
            found[installed.metadata["Name"]] = installed.version
    return found


@cache
def _by_module() -> Mapping[str, list[str]]:
    return packages_distributions()


def _is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
