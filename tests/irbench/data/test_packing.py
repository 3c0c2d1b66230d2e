"""A packed dataset is the dataset: samples, manifests, splits and errors."""

from __future__ import annotations

import pickle
import zipfile
from typing import ClassVar

import numpy as np
import pytest

from irbench import Dataset, DatasetInfo, Sample, load_dataset
from irbench.data.manifest import build_manifest
from irbench.data.packing import PackedDataset, pack
from irbench.errors import ImageError, MissingDataError, UnknownNameError, UsageError

RNG = np.random.default_rng(0)
IMAGES = {
    "grey": RNG.integers(0, 256, (30, 41), dtype=np.uint8),
    "deep": RNG.integers(0, 2**14, (21, 9), dtype=np.uint16),
    "float": RNG.random((8, 8), dtype=np.float32),
    "double": RNG.random((5, 3)),
    "dot": np.full((1, 1), 7, np.uint8),
    "boxes": RNG.integers(0, 256, (16, 16), dtype=np.uint8),
}


class Mixed(Dataset):
    """Images of all types, with and without masks, one of them unreadable."""

    info = DatasetInfo(
        name="mixed", title="Mixed", reference="none", licence="CC0", schemes=("one", "two")
    )
    class_names: ClassVar = {"0": "boat"}

    def split_ids(self, split):
        parts = {"train": ["grey", "deep", "broken"], "val": ["float", "dot"]}
        parts["test"] = ["double", "boxes"]
        parts["all"] = [*parts["train"], *parts["val"], *parts["test"]]
        return parts[split]

    def load(self, sample_id):
        if sample_id == "broken":
            raise ImageError("broken.png is cut off")
        image = IMAGES[sample_id]
        mask = np.zeros(image.shape, bool)
        mask[: len(mask) // 2, :1] = True
        if sample_id == "boxes":
            boxes = np.array([[0.5, 1, 3.25, 4]], np.float32)
            ignored = np.array([[4, 4, 9, 9]], np.float32)
            return Sample(sample_id, image, None, boxes, ignored=ignored, label_counts={"0": 2})
        if sample_id == "deep":
            return Sample(sample_id, image, mask, value_range=(0, 16383), n_odd=3, notes=("odd",))
        return Sample(sample_id, image, mask)


@pytest.fixture
def packed(tmp_path):
    pack(Mixed(split="all", scheme="two"), tmp_path / "mixed.irpack")
    return PackedDataset(tmp_path / "mixed.irpack", "all")


def assert_same(one, other):
    assert one.image.dtype == other.image.dtype
    np.testing.assert_array_equal(one.image, other.image)
    assert (one.mask is None) == (other.mask is None)
    if one.mask is not None:
        np.testing.assert_array_equal(one.mask, other.mask)
    for name in ("boxes", "ignored"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("id", "value_range", "n_odd", "notes", "label_counts"):
        assert getattr(one, name) == getattr(other, name), name


def test_every_sample_comes_back_as_it_was(packed):
    dataset = Mixed(split="all")
    assert packed.ids == dataset.ids
    for name in IMAGES:
        assert_same(packed.load(name), dataset.load(name))
    with pytest.raises(ImageError, match=r"broken.png is cut off"):
        packed.load("broken")
    with pytest.raises(UnknownNameError, match="unknown id of mixed 'gray'"):
        packed.load("gray")


def test_it_is_the_same_dataset_to_manifests(packed):
    assert packed.info == Mixed.info
    assert packed.scheme == "two"
    assert packed.class_names == {"0": "boat"}
    for split in ("train", "val", "test", "all"):
        original = build_manifest(Mixed(split=split, scheme="two"))
        assert build_manifest(packed.with_split(split)).hash == original.hash


def test_some_splits_are_packed_and_no_other_is_there(tmp_path):
    written = pack(Mixed(split="all"), tmp_path / "part.irpack", ["val", "train"])
    assert (written.n_images, written.n_left_out) == (5, 1)
    assert written.n_bytes == (tmp_path / "part.irpack").stat().st_size
    part = load_dataset(tmp_path / "part.irpack", split="train")
    assert part.splits == ("val", "train", "all")
    assert part.ids == ("grey", "deep", "broken")
    with pytest.raises(UnknownNameError, match="split of mixed 'test'"):
        part.with_split("test")


def test_another_process_reads_it(packed):
    packed.load("grey")
    again = pickle.loads(pickle.dumps(packed))
    assert_same(again.load("grey"), packed.load("grey"))


def test_it_is_opened_by_its_path_or_as_the_place_of_its_dataset(packed):
    for opened in (
        load_dataset(packed.root, split="val"),
        load_dataset("nudt", packed.root, "val"),
    ):
        assert opened.info.name == "mixed"
        assert opened.ids == ("float", "dot")
    with pytest.raises(UnknownNameError, match=r"split scheme of mixed\.irpack 'one'"):
        load_dataset(packed.root, split="val", scheme="one")


def test_synth_survives(tmp_path):
    original = load_dataset("synth", split="val")
    pack(original, tmp_path / "synth.irpack", ["val"])
    again = load_dataset(tmp_path / "synth.irpack", split="val")
    for sample_id in original.ids[:5]:
        assert_same(again.load(sample_id), original.load(sample_id))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "x.irpack"
    path.write_bytes(content)
    with pytest.raises(MissingDataError, match="cannot be read as a file of `irbench data pack`"):
        load_dataset(path)


@pytest.mark.parametrize("content", ["[]", "{}", '{"schema": 9}', "not json"])
def test_another_content_is_refused(tmp_path, content):
    path = tmp_path / "x.irpack"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dataset.json", content)
    with pytest.raises(MissingDataError):
        load_dataset(path)


def test_what_cannot_be_packed_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"written as NAME\.irpack, got x\.zip"):
        pack(Mixed(split="all"), tmp_path / "x.zip")
    with pytest.raises(UnknownNameError, match="split of mixed 'vall'"):
        pack(Mixed(split="all"), tmp_path / "x.irpack", ["vall"])
    assert list(tmp_path.iterdir()) == []
