"""The benchmark of the classical methods: its floors, its arithmetic and its tables."""

from __future__ import annotations

import importlib
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from irbench.plugins.registry import load_method

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

FILTERS = ["tophat", "newtophat", "maxmedian", "lcm", "mpcm", "rlcm", "tllcm", "wslcm"]
OTHERS = ["fkrw", "gswlcm", "ipi", "ipi-fast", "ript", "pstnn", "nolc", "nram", "srws", "ntfra"]
CONTRASTS = ["aagd", "admd", "hbmlcm", "vardiff", "ttldm", "lig", "wldm"]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.fixture
def image() -> NDArray[np.float64]:
    """Smooth ground, noise and a spot; never black."""
    generator = np.random.default_rng(7)
    image = 80 + 10 * np.sin(np.arange(96) / 9) + generator.normal(0, 2, (96, 96))
    image[46:49, 50:53] += 60
    return image


@pytest.mark.parametrize("name", [*FILTERS, *CONTRASTS])
def test_floor_of_a_filter_does_the_work(
    name: str, module: Any, image: NDArray[np.float64]
) -> None:
    method: Any = load_method(name)
    floor = module("_floors").FLOORS[name].build(method, image.copy())
    expected = method.compute(image.copy())
    # Twice: the memory of the first run must not show in the second.
    floor.run()
    inside = np.s_[36:-36, 36:-36]
    np.testing.assert_allclose(floor.run()[inside], expected[inside], rtol=1e-9, atol=1e-9)
    assert np.ptp(expected[inside]) > 0


@pytest.mark.parametrize("name", OTHERS)
def test_other_floors_run(name: str, module: Any, image: NDArray[np.float64]) -> None:
    method: Any = load_method(name)
    floor = module("_floors").FLOORS[name].build(method, image[:64, :64].copy())
    floor.run()
    assert floor.count is not None
    assert floor.count > 0
    assert floor.unit in ("candidates", "iterations")


def test_iterations_are_those_of_the_method(module: Any, image: NDArray[np.float64]) -> None:
    for name in ("ipi", "ipi-fast"):
        method: Any = load_method(name)
        floor = module("_floors").FLOORS[name].build(method, image.copy())
        assert floor.count == method.decompose(image.copy()).parts.iterations
    for name in ("ript", "pstnn", "nolc", "nram", "srws", "ntfra"):
        method = load_method(name)
        floor = module("_floors").FLOORS[name].build(method, image.copy())
        assert floor.count == method.decompose(image.copy()).n_iterations


def test_every_floor_is_that_of_a_method(module: Any) -> None:
    # Not the other way round: a method without a floor is measured without one.
    methods = module("classical").classical_methods(None)
    assert set(module("_floors").FLOORS) <= {method.info.name for method in methods}


def test_exponent_of_a_power_law(module: Any) -> None:
    timing = module("_timing")
    sizes = [128**2, 256**2, 1024**2]
    assert timing.exponent(sizes, [3e-6 * size**1.7 for size in sizes]) == pytest.approx(1.7)
    assert timing.exponent(sizes[:1], [1.0]) is None


def test_prediction_grows_at_least_linearly(module: Any) -> None:
    predicted = module("_timing").predicted
    assert predicted([], [], 100) == 0.0
    assert predicted([100], [2.0], 400) == pytest.approx(8.0)
    assert predicted([100, 200], [2.0, 8.0], 400) == pytest.approx(32.0)
    assert predicted([100, 200], [2.0, 2.0], 400) == pytest.approx(4.0)


def test_functions_are_timed_in_turn(module: Any) -> None:
    calls: list[str] = []
    pairs = module("_timing").in_turn(
        lambda: calls.append("a"), lambda: calls.append("b"), lambda seconds: 3
    )
    assert "".join(calls) == "ab" + "ababab"
    assert len(pairs) == 3


def test_repeats_keep_to_the_budget(module: Any) -> None:
    calls: list[int] = []
    repeated = module("_timing").repeated
    assert len(repeated(lambda: calls.append(1), n_most=5, budget_s=60.0)) == 5
    assert len(calls) == 6
    # A budget that the warm-up uses up: it is the measurement.
    assert len(repeated(lambda: calls.append(1), n_most=5, budget_s=0.0)) == 1
    assert len(calls) == 7


def test_image_of_each_size_begins_with_the_same_scene(module: Any) -> None:
    benchmark_image = module("_images").benchmark_image
    whole = benchmark_image(0, 256)
    np.testing.assert_array_equal(benchmark_image(0, 128), whole[:128, :128])
    np.testing.assert_array_equal(benchmark_image(0, 300)[:256, :256], whole)
    assert benchmark_image(0, 300).shape == (300, 300)
    assert not np.array_equal(benchmark_image(1, 256), whole)


def test_aims(module: Any) -> None:
    aims = module("_aims")
    assert aims.aim_of(load_method("wslcm")).limit == 240
    assert aims.aim_of(load_method("tllcm")).limit == 60
    assert aims.aim_of(load_method("gswlcm")) is None
    ratio = aims.aim_of(load_method("tophat"))
    assert ratio.met(ms=1e6, ratio=1.5)
    assert not ratio.met(ms=0.1, ratio=1.51)
    assert ratio.met(ms=0.1, ratio=None) is None


def test_tables_replace_what_stands_between_the_markers(module: Any, tmp_path: Path) -> None:
    tables = module("_tables")
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n")
    tables.write_into(readme, "new\n")
    tables.write_into(readme, "newer\n")
    assert readme.read_text() == f"before\n{tables.BEGIN}\n\nnewer\n\n{tables.END}\nafter\n"
    readme.write_text("no markers")
    with pytest.raises(ValueError, match="must hold the lines"):
        tables.write_into(readme, "new")
    ours = (BENCHMARKS / "README.md").read_text()
    assert tables.BEGIN in ours
    assert tables.END in ours


@pytest.mark.slow
def test_script_measures_and_writes(tmp_path: Path) -> None:
    out = tmp_path / "times.json"
    script = [sys.executable, str(BENCHMARKS / "classical.py")]
    chosen = ["--methods", "tophat,lcm", "--sizes", "64,128", "--out", str(out)]
    done = subprocess.run([*script, *chosen], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    methods = json.loads(out.read_text())["methods"]
    assert list(methods) == ["tophat", "lcm"]
    comparison, scaling = methods["tophat"]["comparison"], methods["tophat"]["scaling"]
    assert comparison["n_runs"] >= 5
    assert comparison["ratio"]["median"] > 0
    assert comparison["met"] in (True, False)
    assert math.isfinite(scaling["exponent"])
    # An interpreter with NumPy and OpenCV, and an image of 8 MB.
    assert scaling["peak_bytes"] is None or 2e7 < scaling["peak_bytes"] < 1e9
    assert "| tophat |" in done.stdout


def test_script_names_an_unknown_method() -> None:
    script = [sys.executable, str(BENCHMARKS / "classical.py"), "--methods", "tophatt"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Did you mean tophat" in done.stderr
