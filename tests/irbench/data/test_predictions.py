from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
from label_files import write_coco_results
from PIL import Image
from scipy import ndimage

from irbench.data.annotations import CocoImage, write_coco, write_yolo
from irbench.data.prediction_files import match_names
from irbench.data.predictions import read_predictions
from irbench.dataset import Dataset, DatasetInfo, Sample
from irbench.datasets.folder import Folder
from irbench.detections import Detections
from irbench.errors import (
    AnnotationError,
    DetectionsError,
    ImageError,
    MaskError,
    MissingDataError,
    UnknownNameError,
)
from irbench.messages.progress import Advance, Progress

SHAPES = {"a": (12, 16), "b": (20, 10), "c": (8, 8)}


class Recorder(Progress):
    """Counts the steps of each piece of work."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int]] = []

    @contextmanager
    def track(self, title: str, total: int, unit: str = "") -> Iterator[Advance]:
        self.steps.append((title, 0, total))

        def advance() -> None:
            name, done, _ = self.steps[-1]
            self.steps[-1] = (name, done + 1, total)

        yield advance


class Three(Dataset):
    """Three images of different sizes; ``broken`` cannot be read."""

    info = DatasetInfo(name="three", title="Three", reference="")
    shapes: ClassVar[dict[str, tuple[int, int]]] = SHAPES

    def split_ids(self, split: str) -> list[str]:
        return [*self.shapes, "broken"]

    def load(self, sample_id: str) -> Sample:
        if sample_id == "broken":
            raise MaskError("no mask")
        shape = self.shapes[sample_id]
        return Sample(sample_id, np.zeros(shape, np.uint8), np.zeros(shape, bool))


class Numbered(Three):
    shapes: ClassVar[dict[str, tuple[int, int]]] = {"0007": (12, 16), "0012": (20, 10)}

    def split_ids(self, split: str) -> list[str]:
        return list(self.shapes)


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, pixels)
    else:
        assert cv2.imwrite(str(path), pixels)


def probability_of(name: str) -> np.ndarray:
    """Two segments and a pixel just under one half; multiples of 1/255."""
    p = np.zeros(SHAPES[name])
    p[1:3, 2:4], p[5, 5:7], p[7, 0] = 200 / 255, 128 / 255, 127 / 255
    return p


def folder_of(root: Path, kind: str, names: str = "abc", pattern: str = "{}") -> Path:
    for name in names:
        p = probability_of(name)
        encoders = {
            "mask": lambda p=p: (p >= 0.5).astype(np.uint8) * 255,
            "mask1": lambda p=p: (p >= 0.5).astype(np.uint8),
            "mask16": lambda p=p: (p >= 0.5).astype(np.uint16) * 65535,
            "p8": lambda p=p: np.rint(p * 255).astype(np.uint8),
            "p16": lambda p=p: np.rint(p * 65535).astype(np.uint16),
            "npy": lambda p=p: p,
            "npy32": lambda p=p: p.astype(np.float32)[None, None],
            "bool": lambda p=p: p >= 0.5,
            "argmax": lambda p=p: (p >= 0.5).astype(np.int64)[None],
            "npy8": lambda p=p: np.rint(p * 255).astype(np.uint8)[..., None],
        }
        suffix = ".npy" if kind in ("npy", "npy32", "npy8", "bool", "argmax") else ".png"
        save(root / (pattern.format(name) + suffix), encoders[kind]())
    return root


BOXES = [[2, 1, 4, 3], [5, 5, 7, 6]]


@pytest.mark.parametrize("kind", ["mask", "mask1", "mask16", "bool", "argmax"])
def test_masks(tmp_path, kind):
    read = read_predictions(folder_of(tmp_path, kind), Three())
    assert read.kind == "mask"
    assert list(read.detections) == ["a", "b", "c"]
    for name, found in read.detections.items():
        assert found == Detections.from_mask(probability_of(name) >= 0.5)
        assert found.boxes.tolist() == BOXES
        assert found.scores.tolist() == [1, 1]
    assert read.missing == ()
    assert read.left_out == {"broken": "no mask"}
    level = {"mask": 255, "mask16": 65535}.get(kind, 1)
    assert read.notes == (f"read as mask, by the values of all files: 3 with 0 and {level}",)


@pytest.mark.parametrize("kind", ["p8", "p16", "npy", "npy32", "npy8"])
def test_probabilities(tmp_path, kind):
    read = read_predictions(folder_of(tmp_path, kind), Three())
    assert read.kind == "probability"
    for found in read.detections.values():
        assert found.boxes.tolist() == BOXES
        np.testing.assert_allclose(found.scores, [200 / 255, 128 / 255], rtol=1e-6)
        assert found.regions.areas.tolist() == [4, 2]


def test_one_grey_file_makes_all_probabilities(tmp_path):
    folder_of(tmp_path, "mask", "ab")
    folder_of(tmp_path, "p8", "c")
    read = read_predictions(tmp_path, Three())
    assert read.kind == "probability"
    assert read.detections["a"].scores.tolist() == [1, 1]
    assert "2 with 0 and 255, 1 with more values" in read.notes[0]
    as_masks = read_predictions(tmp_path, Three(), kind="mask")
    assert as_masks.detections["a"].scores.tolist() == [1, 1]
    assert as_masks.notes == ()


@pytest.mark.parametrize("levels", [(1, 255), (200, 200), (38, 38), (255, 65535)])
def test_two_values_are_masks_if_full_or_the_same_everywhere(tmp_path, levels):
    for name, level in zip("ab", levels, strict=True):
        dtype = np.uint16 if level > 255 else np.uint8
        save(tmp_path / f"{name}.png", (probability_of(name) > 0.5).astype(dtype) * dtype(level))
    read = read_predictions(tmp_path, Three())
    assert read.kind == "mask"
    assert read.missing == ("c",)
    assert all(read.detections[name].boxes.tolist() == BOXES for name in "ab")
    assert f"with 0 and {levels[0]}" in read.notes[0]


def test_two_values_of_several_levels_are_probabilities(tmp_path):
    for name, level in zip("abc", (180, 220, 140), strict=True):
        save(tmp_path / f"{name}.png", (probability_of(name) > 0.5).astype(np.uint8) * level)
    read = read_predictions(tmp_path, Three())
    assert read.kind == "probability"
    assert read.detections["b"].scores.tolist() == pytest.approx([220 / 255] * 2)


def test_numbered_detections_are_masks(tmp_path):
    for name in "abc":
        numbers = ndimage.label(probability_of(name) > 0.5)[0]
        save(tmp_path / f"{name}.png", numbers.astype(np.uint8))
    read = read_predictions(tmp_path, Three())
    assert read.kind == "mask"
    assert all(found.boxes.tolist() == BOXES for found in read.detections.values())


def test_a_network_that_finds_nothing_is_said(tmp_path):
    rng = np.random.default_rng(0)
    for name in "abc":
        save(tmp_path / f"{name}.png", rng.integers(0, 4, SHAPES[name], dtype=np.uint8))
    read = read_predictions(tmp_path, Three())
    assert read.kind == "probability"
    assert "no value reaches 0.5" in read.notes[0]


def test_palette_masks_and_pictures_of_maps(tmp_path):
    for name in "abc":
        picture = Image.fromarray((probability_of(name) > 0.5).astype(np.uint8))
        picture.putpalette([0, 0, 0, 128, 0, 0])
        picture.save(tmp_path / f"{name}.png")
    read = read_predictions(tmp_path, Three())
    assert read.kind == "mask"
    assert all(found.boxes.tolist() == BOXES for found in read.detections.values())
    assert "3 with a palette or colours" in read.notes[0]
    with pytest.raises(DetectionsError, match="in grey, got colours"):
        read_predictions(tmp_path, Three(), kind="probability")
    save(tmp_path / "c.png", np.rint(probability_of("c") * 255).astype(np.uint8))
    with pytest.raises(DetectionsError, match="got both"):
        read_predictions(tmp_path, Three())


def test_empty_maps_are_masks_without_detections(tmp_path):
    save(tmp_path / "a.png", np.zeros(SHAPES["a"], np.uint8))
    read = read_predictions(tmp_path, Three())
    assert read.kind == "mask"
    assert read.detections["a"] == Detections.empty(SHAPES["a"])


def test_missing_files_count_and_are_told(tmp_path):
    read = read_predictions(folder_of(tmp_path, "mask", "b"), Three())
    assert read.missing == ("a", "c")
    # As a method with regions says it, so that pixels can be scored.
    assert read.detections["c"] == Detections.empty(SHAPES["c"])
    assert any(note.startswith("2 of 3 images have no prediction") for note in read.notes)


@pytest.mark.parametrize(
    ("pattern", "note"),
    [
        ("{}_pred", "names end in '_pred'"),
        ("{}_MASK", "names end in '_mask'"),
        ("{}_pixels0", "names end in '_pixels0'"),
        ("pred_{}", "names begin with 'pred_'"),
        ("test/{}", "folders are ignored"),
    ],
)
def test_names_may_differ_in_the_usual_ways(tmp_path, pattern, note):
    read = read_predictions(folder_of(tmp_path, "mask", pattern=pattern), Three())
    assert read.detections["b"].boxes.tolist() == BOXES
    assert note in read.notes


def test_match_names_takes_one_rule_for_all():
    match = match_names(["a", "a_mask", "b"], ["a", "a_mask", "b", "c"], "here", False)
    assert match.names == {"a": "a", "a_mask": "a_mask", "b": "b"}
    assert match.note == ""
    with pytest.raises(DetectionsError, match=r"here: 1 of 3 names are of no image.*: c_pred\."):
        match_names(["a", "b", "c_pred"], "abc", "here", False)
    with pytest.raises(DetectionsError, match="one prediction for 'a', got 'x/a' and 'y/a'"):
        match_names(["x/a", "y/a"], "abc", "here", False)
    with pytest.raises(DetectionsError, match=r"none of the 1 names .* such as a, b, c, got .* z"):
        match_names(["z"], "abc", "here", True)


def test_extra_files_are_an_error_unless_allowed(tmp_path):
    folder_of(tmp_path, "mask")
    folder_of(tmp_path, "p8", "a", pattern="z{}")
    folder_of(tmp_path, "p8", "a", pattern="broken")
    with pytest.raises(DetectionsError, match="1 of 5 names are of no image of this split: za"):
        read_predictions(tmp_path, Three())
    read = read_predictions(tmp_path, Three(), allow_extra=True)
    assert "1 files of no image of the split are left out" in read.notes
    # Neither they nor those of unreadable images decide the kind.
    assert read.kind == "mask"


@pytest.mark.parametrize("kind", ["mask", "p8", "npy"])
def test_another_size_is_refused_not_resized(tmp_path, kind):
    folder_of(tmp_path, kind)
    (file,) = tmp_path.glob("b.*")
    save(file, probability_of("a") if kind == "npy" else np.zeros(SHAPES["a"], np.uint8))
    with pytest.raises(DetectionsError, match=r"b\..*expected the image's 20x10 .* got 12x16"):
        read_predictions(tmp_path, Three())


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.full((12, 16), 7), r"a\.npy: expected bool, float, .*got int64 from 7 to 7"),
        (np.full((12, 16), "a"), r"a\.npy: expected an array of bool or numbers, got <U1"),
        (np.zeros((2, 12, 16)), r"a\.npy: expected .* \(H, W\), got \(2, 12, 16\); save one map"),
        (np.zeros(5), r"a\.npy: expected an array of shape \(H, W\), got \(5,\)\."),
        (np.full((12, 16), -3.0), r"a\.npy: probability must lie in \[0, 1\].*sigmoid"),
        (np.full((12, 16), np.nan), r"a\.npy: probability must lie in \[0, 1\]"),
        (np.array([{"a": 1}]), r"cannot read the array .*a\.npy"),
    ],
)
def test_refuses_arrays_that_are_no_probabilities(tmp_path, array, match):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DetectionsError, match=match):
        read_predictions(tmp_path, Three())


def test_refuses_damaged_files(tmp_path):
    folder_of(tmp_path, "npy")
    data = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(data[:-8])
    with pytest.raises(DetectionsError, match=r"cannot read the array .*a\.npy"):
        read_predictions(tmp_path, Three())
    (tmp_path / "a.npy").write_bytes(data.replace(b"(12, 16)", b"(9999999, 9999999)"))
    with pytest.raises(DetectionsError, match=r"cannot read the array .*a\.npy"):
        read_predictions(tmp_path, Three())
    (tmp_path / "a.npy").write_bytes(data.replace(b"{'descr'", b"('descr'"))
    with pytest.raises(DetectionsError, match=r"cannot read the array .*a\.npy"):
        read_predictions(tmp_path, Three())
    folder_of(tmp_path / "png", "p8")
    path = tmp_path / "png" / "b.png"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ImageError, match=r"b\.png is truncated"):
        read_predictions(tmp_path / "png", Three())


def test_yolo(tmp_path):
    write_yolo(tmp_path / "a.txt", BOXES, SHAPES["a"], scores=[0.25, 0.5])
    (tmp_path / "b.txt").write_text("0 0.95 0.5 0.3 0.5 0.125\n")  # reaches out of the image
    (tmp_path / "classes.txt").write_text("target\n")
    read = read_predictions(tmp_path, Three())
    assert read.kind == "yolo"
    assert read.detections["a"] == Detections(BOXES, [0.25, 0.5])
    np.testing.assert_allclose(read.detections["b"].boxes, [[8, 5, 10, 15]])
    assert read.missing == ("c",)
    assert read.detections["c"] == Detections.empty()
    write_yolo(tmp_path / "c.txt", [[0, 0, 1, 1]], SHAPES["c"])
    with pytest.raises(AnnotationError, match=r"of every file or of none.*a\.txt and not .*c\.txt"):
        read_predictions(tmp_path, Three())
    (tmp_path / "c.txt").write_text("0 0.5 0.5 nan 0.1 0.1")
    with pytest.raises(AnnotationError, match=r"c\.txt, line 1, w"):
        read_predictions(tmp_path, Three())


def test_yolo_without_confidences(tmp_path):
    write_yolo(tmp_path / "a.txt", BOXES, SHAPES["a"])
    read = read_predictions(tmp_path, Three())
    assert read.detections["a"].scores.tolist() == [1, 1]
    assert "there are no confidences: every score is 1" in read.notes


FOUND = {"0007": Detections(BOXES, [0.25, 0.5]), "0012": Detections([[-1, 0, 3, 4]], [2])}


@pytest.mark.parametrize("ids", [{"0007": 7, "0012": 12}, {"0007": "0007", "0012": "0012"}])
def test_coco_results(tmp_path, ids):
    path = tmp_path / "results.json"
    write_coco_results(path, {ids[name]: found for name, found in FOUND.items()})
    for place in (path, tmp_path):
        read = read_predictions(place, Numbered())
        assert read.kind == "coco"
        assert read.detections["0007"] == FOUND["0007"]
        # What reaches out of the image is cut off, as that of a detector of our own.
        assert read.detections["0012"] == Detections([[0, 0, 3, 4]], [2])
        assert (read.missing, read.left_out) == ((), {})


def test_coco_results_with_ids_of_a_data_set(tmp_path):
    found = {1: Detections(BOXES, [0.25, 0.5]), 3: Detections([[0, 0, 3, 4]], [2])}
    write_coco_results(tmp_path / "results.json", found)
    names = ["c", "other", "a", "broken"]
    images = [
        CocoImage(id=i, file_name=f"images/{n}.png", shape=SHAPES.get(n, (9, 9)))
        for i, n in enumerate(names, start=1)
    ]
    write_coco(tmp_path / "set.json", images, {})
    with pytest.raises(
        DetectionsError, match=r"2 image ids are of no image .* such as 1, 3; .*'a'"
    ):
        read_predictions(tmp_path / "results.json", Three())
    options: dict[str, Any] = {"images": tmp_path / "set.json"}
    read = read_predictions(tmp_path / "results.json", Three(), **options)
    assert read.detections["a"] == found[3]
    assert read.detections["c"] == found[1]
    assert len(read.detections["b"]) == 0
    # What is said of images that do not count is left out, with leave.
    found |= {2: Detections([[50, 50, 60, 60]], [1]), 4: Detections([[50, 50, 60, 60]], [1])}
    write_coco_results(tmp_path / "results.json", found)
    with pytest.raises(DetectionsError, match=r"1 image ids are of no image .* such as 2;"):
        read_predictions(tmp_path / "results.json", Three(), **options)
    read = read_predictions(tmp_path / "results.json", Three(), allow_extra=True, **options)
    assert list(read.detections) == ["a", "b", "c"]
    assert "1 images that are not in the split are left out" in read.notes


def test_coco_data_set(tmp_path):
    path = tmp_path / "set.json"
    images = [CocoImage(id=i, file_name=f"{n}.png", shape=SHAPES[n]) for i, n in enumerate("ab")]
    write_coco(path, images, {0: np.array(BOXES)})
    read = read_predictions(path, Three())
    assert read.detections["a"] == Detections(BOXES, [1, 1])
    assert len(read.detections["b"]) == 0
    assert read.missing == ("c",)
    assert "there are no scores: every score is 1" in read.notes
    content = json.loads(path.read_text())
    content["annotations"][0]["score"] = content["annotations"][1]["score"] = 0.5
    path.write_text(json.dumps(content))
    assert read_predictions(path, Three()).detections["a"].scores.tolist() == [0.5, 0.5]
    content["images"][1]["height"] = 21
    path.write_text(json.dumps(content))
    with pytest.raises(DetectionsError, match=r"b\.png to have the image's shape \(20, 10\)"):
        read_predictions(path, Three())


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("[{", "complete JSON"),
        ("3", "expected a list"),
        ("[3]", r"\[0\]: expected an object"),
        ('[{"image_id": true}]', r"\[0\].image_id: expected a whole number or a name"),
        ('[{"image_id": 7, "bbox": [0, 0, 1, 1]}]', r"\[0\]: expected the field 'score'"),
        ('[{"image_id": 7, "score": 1, "bbox": [99, 0, 1, 1]}]', "meets the 12x16 image"),
        ('[{"image_id": 7, "score": NaN, "bbox": [0, 0, 1, 1]}]', "a finite number, got nan"),
        (f'[{{"image_id": 7, "score": NaN, "bbox": [0, 0, {"9" * 400}, 1]}}]', "a finite number"),
        (f'[{{"image_id": 7, "score": 1, "bbox": [0, 0, {"9" * 400}, 1]}}]', "complete JSON"),
        (f'[{{"image_id": {"9" * 400}, "score": NaN}}]', "1 image ids"),
        ("[" * 100_000, "complete JSON"),
        ("[" * 500 + "]" * 500, "JSON as COCO has it"),
    ],
)
def test_refuses_malformed_coco(tmp_path, content, match):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises((AnnotationError, DetectionsError), match=match):
        read_predictions(tmp_path / "a.json", Numbered())


def test_refuses_what_is_unclear(tmp_path):
    with pytest.raises(MissingDataError, match="no such file or folder"):
        read_predictions(tmp_path / "none", Three())
    with pytest.raises(MissingDataError, match="holds no predictions"):
        read_predictions(tmp_path, Three())
    (tmp_path / "mat").mkdir()
    (tmp_path / "mat" / "a.mat").write_bytes(b"MATLAB")
    with pytest.raises(MissingDataError, match=r"got files of \['\.mat'\]; write each array"):
        read_predictions(tmp_path / "mat", Three())
    with pytest.raises(UnknownNameError, match="unknown kind of predictions 'boxes'"):
        read_predictions(tmp_path, Three(), kind="boxes")
    folder_of(tmp_path, "mask")
    with pytest.raises(MissingDataError, match=r"expected files of \['\.txt'\]"):
        read_predictions(tmp_path, Three(), kind="yolo")
    write_yolo(tmp_path / "a.txt", BOXES, SHAPES["a"])
    with pytest.raises(DetectionsError, match=r"several kinds \(3 maps, 1 yolo\)"):
        read_predictions(tmp_path, Three())
    assert read_predictions(tmp_path, Three(), kind="yolo").kind == "yolo"
    folder_of(tmp_path, "npy", "b")
    with pytest.raises(DetectionsError, match="one prediction called 'b', got"):
        read_predictions(tmp_path, Three(), kind="mask")
    for name in ("x.json", "y.json"):
        (tmp_path / name).write_text("[]")
    with pytest.raises(DetectionsError, match=r"2 JSON files, such as x\.json and y\.json"):
        read_predictions(tmp_path, Three(), kind="coco")


def test_progress(tmp_path):
    recorder = Recorder()
    read_predictions(folder_of(tmp_path, "mask"), Three(), progress=recorder)
    assert recorder.steps == [("reading the images of Three", 4, 4)]


def test_the_true_masks_and_boxes_of_real_data_find_every_target(data_root, tmp_path):
    dataset = Folder(data_root / "NUAA-SIRST", scheme="img_idx")
    assert len(dataset) == 214
    masks = read_predictions(data_root / "NUAA-SIRST" / "masks", dataset, allow_extra=True)
    assert masks.kind == "mask"
    assert sum(len(found) for found in masks.detections.values()) == 263
    for name, found in masks.detections.items():
        write_yolo(tmp_path / f"{name}.txt", found.boxes, found.regions.shape, scores=found.scores)
    boxes = read_predictions(tmp_path, dataset)
    for name in dataset.ids[::10]:
        np.testing.assert_allclose(
            boxes.detections[name].boxes, dataset.load(name).boxes, rtol=0, atol=1e-4
        )


class InSplits(Three):
    """A few images a split; those of training are called by numbers."""

    def split_ids(self, split: str) -> list[str]:
        parts = {"train": ["000001", "000002"], "val": ["000003"], "test": ["a", "b"]}
        return parts[split]


@pytest.mark.parametrize("kind", ["mask", "coco"])
def test_predictions_of_another_split_say_which_it_is(tmp_path, kind):
    path = tmp_path
    if kind == "coco":
        path = tmp_path / "found.json"
        box = {"category_id": 1, "bbox": [1, 1, 2, 2], "score": 0.5}
        path.write_text(json.dumps([{"image_id": n, **box} for n in (1, 2)]))
    else:
        for name in ("000001_pred", "000002_pred"):
            save(tmp_path / f"{name}.png", np.zeros((12, 16), np.uint8))
    with pytest.raises(DetectionsError, match="2 of these 2 are of the split 'train'") as raised:
        read_predictions(path, InSplits())
    assert "--split" in str(raised.value)
    assert "\n" not in str(raised.value)
