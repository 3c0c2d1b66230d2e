from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from label_files import write_voc

import irbench
from irbench.cli.convention_options import CONVENTION_NAMES, convention_arguments
from irbench.cli.main import irbench as command
from irbench.conventions import Conventions
from irbench.datasets.folder import Folder
from irbench.engine.planning.choices import dataset_spec
from irbench.errors import UsageError

SHAPE = (48, 64)
BOX = [20, 10, 23, 13]


@pytest.fixture
def root(tmp_path):
    """14-bit images, boxes counted from 0, and masks of another object beside them."""
    for name in ("images", "masks", "annotations"):
        (tmp_path / "data" / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(3):
        image = rng.integers(4000, 4100, SHAPE).astype(np.uint16)
        image[10:13, 20:23] = 16000
        cv2.imwrite(str(tmp_path / "data" / "images" / f"{index}.png"), image)
        mask = np.zeros(SHAPE, np.uint8)
        mask[:2, :2] = 255
        cv2.imwrite(str(tmp_path / "data" / "masks" / f"{index}.png"), mask)
        write_voc(
            tmp_path / "data" / "annotations" / f"{index}.xml",
            [BOX],
            SHAPE,
            origin=0,
            inclusive=False,
        )
    return tmp_path / "data"


OPTIONS = ["--layout", "voc", "--voc-origin", "0", "--voc-exclusive", "--value-range", "0", "16383"]


def invoke(*words):
    done = CliRunner().invoke(command, [str(word) for word in words], standalone_mode=False)
    assert done.exception is None, done.output
    return done


def test_an_option_wins_over_the_file_and_the_file_over_the_default(root):
    stated = Conventions(layout="voc", voc_origin=0, voc_inclusive=False)
    dataset = irbench.load_dataset(root, conventions=stated)
    assert dataset.load("0").boxes.tolist() == [BOX]
    (root / "irbench.toml").write_text('layout = "voc"\nvoc = {origin = 0, inclusive = true}\n')
    assert irbench.load_dataset(root).load("0").boxes.tolist() == [[20, 10, 24, 14]]
    dataset = irbench.load_dataset(root, conventions=Conventions(voc_inclusive=False))
    assert dataset.load("0").boxes.tolist() == [BOX]
    assert dataset.conventions == Conventions(layout="voc", voc_origin=0, voc_inclusive=False)
    # Those of a dataset that is open already too, and a worker opens it by the same.
    again = Folder(root).with_conventions(Conventions(voc_inclusive=False))
    assert again.load("0").boxes.tolist() == [BOX]
    (root / "irbench.toml").unlink()
    assert dataset_spec(again, ()).open("test").load("0").boxes.tolist() == [BOX]


def test_a_subclass_that_takes_no_conventions_is_read_by_them_all_the_same(root):
    class Camera(Folder):
        def __init__(self, root=None, split="test", scheme=None):
            super().__init__(root, split, scheme, value_range=(0, 65535))

    opened = Camera(root).with_conventions(Conventions(layout="voc", value_range=(0, 16383)))
    assert opened.layout == "voc"
    assert opened.load("0").value_range == (0, 16383)


def test_a_dataset_whose_reading_is_fixed_refuses_them():
    with pytest.raises(UsageError, match=r"--voc-origin: .* how synth is read is fixed"):
        irbench.load_dataset("synth", conventions=Conventions(voc_origin=0))


@pytest.mark.parametrize("value", [(5, 5), (float("nan"), 1), (0, float("inf"))])
def test_a_value_range_that_is_none_is_refused(value):
    with pytest.raises(UsageError, match=r"--value-range .*two finite numbers"):
        Conventions(value_range=value)


def test_json_and_words_carry_all_of_them():
    stated = Conventions(layout="voc", value_range=(0.5, 16383), voc_origin=0, voc_inclusive=False)
    stated = Conventions(
        yolo_confidence="second", classes=("a", "b"), ignore_classes=("c d",), dead_pixels="auto"
    ).over(stated)
    assert set(stated.stated()) == set(CONVENTION_NAMES)
    assert Conventions.from_dict(json.loads(json.dumps(stated.as_dict()))) == stated
    assert not Conventions()
    words = ["profile", "tophat", *convention_arguments(stated)]
    assert "--voc-exclusive" in words
    assert words[words.index("--value-range") + 1 :][:2] == ["0.5", "16383"]


def test_run_reads_by_its_options_and_has_them_in_its_key(root, tmp_path):
    out = tmp_path / "run"
    words = ["run", "--methods", "tophat", "--dataset", root, "--out", out, "--timing-images", "0"]
    invoke(*words, "--jobs", "1", "--threshold", "5", "-q", *OPTIONS)
    loaded = irbench.load_run(out)
    row = loaded.source.rows[0]
    assert (row["n_targets"], row["recall"]) == (3, 1.0)
    stated = {"layout": "voc", "value_range": [0, 16383], "voc_origin": 0, "voc_inclusive": False}
    assert loaded.source.run["key"]["conventions"] == stated
    other = CliRunner().invoke(
        command,
        [*map(str, words), "--threshold", "5", "--layout", "voc", "--voc-origin", "0"],
        standalone_mode=False,
    )
    assert "voc_inclusive" in str(other.exception)


def test_what_reads_a_run_opens_its_images_by_its_conventions(root, tmp_path):
    from irbench.analysis.target_scr import open_run_dataset

    facts = {"name": "folder", "split": "test", "scheme": "", "conventions": {"layout": "voc"}}
    opened, reason = open_run_dataset({"data_root": str(root), "dataset": facts})
    assert reason == ""
    assert opened.layout == "voc"


def test_verify_and_stats_take_them(root):
    plain = json.loads(invoke("data", "stats", root, "--json").output)
    assert plain["area_bins"]["1–9"] == 3
    stated = json.loads(invoke("data", "stats", root, "--json", *OPTIONS).output)
    assert stated["n_box_only"] == 3
    report = json.loads(invoke("data", "verify", root, "--json", *OPTIONS).output)
    assert (report["ok"], report["n_targets"]) == (True, 3)


@pytest.mark.parametrize(
    "words",
    [
        ["run"], ["evaluate"], ["calibrate"], ["train"], ["profile"], ["weights", "import"],
        ["data", "verify"], ["data", "stats"], ["data", "export"], ["data", "leaks"],
    ],
)  # fmt: skip
def test_every_command_that_reads_data_has_them(words):
    text = invoke(*words, "--help").output
    for name in CONVENTION_NAMES:
        assert f"--{name.replace('_', '-')}" in text
