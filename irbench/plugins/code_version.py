"""The version of a plug-in's code: a hash over all that it runs and that has no version itself."""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from pathlib import Path

from irbench.plugins.imported_code import (
    Definition,
    ImportedCode,
    file_stamp,
    imported_code,
    syntax_of,
)


def code_version(defined: Definition, code: ImportedCode | None = None) -> str:
    """Hash the source of a plug-in's module and of the modules without a version it imports.

    Comments, docstrings and blank lines do not count: the hash is over the syntax tree.

    Parameters
    ----------
    defined : type or function
        The class of a method, or the function of a counting.
    code : ImportedCode, optional
        Of the same, where it is known already; see
        :func:`irbench.plugins.imported_code.imported_code`.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    files = (imported_code(defined) if code is None else code).files
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(_content(files[name], file_stamp(files[name])))
    return digest.hexdigest()[:16]


@lru_cache(maxsize=1024)
def _content(path: Path, stamp: tuple[int, int]) -> bytes:
    tree = _without_docstrings(path)
    return path.read_bytes() if tree is None else ast.dump(tree).encode(errors="backslashreplace")


def _without_docstrings(path: Path) -> ast.Module | None:
    tree = syntax_of(path)
    for node in () if tree is None else ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
            and isinstance(node.body[0].value, ast.Constant)
        ):
            node.body = node.body[1:]
    return tree
