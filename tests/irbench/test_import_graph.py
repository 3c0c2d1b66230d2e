"""No package of irbench imports, when it is imported, one that imports it."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import irbench

ROOT = Path(irbench.__file__).parent


def module_name(file, root):
    parts = file.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_at_import_time(body):
    """The import statements that run when a module is imported."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        elif isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            yield from imports_at_import_time(statement.orelse)
        else:
            for part in ("body", "orelse", "finalbody", "handlers"):
                yield from imports_at_import_time(getattr(statement, part, []))


def targets(statement, module, is_package):
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    base = statement.module or ""
    if statement.level:
        parts = module.split(".")
        up = statement.level - is_package
        parts = parts[: len(parts) - up]
        base = ".".join([*parts, base] if base else parts)
    return [base, *(f"{base}.{alias.name}" for alias in statement.names)]


def package_graph(root):
    """Package to the packages that it imports; a module right under the root is its own."""
    files = {module_name(file, root): file for file in root.rglob("*.py")}
    packages = {name for name, file in files.items() if file.name == "__init__.py"} - {root.name}

    def package(module):
        return module if module in packages else module.rpartition(".")[0]

    graph = {}
    for module, file in files.items():
        own = package(module)
        if own == root.name:
            own = module
        for statement in imports_at_import_time(ast.parse(file.read_text()).body):
            for target in targets(statement, module, file.name == "__init__.py"):
                if target not in files or target == root.name:
                    continue
                other = package(target)
                other = target if other == root.name else other
                if other != own:
                    graph.setdefault(own, set()).add(other)
    return graph


def check(graph):
    list(TopologicalSorter(graph).static_order())


def test_no_package_cycle():
    graph = package_graph(ROOT)
    assert "irbench.engine.storage" in graph["irbench.engine.run"]
    check(graph)


def test_the_page_of_the_code_names_every_room():
    rooms = {
        f"`{file.parent.relative_to(ROOT)}`": ast.get_docstring(ast.parse(file.read_text()))
        for file in ROOT.rglob("__init__.py")
        if file.parent != ROOT
    }
    page = (Path(__file__).parents[2] / "docs" / "code.md").read_text()
    rows = dict(re.findall(r"^\| (`[^ ]+`) \| (.+) \|$", page, re.M))
    assert rows == {
        name: text.splitlines()[0].rstrip(".").replace("``", "`") for name, text in rooms.items()
    }
    modules = {file.stem for file in ROOT.glob("*.py")} - {"__init__", "__main__"}
    assert modules <= set(re.findall(r"`(\w+)`", page))


def test_a_cycle_is_found(tmp_path):
    root = tmp_path / "irbench"
    for name, text in {
        "a": "from irbench.b import two",
        "b": "if True:\n    from ..a import one",
    }.items():
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text("")
        (root / name / f"{'one' if name == 'a' else 'two'}.py").write_text(text)
    (root / "__init__.py").write_text("")
    with pytest.raises(CycleError):
        check(package_graph(root))


def test_imports_inside_functions_and_for_types_do_not_count(tmp_path):
    root = tmp_path / "irbench"
    late = "def later():\n    import irbench.b\n"
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import irbench.a\n"
    for name, text in {"a": late, "b": typed}.items():
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text(text)
    (root / "__init__.py").write_text("")
    assert package_graph(root) == {}
