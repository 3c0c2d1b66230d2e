"""The version of a method's code: a hash over everything of ours that it runs."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

# A method runs code of its own group and of these packages; the rest of the engine
# has versions of its own (conversion, protocol).
_SHARED_PACKAGES = ("irbench.filters", "irbench.methods", "irbench.networks")


def code_version(cls: type) -> str:
    """Hash the source of a method's module and of the methods' modules it imports.

    Comments and blank lines do not count: the hash is over the syntax tree.

    Parameters
    ----------
    cls : type[Detector]

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    seen: dict[str, Path] = {}
    own = Path(inspect.getfile(cls))
    pending = [(cls.__module__, own)]
    while pending:
        name, path = pending.pop()
        if name in seen:
            continue
        seen[name] = path
        pending.extend(_imports(name, path))
    for name in sorted(seen):
        digest.update(ast.dump(_without_docstrings(seen[name])).encode())
    return digest.hexdigest()[:16]


def _without_docstrings(path: Path) -> ast.Module:
    tree = ast.parse(path.read_bytes(), str(path))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
            and isinstance(node.body[0].value, ast.Constant)
        ):
            node.body = node.body[1:]
    return tree


def _imports(module: str, path: Path) -> Iterator[tuple[str, Path]]:
    """The modules of ours that a module imports, at its top or inside a function."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level and package:
                base = importlib.util.resolve_name("." * node.level + base, package)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.startswith(_SHARED_PACKAGES) and (found := _source(name)) is not None:
                yield name, found


def _source(name: str) -> Path | None:
    module = sys.modules.get(name)
    origin: str | None
    if module is not None:
        origin = getattr(module, "__file__", None)
    else:
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            return None
        origin = None if spec is None else spec.origin
    return Path(origin) if origin and origin.endswith(".py") else None
