from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import pytest
from label_files import write_voc

from irbench.data.annotations import CocoImage, write_coco, write_yolo
from irbench.datasets.folder import Folder
from irbench.errors import (
    AnnotationError,
    ImageError,
    MaskError,
    MissingDataError,
    UnknownNameError,
    UsageError,
)
from irbench.plugins.registry import load_dataset

SHAPE = (12, 16)
BOXES = {"a": [[3, 4, 6, 8]], "b": [[0, 0, 1, 1], [10, 5, 16, 12]], "c": []}


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def grey(name: str) -> np.ndarray:
    return np.random.default_rng(ord(name[-1])).integers(0, 256, SHAPE, dtype=np.uint8)


def mask_of(name: str) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    for x0, y0, x1, y1 in BOXES[name]:
        mask[y0:y1, x0:x1] = 255
    return mask


def put_label(path: Path, layout: str, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if layout == "masks":
        save(path.with_suffix(".png"), mask_of(name))
    elif layout == "yolo":
        write_yolo(path.with_suffix(".txt"), BOXES[name], SHAPE)
    else:
        write_voc(path.with_suffix(".xml"), BOXES[name], SHAPE)


def put_coco(path: Path, names: str, file_name: str = "{}.png") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [
        CocoImage(id=i, file_name=file_name.format(name), shape=SHAPE)
        for i, name in enumerate(names)
    ]
    write_coco(path, images, {i: np.array(BOXES[n]) for i, n in enumerate(names)})


def check_all(folder: Folder, layout: str, names: str = "abc") -> None:
    assert folder.layout == layout
    assert folder.split_ids("all") == list(names)
    for name in names:
        sample = folder.load(name)
        np.testing.assert_array_equal(sample.image, grey(name))
        np.testing.assert_allclose(sample.boxes, np.reshape(BOXES[name], (-1, 4)), atol=1e-4)
        assert (sample.mask is not None) == (layout == "masks")


@pytest.mark.parametrize("layout", ["masks", "yolo", "voc"])
@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("images/{}.png", "labels/{}"),
        ("Images/{}.png", "Annotations/{}"),
        ("img/{}.bmp", "masks/{}"),
        ("{}.png", "gt/{}"),
        ("images/train/{}.png", "labels/train/{}"),
        ("valid/images/{}.png", "valid/labels/{}"),
    ],
)
def test_finds_the_layout(tmp_path, layout, image, label):
    for name in "abc":
        save(tmp_path / image.format(name), grey(name))
        put_label(tmp_path / f"{label.format(name)}.x", layout, name)
    (tmp_path / "README.md").write_text("a data set")
    (tmp_path / ".hidden.png").write_text("no image")
    (tmp_path / "labels").mkdir(exist_ok=True)
    (tmp_path / "labels" / "classes.txt").write_text("target\n")
    check_all(Folder(tmp_path, split="all"), layout)


@pytest.mark.parametrize("layout", ["yolo", "voc"])
def test_labels_beside_the_images(tmp_path, layout):
    for name in "abc":
        save(tmp_path / f"{name}.png", grey(name))
        put_label(tmp_path / f"{name}.x", layout, name)
    (tmp_path / "requirements.txt").write_text("numpy\n")
    check_all(Folder(tmp_path), layout)


@pytest.mark.parametrize("suffix", ["_mask", "-mask", "_pixels0", "_label", "_GT"])
@pytest.mark.parametrize("folder", ["", "images", "train"])
def test_masks_beside_the_images(tmp_path, suffix, folder):
    for name in "abc":
        save(tmp_path / folder / f"{name}.bmp", grey(name))
        save(tmp_path / folder / f"{name}{suffix}.png", mask_of(name))
    check_all(Folder(tmp_path, split="all"), "masks")


def test_masks_with_a_suffix_in_a_folder_of_their_own(tmp_path):
    for name in "abc":
        save(tmp_path / "images" / f"{name}.png", grey(name))
        save(tmp_path / "masks" / f"{name}_pixels0.png", mask_of(name))
    check_all(Folder(tmp_path), "masks")


@pytest.mark.parametrize("file_name", ["{}.png", "images/{}.png", "/home/me/set/images/{}.png"])
@pytest.mark.parametrize("path", ["annotations/instances.json", "labels.json"])
def test_coco(tmp_path, path, file_name):
    for name in "abc":
        save(tmp_path / "images" / f"{name}.png", grey(name))
    put_coco(tmp_path / path, "abc", file_name)
    (tmp_path / "results.json").write_text('[{"image_id": 1}]')
    check_all(Folder(tmp_path), "coco")


def test_coco_files_tell_splits(tmp_path):
    for name in "abc":
        save(tmp_path / "images" / f"{name}.png", grey(name))
    put_coco(tmp_path / "annotations" / "instances_train2017.json", "b")
    put_coco(tmp_path / "annotations" / "instances_test.json", "ca")
    folder = Folder(tmp_path)
    assert folder.splits == ("train", "test", "all")
    assert folder.ids == ("c", "a")
    assert folder.with_split("train").ids == ("b",)
    put_coco(tmp_path / "annotations" / "instances_val.json", "a")
    with pytest.raises(AnnotationError, match=r"listed once, got 'a\.png' again"):
        Folder(tmp_path)


def with_masks(root: Path, names: str = "abc") -> Path:
    for name in names:
        save(root / "images" / f"{name}.png", grey(name))
        save(root / "masks" / f"{name}.png", mask_of(name))
    return root


def test_without_split_files_all_is_test(tmp_path):
    folder = Folder(with_masks(tmp_path / "My set"))
    assert folder.splits == ("test", "all")
    assert (folder.ids, folder.with_split("all").ids) == (("a", "b", "c"), ("a", "b", "c"))
    assert (folder.info.name, folder.info.title) == ("folder", "My set")
    assert Folder.info.title == "Folder"
    with pytest.raises(UnknownNameError, match="val"):
        Folder(tmp_path, split="val")


@pytest.mark.parametrize(
    ("where", "train", "test"),
    [
        ("", "train.txt", "test.txt"),
        ("splits", "Train.txt", "test.txt"),
        ("ImageSets/Main", "train.txt", "test.txt"),
        ("img_idx", "train_My-Set.txt", "test_My-Set.txt"),
        ("img_idx", "idx427_train.txt", "idx427_test.txt"),
    ],
)
@pytest.mark.parametrize(
    "line", ["{}", " {}.png ", "images/{}.png", "./images/{}.png", "/x/images/{}.png", "masks/{}"]
)
def test_split_files(tmp_path, where, train, test, line):
    root = with_masks(tmp_path)
    (root / where).mkdir(parents=True, exist_ok=True)
    (root / where / train).write_text(f"{line.format('c')}\n\n{line.format('a')}\n")
    (root / where / test).write_text(line.format("b"))
    (root / where / "classes.txt").write_text("target")
    folder = Folder(root)
    assert folder.splits == ("train", "test", "all")
    assert folder.ids == ("b",)
    assert folder.with_split("train").ids == ("c", "a")
    assert folder.with_split("all").ids == ("a", "b", "c")


def test_of_the_tasks_of_voc_the_one_that_fits_the_labels_is_taken(tmp_path):
    root = with_masks(tmp_path)
    for task, line in (("Main", "a\nb"), ("Segmentation", "c"), ("Layout", "a"), ("Action", "b")):
        (root / "ImageSets" / task).mkdir(parents=True)
        (root / "ImageSets" / task / "test.txt").write_text(line)
    assert Folder(root).ids == ("c",)
    assert "ImageSets/Segmentation is there" in "\n".join(Folder(root).understood())
    for name in "abc":
        write_voc(root / "images" / f"{name}.xml", [[1, 1, 3, 3]], (8, 8))
    assert Folder(root, layout="voc").ids == ("a", "b")


def test_the_plainest_names_of_split_files_win(tmp_path):
    root = with_masks(tmp_path)
    (root / "splits").mkdir()
    (root / "splits" / "test_other.txt").write_text("a")
    (root / "splits" / "test_more.txt").write_text("b")
    with pytest.raises(UsageError, match=r"several sets .* splits/more \(1 test\); splits/other"):
        Folder(root)
    assert Folder(root, scheme="splits/other").ids == ("a",)
    assert Folder(root, split="all").ids == ("a", "b", "c")
    with pytest.raises(UnknownNameError, match="splits/more, splits/other"):
        Folder(root, scheme="none")
    (root / "splits" / "test.txt").write_text("c")
    assert Folder(root).ids == ("c",)


def test_split_files_that_contradict(tmp_path):
    root = with_masks(tmp_path)
    (root / "test.txt").write_text("a\nimages/a.png\n")
    with pytest.raises(AnnotationError, match=r"test\.txt, line 2: expected .* listed once"):
        Folder(root)
    (root / "test.txt").write_text("a\n")
    (root / "train.txt").write_text("b\na\n")
    with pytest.raises(AnnotationError, match=r"txt, line \d: expected a sample of one split only"):
        Folder(root)
    (root / "train.txt").write_text("x\ny\n")
    with pytest.raises(AnnotationError, match=r"expected names of samples.*got \['x', 'y'\]"):
        Folder(root)


def test_a_listed_image_that_is_not_there_is_counted(tmp_path):
    root = with_masks(tmp_path)
    (root / "test.txt").write_text("a\nseq2/a\nz\n")
    folder = Folder(root)
    # "seq2/a" is not taken for "a", which another line means.
    assert folder.ids == ("a", "seq2/a", "z")
    assert folder.split_ids("all") == ["a", "b", "c", "seq2/a", "z"]
    for name in ("seq2/a", "z"):
        with pytest.raises(ImageError, match=f"holds no image called '{name}'"):
            folder.load(name)


def test_the_label_of_an_image_called_test_is_no_split_file(tmp_path):
    for name, stem in zip("ab", ("test", "b"), strict=True):
        save(tmp_path / f"{stem}.png", grey(name))
        put_label(tmp_path / f"{stem}.x", "yolo", name)
    folder = Folder(tmp_path)
    assert folder.ids == ("b", "test")
    np.testing.assert_allclose(folder.load("test").boxes, BOXES["a"], atol=1e-4)


@pytest.mark.parametrize(
    ("layout", "error", "missing"),
    [
        ("masks", MaskError, r"has no mask: expected b\.png beside .*a\.png"),
        ("yolo", AnnotationError, r"has no labels: expected b\.txt beside"),
        ("voc", AnnotationError, r"has no labels: expected b\.xml beside"),
        ("coco", AnnotationError, r"no COCO file of .* lists the image .*b\.png"),
    ],
)
def test_an_unpaired_image_is_a_sample_that_raises(tmp_path, layout, error, missing):
    for name in "abc":
        save(tmp_path / "images" / f"{name}.png", grey(name))
    if layout == "coco":
        put_coco(tmp_path / "labels" / "a.json", "ac")
    else:
        for name in "ac":
            put_label(tmp_path / "labels" / f"{name}.x", layout, name)
    folder = Folder(tmp_path)
    assert folder.ids == ("a", "b", "c")
    with pytest.raises(error, match=missing):
        folder.load("b")


@pytest.mark.parametrize("layout", ["masks", "yolo", "voc", "coco"])
def test_a_label_without_image_is_a_sample_that_raises(tmp_path, layout):
    for name in "ab":
        save(tmp_path / "images" / f"{name}.png", grey(name))
    if layout == "coco":
        put_coco(tmp_path / "labels" / "a.json", "abc")
    else:
        for name in "abc":
            put_label(tmp_path / "labels" / f"{name}.x", layout, name)
    folder = Folder(tmp_path)
    assert folder.ids == ("a", "b", "c")
    with pytest.raises(ImageError, match="holds no image called 'c'"):
        folder.load("c")


def test_a_mask_beside_no_image_is_a_sample_that_raises(tmp_path):
    save(tmp_path / "a.png", grey("a"))
    save(tmp_path / "a_mask.png", mask_of("a"))
    save(tmp_path / "b_mask.png", mask_of("b"))
    save(tmp_path / "c.png", grey("c"))
    folder = Folder(tmp_path)
    assert folder.ids == ("a", "b", "c")
    with pytest.raises(ImageError):
        folder.load("b")
    with pytest.raises(MaskError, match=r"expected c_mask\.png"):
        folder.load("c")


def test_folders_inside_are_part_of_the_id(tmp_path):
    for sequence, name in (("seq1", "a"), ("seq2", "b")):
        save(tmp_path / "images" / sequence / "0001.png", grey(name))
        save(tmp_path / "masks" / sequence / "0001.png", mask_of(name))
    folder = Folder(tmp_path)
    assert folder.ids == ("seq1/0001", "seq2/0001")
    assert folder.load("seq2/0001").boxes.tolist() == BOXES["b"]


def test_two_files_of_one_name_are_refused(tmp_path):
    root = with_masks(tmp_path)
    save(root / "images" / "a.bmp", grey("a"))
    with pytest.raises(AnnotationError, match=r"one image called 'a', got two: .*bmp and .*png"):
        Folder(root)
    (root / "images" / "a.bmp").unlink()
    save(root / "images" / "test" / "a.png", grey("a"))
    with pytest.raises(AnnotationError, match="one image called 'a', got two"):
        Folder(root)
    (root / "images" / "test" / "a.png").unlink()
    save(root / "masks" / "b.bmp", mask_of("b"))
    with pytest.raises(AnnotationError, match="one mask called 'b', got two"):
        Folder(root)


def test_without_ground_truth_it_says_what_was_looked_for(tmp_path):
    with pytest.raises(MissingDataError, match=r"holds no image files .*images, image, imgs"):
        Folder(tmp_path)
    for name in "abc":
        save(tmp_path / "images" / f"{name}.png", grey(name))
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(MissingDataError, match=r"no ground truth.*masks, .*VOC .xml, YOLO .txt"):
        Folder(tmp_path)
    put_label(tmp_path / "labels" / "a.x", "yolo", "a")
    assert Folder(tmp_path).layout == "yolo"
    with pytest.raises(MissingDataError, match="no masks labels"):
        Folder(tmp_path, layout="masks")
    with pytest.raises(UnknownNameError, match="unknown layout 'mask'"):
        Folder(tmp_path, layout="mask")
    with pytest.raises(MissingDataError, match="there is no folder"):
        Folder(tmp_path / "none")
    with pytest.raises(MissingDataError, match="pass the directory"):
        Folder()


def test_layout_and_folders_can_be_given(tmp_path):
    for name in "abc":
        save(tmp_path / "frames" / f"{name}.png", grey(name))
        save(tmp_path / "images" / f"{name}.png", 255 - grey(name))
        save(tmp_path / "masks" / f"{name}.png", mask_of(name))
        put_label(tmp_path / "boxes" / f"{name}.x", "voc", name)
        (tmp_path / "others").mkdir(exist_ok=True)
        path = tmp_path / "others" / f"{name}.xml"
        write_voc(path, BOXES[name], SHAPE, origin=0, inclusive=False)
    check_all(Folder(tmp_path, layout="voc", images="frames", labels="boxes"), "voc")
    check_all(Folder(tmp_path, images="frames"), "masks")
    check_all(Folder(tmp_path, images="frames", labels="boxes").with_split("all"), "voc")
    options = {"images": "frames", "labels": "others", "origin": 0, "inclusive": False}
    check_all(Folder(tmp_path, **options).with_split("all"), "voc")
    np.testing.assert_array_equal(Folder(tmp_path, labels="boxes")[0].image, 255 - grey("a"))
    with pytest.raises(MissingDataError, match="there is no folder"):
        Folder(tmp_path, labels="none")


def test_value_range_is_passed_on(tmp_path):
    save(tmp_path / "images" / "a.png", grey("a").astype(np.uint16) * 64)
    save(tmp_path / "masks" / "a.png", mask_of("a"))
    folder = Folder(tmp_path, value_range=(0, 16383)).with_split("all")
    assert folder[0].value_range == (0, 16383)
    assert folder[0].image.dtype == np.uint16


class Fixed(Folder):
    """A subclass with arguments of its own, and more that is cached of a split."""

    def __init__(self, root, split="test", scheme=None, *, gain=1):
        super().__init__(root, split, scheme, value_range=(0, 16383))
        self.gain = gain

    @cached_property
    def last(self):
        return self.ids[-1]


def test_a_subclass_with_another_constructor_has_splits(tmp_path):
    root = with_masks(tmp_path)
    (root / "test.txt").write_text("a\nb")
    (root / "val.txt").write_text("c")
    test = Fixed(root, gain=3)
    assert (test.ids, test.last) == (("a", "b"), "b")
    val = test.with_split("val")
    assert (type(val), val.split, val.ids, val.last, val.gain) == (Fixed, "val", ("c",), "c", 3)
    assert val[0].value_range == (0, 16383)
    assert (test.split, test.ids, test.last) == ("test", ("a", "b"), "b")
    with pytest.raises(UnknownNameError, match="train"):
        test.with_split("train")


def test_another_split_walks_through_the_folder_no_second_time(tmp_path, monkeypatch):
    root = with_masks(tmp_path)
    (root / "test.txt").write_text("a\nb")
    (root / "val.txt").write_text("c")
    test = Folder(root)
    monkeypatch.setattr("os.walk", None)
    assert [sample.id for sample in test.with_split("val")] == ["c"]


def test_labels_of_another_size_are_refused(tmp_path):
    for name in "ab":
        save(tmp_path / "images" / f"{name}.png", grey(name)[:-1])
    put_coco(tmp_path / "a.json", "ab")
    with pytest.raises(AnnotationError, match=r"shape \(12, 16\), got \(11, 16\)"):
        Folder(tmp_path).load("a")
    put_label(tmp_path / "masks" / "b.x", "masks", "b")
    with pytest.raises(MaskError, match=r"shape \(11, 16\)"):
        Folder(tmp_path).load("b")


def test_links_to_folders_are_followed_once(tmp_path):
    real = with_masks(tmp_path / "real")
    root = tmp_path / "set"
    root.mkdir()
    for name in ("images", "masks"):
        (root / name).symlink_to(real / name)
    (real / "images" / "loop").symlink_to(real / "images")
    check_all(Folder(root), "masks")


def test_a_damaged_coco_file_is_named(tmp_path):
    save(tmp_path / "images" / "a.png", grey("a"))
    (tmp_path / "annotations.json").write_text(json.dumps({"images": []})[:-1])
    with pytest.raises(AnnotationError, match=r"annotations\.json, line 1, column"):
        Folder(tmp_path)


def test_load_dataset_takes_a_directory(tmp_path):
    folder = load_dataset(with_masks(tmp_path))
    assert type(folder).__name__ == "Folder"
    assert len(folder) == 3


def test_real_folders_are_what_they_are(data_root):
    counts = {"NUDT-SIRST": (663, 664), "NUAA-SIRST": (213, 214), "IRSTD-1k": (800, 201)}
    for name, (n_train, n_test) in counts.items():
        # NUAA-SIRST comes with the lists of two papers.
        folder = Folder(data_root / name, scheme="img_idx")
        assert (folder.layout, len(folder), len(folder.with_split("train"))) == (
            *("masks", n_test, n_train),
        )
        assert folder.info.title == name


def test_boxes_of_sirst_v2_equal_those_of_the_masks(data_root):
    root = data_root / "NUAA-SIRST"
    masks = Folder(root, scheme="img_idx")
    boxes = Folder(
        root, scheme="img_idx", layout="voc", labels="annotations_voc_v2", inclusive=False
    )
    assert masks.ids == boxes.ids
    n_boxes = 0
    # The published box of Misc_111 is in the frame of another mask.
    for sample_id in sorted({*masks.ids[::5]} - {"Misc_111"}):
        expected, found = masks.load(sample_id), boxes.load(sample_id)
        assert sorted(expected.boxes.tolist()) == sorted(found.boxes.tolist())
        n_boxes += len(found.boxes)
    assert n_boxes > 40
