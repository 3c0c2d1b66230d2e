"""The files that the pages print work as they stand there; the notebook executes."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import irbench
from irbench.testing import check_detector

from .conftest import CommandLine

DOCS = Path(__file__).parents[2] / "docs"


def file_of(page, name):
    """The block whose first line is ``# name``."""
    (block,) = re.findall(rf"```python\n(# {name}\n.*?)```", (DOCS / page).read_text(), re.S)
    return block


def load(path, monkeypatch):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ring(tmp_path):
    (tmp_path / "ring.py").write_text(file_of("add-your-method.md", "ring.py"))
    return tmp_path / "ring.py"


def test_the_method_keeps_the_contract(ring, monkeypatch):
    check_detector(load(ring, monkeypatch).Ring())


def test_the_method_is_a_centre_against_its_ring(ring, monkeypatch):
    detector = load(ring, monkeypatch).Ring(inner=1, outer=3)
    image = np.random.default_rng(0).integers(0, 256, (9, 9)).astype(np.uint8)
    around = image[3:6, 3:6].sum(dtype=float) - image[4, 4]
    expected = max(image[4, 4] - around / 8, 0)
    assert detector.score_map(image)[4, 4] == pytest.approx(expected)


def test_the_commands_of_the_page_run(ring, small_dataset):
    (block,) = re.findall(
        r"```\n(irbench methods show ring.*?)```", (DOCS / "add-your-method.md").read_text(), re.S
    )
    rng = np.random.default_rng(1)
    cv2.imwrite(str(ring.parent / "frame.png"), rng.integers(0, 99, (40, 50), dtype=np.uint8))
    command = CommandLine(ring.parent)
    for line in block.strip().splitlines():
        words = shlex.split(line)[1:]
        words = [str(small_dataset) if word == "synth" else word for word in words]
        if words[0] == "run":
            words += ["--timing-images", "0", "--jobs", "1"]
        if words[0] == "run" and "--out" not in words:
            words += ["--out", "run"]
        command.within(*words)
    assert {row["method"] for row in command.results("run")["rows"]} == {"ring", "tophat"}
    (wider,) = command.results("runs/wider")["rows"]
    assert wider["method_params"] == {"inner": 3, "outer": 15}
    (ring.parent / "typst.py").write_text(file_of("add-your-method.md", r"typst\.py"))
    command.within(
        "report", "run", "--format", "typst", "--plugin", "typst.py", "--columns", "f1,fa"
    )
    cells = re.findall(r"\[(.*?)\]", (ring.parent / "run" / "tables" / "table.typ").read_text())
    rows = {row["title"]: row for row in command.results("run")["rows"]}
    assert cells[:3] == ["Method", "F1", "Fa"]
    assert len(cells) == 9
    for title, f1, fa in (cells[3:6], cells[6:9]):
        assert f1 == f"{100 * rows[title]['f1']:.2f}"
        assert fa == f"{1e6 * rows[title]['fa']:.2f}"


def test_maps_of_another_program_are_those_of_their_images(tmp_path, monkeypatch):
    (tmp_path / "theirs.py").write_text(file_of("add-your-method.md", r"theirs\.py"))
    rng = np.random.default_rng(2)
    for folder in ("data/images", "data/masks", "maps"):
        (tmp_path / folder).mkdir(parents=True)
    for name in "ab":
        image = rng.integers(0, 2**14, (24, 30), dtype=np.uint16)
        cv2.imwrite(str(tmp_path / "data" / "images" / f"{name}.png"), image)
        cv2.imwrite(str(tmp_path / "data" / "masks" / f"{name}.png"), np.zeros((24, 30), np.uint8))
        np.save(tmp_path / "maps" / f"{name}.npy", rng.random((24, 30)))
    data, maps = str(tmp_path / "data"), str(tmp_path / "maps")
    detector = load(tmp_path / "theirs.py", monkeypatch).Theirs(maps=maps, dataset=data)
    for sample in irbench.load_dataset(data):
        expected = np.load(tmp_path / "maps" / f"{sample.id}.npy")
        np.testing.assert_array_equal(detector.score_map(sample.image), expected)


def test_the_camera_maps_its_range(tmp_path, monkeypatch):
    (tmp_path / "camera.py").write_text(file_of("add-your-data.md", "camera.py"))
    for name in ("images", "masks"):
        (tmp_path / "my_images" / name).mkdir(parents=True)
    image = np.array([[0, 16383], [8000, 5]], np.uint16)
    cv2.imwrite(str(tmp_path / "my_images/images/a.png"), image)
    cv2.imwrite(str(tmp_path / "my_images/masks/a.png"), np.array([[0, 255], [0, 0]], np.uint8))
    monkeypatch.chdir(tmp_path)
    sample = load(tmp_path / "camera.py", monkeypatch).Camera()[0]
    np.testing.assert_array_equal(sample.image, image)
    assert sample.value_range == (0, 16383)
    done = CommandLine(tmp_path)("data", "stats", "camera", "--plugin", "camera.py")
    assert "1" in done.stdout


def test_the_camera_has_splits(tmp_path, small_dataset):
    (tmp_path / "camera.py").write_text(file_of("add-your-data.md", "camera.py"))
    shutil.copytree(small_dataset, tmp_path / "my_images")
    for path in (tmp_path / "my_images/images").iterdir():
        cv2.imwrite(str(path), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.uint16) * 64)
    command = CommandLine(tmp_path, inside=True)
    plugin = ("--plugin", "camera.py")
    command.within(
        "run", "--methods", "tophat", "--dataset", "camera", *plugin, "--out", "run",
        "--timing-images", "0", "--jobs", "1",
    )  # fmt: skip
    (row,) = command.results()["rows"]
    assert (row["state"], row["calibration"], row["n_images"]) == ("done", "validation", 14)
    command.within("data", "export", "camera", "out", "--format", "yolo", *plugin)
    assert len(list((tmp_path / "out/images/val").iterdir())) == 12


# The pipes of Jupyter's kernel are closed by the garbage collector.
@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_the_notebook_executes_and_is_kept_executed(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    for name in ("PATH", "TERM", "NO_COLOR"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    kept = nbformat.read(DOCS / "notebook.ipynb", as_version=4)
    executed = load(DOCS / "execute_notebook.py", monkeypatch).execute(
        DOCS / "notebook.ipynb", tmp_path
    )
    for before, now in zip(kept.cells, executed.cells, strict=True):
        if "run.results" in before.source or "run.detections" in before.source:
            assert text_of(before) == text_of(now)
    assert (DOCS / "notebook.ipynb").stat().st_size < 1_000_000


def text_of(cell):
    return [o.get("data", {}).get("text/plain") for o in cell.get("outputs", [])]


def test_the_gallery_is_what_its_script_makes(tmp_path, monkeypatch):
    gallery = load(DOCS / "make_gallery.py", monkeypatch)
    monkeypatch.setattr(
        sys, "argv", ["make_gallery.py", "--out", str(tmp_path), "--methods", "tophat,mpcm"]
    )
    gallery.main()
    for name in ("image", "tophat", "mpcm"):
        made, kept = (cv2.imread(str(f / f"{name}.png")) for f in (tmp_path, DOCS / "gallery"))
        assert np.abs(made.astype(int) - kept).max() <= 4  # one of 64 grey levels
    # A method without a picture is none the worse: what is shown is there, and the other way round.
    shown = set(re.findall(r"gallery/([\w-]+)\.png", (DOCS / "methods.md").read_text()))
    assert shown == {file.stem for file in (DOCS / "gallery").glob("*.png")}
    assert shown <= {"image", *gallery.score_map_methods()}
    for name in shown:
        assert (DOCS / "gallery" / f"{name}.png").stat().st_size < 50_000
