from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import cv2
import numpy as np
import pytest
import tifffile
from pycocotools.coco import COCO

from irbench.conventions import Conventions
from irbench.data.annotations import read_coco, write_yolo
from irbench.data.exporting import export
from irbench.dataset import Dataset, DatasetInfo, Sample
from irbench.datasets.folder import Folder
from irbench.errors import ArchiveError, MaskError, UnknownNameError, UsageError
from irbench.images import read_image
from irbench.messages.progress import Advance, Progress
from irbench.plugins.registry import load_dataset


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


def sample(name: str, dtype: type = np.uint8, boxes: list | None = None) -> Sample:
    random = np.random.default_rng(sum(map(ord, name)))
    shape = (random.integers(20, 40), random.integers(20, 40))
    if dtype == np.uint8:
        image = random.integers(0, 256, shape, dtype=np.uint8)
    elif dtype == np.uint16:
        image = random.integers(0, 65536, shape, dtype=np.uint16)
    else:
        image = random.random(shape).astype(dtype)
    if boxes is not None:
        return Sample(name, image, None, np.array(boxes, dtype=np.float32))
    mask = np.zeros(shape, bool)
    mask[3:6, 4:9] = mask[6, 4] = True
    mask[15, 17] = True
    return Sample(name, image, mask)


class Few(Dataset):
    """A dataset made here."""

    info = DatasetInfo(name="few", title="Few", reference="")
    samples: ClassVar[dict[str, list[Sample]]] = {
        "train": [sample("00007", np.uint16), sample("00003")],
        "val": [sample("00012", boxes=[])],
        "test": [
            sample("00001", boxes=[[0.25, 0.5, 3.1, 7.7], [1 / 3, 2 / 3, 19.9, 20]]),
            sample("00100", np.float32),
        ],
    }
    broken: ClassVar[set[str]] = set()

    def split_ids(self, split: str) -> list[str]:
        splits = self.samples if split == "all" else [split]
        return [made.id for name in splits for made in self.samples[name]]

    def load(self, sample_id: str) -> Sample:
        if sample_id in self.broken:
            raise MaskError(f"{sample_id} is broken")
        return next(made for all_ in self.samples.values() for made in all_ if made.id == sample_id)


@pytest.mark.parametrize("form", ["yolo", "coco"])
def test_a_folder_reads_what_was_written(tmp_path, form):
    done = export(Few(), tmp_path / "out", form)
    assert done.folder == tmp_path / "out"
    assert done.n_images == {"train": 2, "val": 1, "test": 2}
    assert done.n_boxes == {"train": 4, "val": 0, "test": 4}
    assert done.left_out == {}
    folder = Folder(tmp_path / "out")
    assert folder.layout == form
    assert folder.splits == ("train", "val", "test", "all")
    for split in ("train", "val", "test"):
        part = folder.with_split(split)
        assert sorted(part.ids) == sorted(Few().split_ids(split))
        for read in part:
            written = Few().load(read.id)
            np.testing.assert_array_equal(read.image, written.image)
            assert read.image.dtype == written.image.dtype
            np.testing.assert_allclose(read.boxes, written.boxes, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_images_keep_their_values(tmp_path, dtype, monkeypatch):
    monkeypatch.setattr(Few, "samples", {"test": [sample("a", dtype)]})
    monkeypatch.setattr(Few, "splits", ("test", "all"))
    export(Few(), tmp_path / "out")
    read = Folder(tmp_path / "out")[0]
    np.testing.assert_array_equal(read.image, Few()[0].image)
    assert read.image.dtype == (np.float64 if dtype == np.float64 else np.float32)


def test_the_layout_of_yolo(tmp_path):
    export(Few(), tmp_path / "out")
    files = sorted(p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*.*"))
    assert list(map(str, files)) == [
        "data.yaml",
        *("images/test/00001.png", "images/test/00100.tif"),
        *("images/train/00003.png", "images/train/00007.png", "images/val/00012.png"),
        *("labels/test/00001.txt", "labels/test/00100.txt"),
        *("labels/train/00003.txt", "labels/train/00007.txt", "labels/val/00012.txt"),
    ]
    assert (tmp_path / "out" / "data.yaml").read_text() == (
        "train: images/train\nval: images/val\ntest: images/test\nnames:\n  0: target\n"
    )
    assert (tmp_path / "out" / "labels/val/00012.txt").read_text() == ""
    # The depth is that of the file, whoever reads it.
    stored = cv2.imread(str(tmp_path / "out/images/train/00007.png"), cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint16


def test_coco_is_what_pycocotools_expects(tmp_path, capsys):
    export(Few(), tmp_path / "out", "coco")
    coco = COCO(tmp_path / "out" / "annotations" / "instances_train.json")
    capsys.readouterr()
    # Ids that are numbers are the image ids; annotations are numbered from 1.
    assert sorted(coco.getImgIds()) == [3, 7]
    assert sorted(coco.getAnnIds()) == [1, 2, 3, 4]
    first = coco.loadAnns(coco.getAnnIds(imgIds=[7]))
    assert [a["bbox"] for a in first] == [[4, 3, 5, 4], [17, 15, 1, 1]]
    # The area is the mask's, not the box's.
    assert [a["area"] for a in first] == [16, 1]
    content = json.loads((tmp_path / "out/annotations/instances_test.json").read_text())
    assert [a["id"] for a in content["annotations"]] == [1, 2, 3, 4]
    assert [i["file_name"] for i in content["images"]] == ["00001.png", "00100.tif"]


def test_names_that_are_no_numbers_are_counted_from_one(tmp_path, monkeypatch):
    monkeypatch.setattr(Few, "samples", {"test": [sample("x"), sample("seq/x")]})
    export(Few(), tmp_path / "out", "coco", splits=["test"])
    content = json.loads((tmp_path / "out/annotations/instances_test.json").read_text())
    assert [(i["id"], i["file_name"]) for i in content["images"]] == [
        *((1, "x.png"), (2, "seq/x.png")),
    ]
    assert sorted(Folder(tmp_path / "out").ids) == ["seq/x", "x"]


@pytest.mark.parametrize("form", ["yolo", "coco"])
def test_broken_samples_are_left_out_and_named(tmp_path, form, monkeypatch):
    monkeypatch.setattr(Few, "broken", {"00003"})
    recorder = Recorder()
    done = export(Few(), tmp_path / "out", form, splits=["train"], progress=recorder)
    assert done.left_out == {"00003": "00003 is broken"}
    assert done.n_images == {"train": 1}
    assert recorder.steps == [("writing the train split of Few", 2, 2)]
    assert Folder(tmp_path / "out", split="train").ids == ("00007",)


def test_refuses_a_folder_that_holds_anything(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".keep").write_text("")
    (tmp_path / "file").write_text("")
    for name in ("out", "file"):
        with pytest.raises(UsageError, match="must be a new or an empty folder"):
            export(Few(), tmp_path / name)
    (tmp_path / "out" / ".keep").unlink()
    export(Few(), tmp_path / "out", splits=["val"])
    assert len(Folder(tmp_path / "out", split="all")) == 1


def test_refuses_unknown_formats_and_splits(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown export format 'voc'"):
        export(Few(), tmp_path / "out", "voc")
    with pytest.raises(UnknownNameError, match="unknown split"):
        export(Few(), tmp_path / "out", splits=["exam"])
    assert not (tmp_path / "out").exists()


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Few, "samples", {"test": [sample("a"), sample("../b")]})
    with pytest.raises(ArchiveError, match="leads out of the folder"):
        export(Few(), tmp_path / "out", splits=["test"])
    assert list(tmp_path.iterdir()) == []


def test_real_data_survive(tmp_path, data_root):
    dataset = Folder(data_root / "NUAA-SIRST", scheme="img_idx")
    done = export(dataset, tmp_path / "out", "coco", splits=["test"])
    assert (done.n_images, done.n_boxes) == ({"test": 214}, {"test": 263})
    read = Folder(tmp_path / "out")
    assert sorted(read.ids) == sorted(dataset.ids)
    for sample_id in dataset.ids[::10]:
        expected, found = dataset.load(sample_id), read.load(sample_id)
        np.testing.assert_array_equal(found.image, expected.image)
        np.testing.assert_allclose(found.boxes, expected.boxes, rtol=0, atol=1e-4)


def test_generated_data_survive(tmp_path):
    dataset = load_dataset("synth", split="val")
    done = export(dataset, tmp_path / "out", splits=["val"])
    read = Folder(tmp_path / "out", split="val")
    assert done.n_images == {"val": len(dataset)}
    assert sorted(read.ids) == sorted(dataset.ids)
    expected, found = dataset[3], read.load(dataset[3].id)
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_allclose(found.boxes, expected.boxes, rtol=0, atol=1e-4)


def labelled(root, splits, dtype=np.uint8):
    """Box labels of two classes, one of them not to be cared for."""
    for stem in {name for names in splits.values() for name in names}:
        (root / "images").mkdir(parents=True, exist_ok=True)
        (root / "labels").mkdir(exist_ok=True)
        tifffile.imwrite(root / "images" / f"{stem}.tif", np.full((40, 60), 7, dtype))
        boxes = [[3, 4, 6, 8], [20, 20, 40, 30]]
        write_yolo(root / "labels" / f"{stem}.txt", boxes, (40, 60), classes=[0, 1])
    for split, names in splits.items():
        (root / f"{split}.txt").write_text("\n".join(names))
    return root


def test_a_validation_split_is_drawn_with_a_stated_seed(tmp_path):
    names = [f"{i:02d}" for i in range(20)]
    dataset = load_dataset(labelled(tmp_path / "in", {"train": names, "test": ["t"]}))
    done = export(dataset, tmp_path / "out", val_share=0.2, seed=3)
    assert done.n_images == {"train": 16, "test": 1, "val": 4}
    train, val = (
        {path.stem for path in (tmp_path / "out" / "labels" / split).iterdir()}
        for split in ("train", "val")
    )
    assert train | val == set(names)
    assert not train & val
    assert "seed 3" in (tmp_path / "out" / "data.yaml").read_text()
    again = export(dataset, tmp_path / "again", val_share=0.2, seed=3)
    assert {path.stem for path in (again.folder / "labels" / "val").iterdir()} == val
    other = export(dataset, tmp_path / "other", val_share=0.2, seed=4)
    assert {path.stem for path in (other.folder / "labels" / "val").iterdir()} != val


def test_what_a_trainer_will_miss_is_said(tmp_path):
    dataset = load_dataset(labelled(tmp_path / "in", {"train": ["a", "b"], "test": ["t"]}))
    assert "there is no val split" in export(dataset, tmp_path / "out").missing
    assert export(dataset, tmp_path / "coco", "coco").missing == ""
    only = load_dataset(labelled(tmp_path / "only", {"test": ["t"]}))
    assert "no train and no val split" in export(only, tmp_path / "out2").missing
    with pytest.raises(UsageError, match="training split, which has 0"):
        export(only, tmp_path / "out3", val_share=0.5)
    root = labelled(tmp_path / "both", {"train": ["a", "b"], "val": ["c"]})
    both = load_dataset(root, split="val")
    with pytest.raises(UsageError, match="without a validation split"):
        export(both, tmp_path / "out4", val_share=0.5)
    with pytest.raises(UsageError, match="between 0 and 1"):
        export(dataset, tmp_path / "out5", val_share=1.0)


def test_ignored_regions_are_crowds_in_coco_and_counted_in_yolo(tmp_path):
    root = labelled(tmp_path / "in", {"test": ["t"]})
    dataset = load_dataset(root, conventions=Conventions(ignore_classes=("1",)))
    assert export(dataset, tmp_path / "yolo").n_ignored == {"test": 1}
    export(dataset, tmp_path / "coco", "coco")
    read = read_coco(tmp_path / "coco" / "annotations" / "instances_test.json").labels[1]
    assert read.crowd.tolist() == [False, True]
    sample = load_dataset(tmp_path / "coco").load("t")
    assert (sample.boxes.tolist(), sample.ignored.tolist()) == ([[3, 4, 6, 8]], [[20, 20, 40, 30]])


def test_signed_images_keep_their_values(tmp_path):
    root = labelled(tmp_path / "in", {"test": ["t"]}, np.int16)
    dataset = load_dataset(root, conventions=Conventions(value_range=(-100, 100)))
    export(dataset, tmp_path / "out")
    image = read_image(tmp_path / "out" / "images" / "test" / "t.tif")
    assert (image.dtype, int(image[0, 0])) == (np.int16, 7)
