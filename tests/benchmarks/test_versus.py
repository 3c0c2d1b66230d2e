"""The comparison of two checkouts: whose code runs, and what its tables say."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A checkout of another irbench, with a method of its own and a folder beside the package."""
    root = tmp_path / "other"
    for folder in ("irbench", "methods"):
        (root / folder).mkdir(parents=True)
    (root / "irbench" / "__init__.py").write_text("")
    (root / "irbench" / "__main__.py").write_text(
        "import sys\nfrom importlib.metadata import entry_points\n"
        "found, = entry_points(group='irbench.methods')\n"
        "sys.exit(f'{found.load().NAME} {sys.argv[1]}')\n"
    )
    (root / "methods" / "__init__.py").write_text("NAME = 'theirs'\n")
    (root / "pyproject.toml").write_text(
        "[project]\nname = 'irbench'\nversion = '9'\n"
        "[project.entry-points.'irbench.methods']\nbuiltin = 'irbench.methods'\n"
        "[tool.setuptools.package-dir]\n'irbench.methods' = 'methods'\n"
    )
    return root


def test_a_checkout_runs_its_own_code(module: Any, other: Path, tmp_path: Path) -> None:
    checkout = module("_checkouts").Checkout("the other", other, tmp_path / "links")
    # It says whose it is by failing, so that what was written last is seen too.
    with pytest.raises(SystemExit, match="the other failed: -m irbench hello\ntheirs hello"):
        checkout.irbench("hello")
    used = checkout.run("-c", "sum(range(10**6))")
    assert 0 < used.processor_s < 60
    assert used.clock_s > 0


def test_what_is_no_checkout_is_refused(module: Any, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no checkout of irbench: it has no irbench/__init__.py"):
        module("_checkouts").Checkout("x", tmp_path, tmp_path / "links")


def test_lines_have_the_ratios_of_neighbouring_turns(module: Any) -> None:
    pieces, versus = module("_versus_pieces"), module("versus")
    seconds = {"new": iter([9.0, 1.0, 3.0, 2.0]), "old": iter([1.0, 2.0, 4.0, 8.0])}

    class Fake(pieces.Piece):  # type: ignore[misc, name-defined]
        name = "fake"

        def turn(self, checkout: Any, material: Any) -> Any:
            taken = next(seconds[checkout])
            return pieces.Round({"part": pieces.Took(taken, 2 * taken)}, found=checkout)

    (line,) = versus.compare(Fake(), "new", "old", None, 3)
    # The first turn is not counted; the ratios are 1/2, 3/4 and 2/8.
    middle = "0.50 (0.25 to 0.75)"
    assert line == f"| part | 2 s | 4 s | {middle} | {middle} | DIFFERENT |"


def test_rows_are_the_same_but_for_what_times_say(module: Any) -> None:
    run = module("_versus_pieces").WholeRun()
    old = {2: {"tophat": {"f1": 0.5, "fps": 3.0, "state": "done"}}}
    assert run.difference({2: {"tophat": {"f1": 0.5, "fps": 9.0, "state": "done"}}}, old) == (
        "same rows"
    )
    rounded = {2: {"tophat": {"f1": 0.5 + 1e-12, "state": "done", "later": 1}}}
    assert run.difference(rounded, old) == "rows within 2e-12"
    failed = {2: {"tophat": {"f1": None, "state": "failed"}}}
    assert run.difference(failed, old) == "DIFFERENT: f1, state"


def test_unknown_pieces_are_refused(
    module: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["versus.py", str(ROOT), "--only", "run,speed"])
    with pytest.raises(SystemExit):
        module("versus").main()
    assert "got speed" in capsys.readouterr().err
