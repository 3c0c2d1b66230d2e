"""Somebody else's predictions: a row like any other, or an error that says where."""

from __future__ import annotations

import json
import re
import shutil

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from irbench.cli.analyze import analyze
from irbench.cli.check import check
from irbench.cli.compare import compare
from irbench.cli.evaluate import evaluate
from irbench.cli.report import report
from irbench.cli.run import run as run_command
from irbench.errors import DetectionsError, IrbenchError, UsageError
from irbench.plugins.registry import catalogue

PLUGIN = """
from irbench import MethodInfo, ScoreMapDetector

class Mine(ScoreMapDetector):
    info = MethodInfo(name="mine", title="Mine", group="Mine", year=2026, reference="none")

    def compute(self, image):
        return image
"""

NAMES = [f"scene_{index}" for index in range(6)]
SHAPE = (32, 40)
PLACES = [(4, 5), (20, 25)]


def call(command, *arguments, status=0):
    answer = CliRunner().invoke(command, [*map(str, arguments)], standalone_mode=False)
    if answer.exception is not None:
        raise answer.exception
    assert (answer.return_value or 0) == status, answer.output
    return answer.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of six images with two targets each, and predictions that miss some."""
    root = tmp_path_factory.mktemp("external")
    for name in ("data/images", "data/masks", "masks", "texts"):
        (root / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    results = []
    for index, name in enumerate(NAMES):
        mask = np.zeros(SHAPE, np.uint8)
        for row, column in PLACES:
            mask[row : row + 4, column : column + 4] = 255
        image = rng.normal(80, 4, SHAPE) + 0.4 * mask
        cv2.imwrite(str(root / "data/images" / f"{name}.png"), image.clip(0, 255).astype(np.uint8))
        cv2.imwrite(str(root / "data/masks" / f"{name}.png"), mask)
        found = mask.copy()
        if index % 3 == 0:
            found[:16] = 0
        cv2.imwrite(str(root / "masks" / f"{name}.png"), found)
        lines = []
        for place, (row, column) in enumerate(PLACES[: 1 + index % 2]):
            score = 0.9 - 0.1 * index + 0.05 * place
            centre = (column + 2) / SHAPE[1], (row + 2) / SHAPE[0]
            sides = 4 / SHAPE[1], 4 / SHAPE[0]
            lines.append(" ".join(["0", *(f"{v:.6f}" for v in (*centre, *sides, score))]))
            box = [column, row, 4, 4]
            results.append({"image_id": name, "category_id": 1, "bbox": box, "score": score})
        (root / "texts" / f"{name}.txt").write_text("\n".join(lines))
    (root / "results.json").write_text(json.dumps(results))
    return root


def score(folder, predictions, name, out, *more):
    return call(
        evaluate, "--predictions", predictions, "--dataset", folder / "data",
        "--name", name, "--out", out, *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(folder):
    out = folder / "run"
    score(folder, folder / "masks", "My Masks", out)
    score(folder, folder / "texts", "My Boxes", out, "--threshold", 0.3)
    score(folder, folder / "results.json", "My Results", out, "--threshold", 0.3)
    return out


def test_every_command_knows_the_rows(run, tmp_path):
    assert "My Masks" in call(analyze, run, "--repeats", 2)
    pair = call(compare, run, "my-masks", "my-boxes", "--resamples", 100)
    assert "McNemar" in pair
    ranking = call(compare, run, "--resamples", 100)
    assert "Holm" in ranking
    assert all(title in ranking for title in ("My Masks", "My Boxes", "My Results"))
    call(check, run, "--write", tmp_path / "b.json")
    assert "passed" in call(check, run, "--baseline", tmp_path / "b.json")
    out = call(report, run, "--format", "markdown")
    assert "My Results" in out + "".join(p.read_text() for p in run.glob("tables/*.md"))


def test_titles_of_one_name_do_not_replace_each_other(folder, tmp_path):
    score(folder, folder / "masks", "Net+", tmp_path)
    # The same title again is its row anew.
    score(folder, folder / "masks", "Net+", tmp_path)
    with pytest.raises(UsageError, match=r"would be called 'net', and there is 'Net\+' of that"):
        score(folder, folder / "masks", "Net", tmp_path)
    score(folder, folder / "masks", "网络", tmp_path)
    score(folder, folder / "masks", "模型", tmp_path)
    rows = {row["title"]: row["method"] for row in results(tmp_path)}
    assert rows.keys() == {"Net+", "网络", "模型"}
    assert re.fullmatch("row-[0-9a-f]{8}", rows["网络"])
    with pytest.raises(UsageError, match="must hold a letter or a digit"):
        score(folder, folder / "masks", "++", tmp_path)


def parts_of(folder, root):
    """The data of ``folder`` with two validation images."""
    shutil.copytree(folder / "data", root / "data")
    (root / "data/val.txt").write_text("\n".join(NAMES[:2]))
    (root / "data/test.txt").write_text("\n".join(NAMES[2:]))
    for kind, ending in (("masks", "png"), ("texts", "txt")):
        for part, names in (("val", NAMES[:2]), ("test", NAMES[2:])):
            (root / kind / part).mkdir(parents=True)
            for name in names:
                shutil.copy(folder / kind / f"{name}.{ending}", root / kind / part)
    return root


def test_a_threshold_is_not_chosen_on_scores_of_another_kind(folder, tmp_path):
    root = parts_of(folder, tmp_path)
    plain = root / "plain"
    shutil.copytree(root / "texts/val", plain)
    for file in plain.iterdir():
        lines = [line.rsplit(" ", 1)[0] for line in file.read_text().splitlines()]
        file.write_text("\n".join(lines))
    for other, said in ((root / "masks/val", "masks"), (plain, "boxes without scores")):
        with pytest.raises(DetectionsError, match=f"boxes with scores, got {said} in"):
            score(root, root / "texts/test", "A", tmp_path / "run", "--validation", other)
    # Masks have no threshold, whatever lies beside them.
    score(root, root / "masks/test", "B", tmp_path / "run", "--validation", root / "texts/val")
    score(root, root / "texts/test", "A", tmp_path / "run", "--validation", root / "texts/val")


@pytest.mark.parametrize("options", [(), ("--operating-point", "fixed")])
def test_a_threshold_is_on_the_scale_of_the_scores(folder, tmp_path, options):
    texts = folder / "texts"
    with pytest.raises(UsageError, match=r"got 90: the 9 scores reach from 0\.4 to 0\.9"):
        score(folder, texts, "A", tmp_path / "run", *options, "--threshold", 90)
    with pytest.raises(UsageError, match=r"got 1\.5: the 10 scores reach from 1 to 1"):
        score(folder, folder / "masks", "A", tmp_path / "run", *options, "--threshold", 1.5)
    assert not (tmp_path / "run").exists()
    # A threshold that nothing reaches may be meant; equal to the best score it keeps one.
    said = score(folder, texts, "A", tmp_path / "run", *options, "--threshold", 0.95)
    assert "nothing is kept at the threshold 0.95" in said
    said = score(folder, texts, "A", tmp_path / "other", *options, "--threshold", 0.9)
    assert "nothing is kept" not in said


def test_validation_images_without_a_prediction_are_named(folder, tmp_path):
    root = parts_of(folder, tmp_path)
    (root / "texts/val" / f"{NAMES[1]}.txt").unlink()
    score(root, root / "texts/test", "A", tmp_path / "run", "--validation", root / "texts/val")
    (row,) = results(tmp_path / "run")
    assert row["note"].startswith("1 of 2 validation images have no prediction")


def results(run):
    return json.loads((run / "results.json").read_text())["rows"]


def test_probabilities_have_no_operating_point_in_standard_deviations(folder, tmp_path):
    run = tmp_path / "run"
    for name in ("masks", "texts"):
        score(folder, folder / name, name, run, "--operating-point", "mean-kstd")
    for row in results(run):
        assert (row["state"], row["f1"], row["threshold"]) == ("done", None, None)
        assert "not in standard deviations" in row["undefined"]["f1"]
        assert row["map50"] > 0
    options = ("--format", "markdown", "--show-empty", "--out", tmp_path / "tables")
    said = call(report, run, *options)
    said += "".join(path.read_text() for path in (tmp_path / "tables").rglob("*.md"))
    assert re.search("—: no value.*scores are not in standard deviations", said)
    # What scores the rows again says the same.
    call(check, run, "--write", tmp_path / "b.json")
    assert "passed" in call(check, run, "--baseline", tmp_path / "b.json")
    assert "no threshold" in call(analyze, run, "--repeats", 2)
    call(compare, run, "--resamples", 100)


def test_boxes_of_two_formats_score_alike(run):
    rows = {row["method"]: row for row in results(run)}
    for name in ("map50", "f1", "pd", "recall"):
        assert rows["my-boxes"][name] == rows["my-results"][name], name


def test_worse_predictions_under_the_same_name_are_caught(run, folder, tmp_path):
    call(check, run, "--write", tmp_path / "b.json")
    copy = tmp_path / "masks"
    shutil.copytree(folder / "masks", copy)
    for name in NAMES:
        cv2.imwrite(str(copy / f"{name}.png"), np.zeros(SHAPE, np.uint8))
    out = tmp_path / "run"
    score(folder, copy, "My Masks", out)
    said = call(check, out, "--baseline", tmp_path / "b.json", "--allow-missing", status=1)
    assert re.search(r"my-masks.*regressed", said)


BOX = {"image_id": "scene_1", "category_id": 1, "bbox": [1, 1, 3, 3], "score": 0.5}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"score": float("nan")}, "score"),
        ({"bbox": [9, 1, -3, 3]}, "bbox"),
        ({"bbox": [1, 1, float("nan"), 3]}, "bbox"),
        ({"bbox": [90, 1, 3, 3]}, "bbox"),
    ],
)
def test_bad_results_name_method_image_and_index(folder, tmp_path, change, field):
    file = tmp_path / "bad.json"
    file.write_text(json.dumps([BOX, BOX, {**BOX, **change}]))
    with pytest.raises(IrbenchError) as caught:
        score(folder, file, "My Net", tmp_path / "run")
    said = str(caught.value)
    assert said.startswith("My Net: ")
    assert "scene_1" in said
    assert "[2]" in said


@pytest.mark.parametrize(
    "line", ["0 .5 .5 .1 .1 nan", "0 .5 .5 -.1 .1 .5", "0 nan .5 .1 .1 .5", "0 1.9 .5 .1 .1 .5"]
)
def test_bad_texts_name_method_image_and_line(folder, tmp_path, line):
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "scene_1.txt").write_text(f"0 .5 .5 .1 .1 .5\n{line}\n")
    with pytest.raises(IrbenchError, match=r"^My Net: .*scene_1\.txt, line 2"):
        score(folder, texts, "My Net", tmp_path / "run")


def test_two_predictions_of_one_image_are_refused(folder, tmp_path):
    texts = tmp_path / "texts"
    for part in "xy":
        (texts / part).mkdir(parents=True)
        (texts / part / "scene_1.txt").write_text("0 .5 .5 .1 .1 .5\n")
    with pytest.raises(IrbenchError, match=r"^My Net: .*one prediction for 'scene_1'"):
        score(folder, texts, "My Net", tmp_path / "run")
    content = {"images": [{"id": 1, "file_name": "scene_1.png", "height": 32, "width": 40}] * 2,
               "annotations": []}  # fmt: skip
    (tmp_path / "set.json").write_text(json.dumps(content))
    with pytest.raises(IrbenchError, match=r"^My Net: .*images\[1\]"):
        score(folder, tmp_path / "set.json", "My Net", tmp_path / "run")


def test_maps_that_are_not_finite_are_refused(folder, tmp_path):
    maps = tmp_path / "maps"
    maps.mkdir()
    np.save(maps / "scene_1.npy", np.full(SHAPE, np.nan))
    with pytest.raises(IrbenchError, match=r"^My Net: .*scene_1\.npy"):
        score(folder, maps, "My Net", tmp_path / "run")


def listing(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("title", ["tophat", "TopHat", "LE IRSTD"])
def test_predictions_cannot_have_the_name_of_a_method(folder, tmp_path, title):
    with pytest.raises(UsageError, match="another name by --name"):
        score(folder, folder / "masks", title, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_a_method_found_itself_is_kept(folder, tmp_path):
    plugin, out = tmp_path / "mine.py", tmp_path / "run"
    plugin.write_text(PLUGIN)
    words = [
        "--methods", "mine", "--dataset", folder / "data", "--plugin", plugin, "--out", out,
        "--jobs", 1, "--timing-images", 0,
    ]  # fmt: skip
    call(run_command, *words)
    before = listing(out)
    # As in a command without the plug-in: the directory alone knows the method.
    del catalogue("methods").classes["mine"]
    shutil.copytree(folder / "masks", tmp_path / "mine")
    name = ("--predictions", tmp_path / "mine", "--dataset", folder / "data", "--out", out)
    with pytest.raises(UsageError, match=r"'mine'.*another name by --name"):
        call(evaluate, *name)
    assert listing(out) == before

    call(evaluate, *name, "--name", "Theirs")
    (theirs,) = (row for row in results(out) if row["method"] == "theirs")
    # An irbench that let predictions take a method's place left its map statistics there.
    maps = out / "map_statistics"
    shutil.copy(maps / "mine.parquet", maps / "theirs.parquet")
    call(evaluate, *name, "--name", "Theirs")
    (again,) = (row for row in results(out) if row["method"] == "theirs")
    assert again == theirs
    assert again["auc"] is None
    for path, content in before.items():
        if path.parent.name in ("detections", "map_statistics", "timings"):
            assert path.read_bytes() == content
