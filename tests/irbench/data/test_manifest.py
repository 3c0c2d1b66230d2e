from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from irbench.data.manifest import build_manifest, hash_image, hash_truth
from irbench.dataset import Dataset, DatasetInfo, Sample
from irbench.errors import AnnotationError, ImageError, MaskError
from irbench.messages.progress import Advance, Progress


class InMemory(Dataset):
    """Samples, or the errors that reading them raises."""

    info = DatasetInfo(name="memory", title="Memory", reference="")

    def __init__(self, samples: Mapping[str, Sample | Exception]) -> None:
        self.samples = samples
        super().__init__(split="all")

    def split_ids(self, split: str) -> list[str]:
        return list(self.samples)

    def load(self, sample_id: str) -> Sample:
        found = self.samples[sample_id]
        if isinstance(found, Exception):
            raise found
        return found


def sample(name: str, seed: int, **changes: Any) -> Sample:
    image = np.random.default_rng(seed).integers(0, 256, (8, 9)).astype(np.uint8)
    mask = np.zeros(image.shape, bool)
    mask[2, 3] = mask[5:7, 6] = True
    return Sample(name, changes.pop("image", image), changes.pop("mask", mask), **changes)


@pytest.fixture
def samples() -> dict[str, Sample | Exception]:
    return {name: sample(name, seed) for seed, name in enumerate("abc")}


def test_entries_say_what_a_sample_is(samples: dict[str, Sample | Exception]) -> None:
    manifest = build_manifest(InMemory(samples))
    assert [entry.id for entry in manifest.entries] == ["a", "b", "c"]
    assert {entry.shape for entry in manifest.entries} == {(8, 9)}
    assert manifest.n_targets == 6
    assert manifest.unreadable == {}
    assert (manifest.dataset, manifest.split) == ("memory", "all")


def test_image_hash_is_sha256_of_type_shape_and_values() -> None:
    image = np.arange(6, dtype=np.uint16).reshape(2, 3)
    expected = hashlib.sha256(b"uint16(2, 3)" + image.astype("<u2").tobytes()).hexdigest()
    assert hash_image(image) == expected
    assert hash_image(image.astype(">u2")) == expected, "byte order counts"
    assert hash_image(np.asfortranarray(image)) == expected, "memory layout counts"


@pytest.mark.parametrize(
    "other",
    [
        np.zeros((3, 2), np.uint8),
        np.zeros((2, 3), np.int8),
        np.ones((2, 3), np.uint8),
        np.zeros((1, 6), np.uint8),
    ],
)
def test_image_hash_tells_images_apart(other: NDArray[Any]) -> None:
    assert hash_image(np.zeros((2, 3), np.uint8)) != hash_image(other)


def test_truth_hash_is_of_the_mask_unless_boxes_differ() -> None:
    one = sample("a", 0)
    assert hash_truth(one) == hash_truth(sample("b", 1)), "the image counts"
    assert hash_truth(one) == hash_truth(sample("a", 0, boxes=one.boxes.copy()))
    assert hash_truth(one) != hash_truth(sample("a", 0, boxes=one.boxes + 1))
    only_boxes = sample("a", 0, mask=None, boxes=one.boxes)
    assert hash_truth(only_boxes) != hash_truth(one)
    assert hash_truth(only_boxes) != hash_truth(sample("a", 0, mask=None))


def test_hash_does_not_depend_on_order(samples: dict[str, Sample | Exception]) -> None:
    backwards = dict(reversed(list(samples.items())))
    assert build_manifest(InMemory(samples)).hash == build_manifest(InMemory(backwards)).hash


@pytest.mark.parametrize(
    "changed",
    [
        sample("b", 7),
        sample("b", 1, mask=np.zeros((8, 9), bool)),
        sample("b", 1, value_range=(0.0, 300.0)),
        MaskError("gone"),
    ],
)
def test_hash_depends_on_all_that_counts(
    samples: dict[str, Sample | Exception], changed: Sample | Exception
) -> None:
    before = build_manifest(InMemory(samples)).hash
    assert build_manifest(InMemory({**samples, "b": changed})).hash != before


def test_hash_depends_on_ids(samples: dict[str, Sample | Exception]) -> None:
    renamed = {**samples}
    renamed["d"] = sample("d", 2)
    del renamed["c"]
    assert build_manifest(InMemory(renamed)).hash != build_manifest(InMemory(samples)).hash


def test_odd_pixels_do_not_enter_the_hash(samples: dict[str, Sample | Exception]) -> None:
    odd = {**samples, "b": sample("b", 1, n_odd=4)}
    manifest = build_manifest(InMemory(odd))
    assert manifest.hash == build_manifest(InMemory(samples)).hash
    assert [entry.n_odd for entry in manifest.entries] == [0, 4, 0]


@pytest.mark.parametrize("error", [ImageError, MaskError, AnnotationError])
def test_unreadable_samples_are_recorded(
    samples: dict[str, Sample | Exception], error: type[Exception]
) -> None:
    manifest = build_manifest(InMemory({**samples, "b": error("it is torn")}))
    assert manifest.unreadable == {"b": "it is torn"}
    assert [entry.id for entry in manifest.readable] == ["a", "c"]
    assert manifest.n_targets == 4
    assert manifest.as_dict()["unreadable"] == {"b": "it is torn"}


def test_reason_with_a_path_does_not_enter_the_hash(
    samples: dict[str, Sample | Exception],
) -> None:
    hashes = {
        build_manifest(InMemory({**samples, "b": ImageError(f"cannot read {place}/b.png")})).hash
        for place in ("/here", "/there")
    }
    assert len(hashes) == 1


def test_other_errors_are_raised(samples: dict[str, Sample | Exception]) -> None:
    with pytest.raises(ZeroDivisionError):
        build_manifest(InMemory({**samples, "b": ZeroDivisionError()}))


def test_progress(samples: dict[str, Sample | Exception]) -> None:
    class Counting(Progress):
        calls = 0
        total = 0

        @contextmanager
        def track(self, title: str, total: int, unit: str = "") -> Iterator[Advance]:
            self.total = total

            def advance() -> None:
                self.calls += 1

            yield advance

    progress = Counting()
    assert build_manifest(InMemory(samples), progress) == build_manifest(InMemory(samples))
    assert (progress.calls, progress.total) == (3, 3)
