from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from irbench.data.manifest import build_manifest
from irbench.data.splits import SplitListError, SplitLists
from irbench.data.verifiable import KnownContent
from irbench.data.verify import VerifyReport, format_report, verify
from irbench.dataset import Dataset, DatasetInfo, Sample
from irbench.datasets.nuaa import Nuaa
from irbench.errors import ImageError, MissingDataError
from irbench.plugins.registry import load_dataset

IDS = ("Misc_1", "Misc_2", "Misc_3")


class Tiny(Nuaa):
    """The first images of NUAA-SIRST with pixels of their own, and facts that fit them."""

    info = DatasetInfo(
        name="nuaa",
        title="Tiny",
        reference="",
        schemes=("60-20-20",),
        n_images=len(IDS),
        n_targets=2 * len(IDS),
    )
    known: ClassVar[dict[str, KnownContent]] = {}

    def split_ids(self, split: str) -> list[str]:
        parts = {"train": IDS[:1], "val": IDS[1:2], "test": IDS[2:]}
        return list(parts[split]) if split in parts else super().split_ids(split)

    def known_content(self) -> Mapping[str, KnownContent]:
        return self.known


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sound copy, whose content becomes the known one."""
    random = np.random.default_rng(1)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for sample_id in IDS:
        write(tmp_path, "images", sample_id, random.integers(0, 256, (12, 15)).astype(np.uint8))
        mask = np.zeros((12, 15), np.uint8)
        mask[4:6, 4:6] = mask[9, 9] = 255
        write(tmp_path, "masks", sample_id, mask)
    entries = build_manifest(Tiny(tmp_path, split="all")).entries
    known = {e.id: KnownContent(e.image_hash[:16], e.truth_hash[:16]) for e in entries}
    monkeypatch.setattr(Tiny, "known", known)
    return tmp_path


def write(root: Path, folder: str, sample_id: str, pixels: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(root / folder / f"{sample_id}.png"), pixels)


def read(root: Path, folder: str, sample_id: str) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(root / folder / f"{sample_id}.png"), cv2.IMREAD_UNCHANGED))


def found(report: VerifyReport) -> dict[str, tuple[str, ...]]:
    """The problems by check, with the ids that any of them names."""
    by_check: dict[str, tuple[str, ...]] = {}
    for finding in report.problems:
        by_check[finding.check] = by_check.get(finding.check, ()) + finding.ids
    return by_check


def test_a_sound_copy_has_no_problem(root: Path) -> None:
    report = verify(Tiny(root=root, split="all"))
    assert report.ok
    assert report.problems == ()
    assert (report.n_images, report.n_targets) == (3, 6)
    assert {finding.check for finding in report.notes} == {"content", "splits", "repairs"}
    assert format_report(report)[0].startswith(f"Tiny in {root}: 3 images, 6 targets")
    assert format_report(report)[-1] == "  ok"


def test_reencoding_changes_nothing(root: Path) -> None:
    before = verify(Tiny(root=root, split="all"))
    image = read(root, "images", "Misc_2")
    (root / "images" / "Misc_2.png").unlink()
    cv2.imwrite(str(root / "images" / "Misc_2.BMP"), np.dstack([image] * 3))
    write(root, "masks", "Misc_2", read(root, "masks", "Misc_2") // 255)
    after = verify(Tiny(root=root, split="all"))
    assert after.ok
    assert after.manifest_hash == before.manifest_hash


def test_changed_pixels_are_named(root: Path) -> None:
    image = read(root, "images", "Misc_2")
    image[0, 0] ^= 1
    write(root, "images", "Misc_2", image)
    report = verify(Tiny(root=root, split="all"))
    assert found(report) == {"content": ("Misc_2",)}
    assert "1 image whose pixels differ" in report.problems[0].message


def test_a_changed_mask_is_named(root: Path) -> None:
    mask = read(root, "masks", "Misc_3")
    mask[4, 6] = 255
    write(root, "masks", "Misc_3", mask)
    report = verify(Tiny(root=root, split="all"))
    assert found(report) == {"content": ("Misc_3",)}
    assert "1 mask whose pixels differ" in report.problems[0].message


def test_image_without_mask(root: Path) -> None:
    (root / "masks" / "Misc_1.png").unlink()
    report = verify(Tiny(root=root, split="all"))
    assert found(report) == {"pairs": ("Misc_1",), "counts": ()}


def test_mask_without_image(root: Path) -> None:
    (root / "images" / "Misc_1.png").unlink()
    report = verify(Tiny(root=root, split="all"))
    named = found(report)
    assert named["pairs"] == named["content"] == named["splits"] == ("Misc_1",)
    assert "counts" in named


def test_foreign_image(root: Path) -> None:
    for folder in ("images", "masks"):
        write(root, folder, "Holiday", read(root, folder, "Misc_1"))
    report = verify(Tiny(root=root, split="all"))
    assert found(report) == {"counts": (), "content": ("Holiday",)}
    assert any(note.ids == ("Holiday",) for note in report.notes), "in no split"


def truncate(root: Path) -> None:
    path = root / "images" / "Misc_2.png"
    path.write_bytes(path.read_bytes()[:-15])


def shrink_mask(root: Path) -> None:
    write(root, "masks", "Misc_2", read(root, "masks", "Misc_2")[:, 1:])


def scramble_mask(root: Path) -> None:
    (root / "masks" / "Misc_2.png").write_bytes(b"no image")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "truncated"),
        (shrink_mask, "(12, 14)"),
        (scramble_mask, "cannot decode"),
    ],
)
def test_unreadable_samples_are_named(
    root: Path, damage: Callable[[Path], None], reason: str
) -> None:
    damage(root)
    report = verify(Tiny(root=root, split="all"))
    assert found(report) == {"readable": ("Misc_2",), "counts": ()}
    assert reason in report.problems[0].detail
    assert any("cannot be used: Misc_2: " in line for line in format_report(report))


def test_odd_mask_values_are_a_note(root: Path) -> None:
    mask = read(root, "masks", "Misc_1")
    row, column = np.argwhere(mask)[0]
    mask[row - 1, column] = 100
    write(root, "masks", "Misc_1", mask)
    report = verify(Tiny(root=root, split="all"))
    assert report.ok
    (odd,) = (finding for finding in report.notes if finding.check == "mask values")
    assert odd.ids == ("Misc_1",)
    assert odd.message.startswith("1 mask with other values")
    assert "1 pixel" in odd.detail
    assert "value > 127" in odd.detail


def test_a_repair_is_told_by_number(root: Path) -> None:
    assert "repair 1 of 1, not applied to this copy: Misc_111: the mask" in "\n".join(
        format_report(verify(Tiny(root=root, split="all")))
    )
    write(root, "images", "Misc_111", np.zeros((220, 325), np.uint8))
    write(root, "masks", "Misc_111", np.zeros((400, 592), np.uint8))
    text = "\n".join(format_report(verify(Tiny(root=root, split="all"))))
    assert "repair 1 of 1, applied: Misc_111: the mask is brought to 220x325" in text


def test_damaged_split_lists_are_a_problem(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: SplitLists, scheme: str, split: str) -> list[str]:
        if split == "val":
            raise SplitListError("the split list nuaa/60-20-20/val.txt is not the one.")
        return list(IDS)

    monkeypatch.setattr(SplitLists, "_read", refuse)
    report = verify(Tiny(root=root, split="all"))
    assert any("val.txt is not the one" in finding.message for finding in report.problems)


def test_overlap_is_a_problem(root: Path) -> None:
    class Leaky(Tiny):
        def split_ids(self, split: str) -> list[str]:
            return list(IDS[:2]) if split == "test" else super().split_ids(split)

    report = verify(Leaky(root=root, split="all"))
    assert [(f.message, f.ids) for f in report.problems] == [
        ("60-20-20: 1 image in both train and test", ("Misc_1",)),
        ("60-20-20: 1 image in both val and test", ("Misc_2",)),
    ]


class Plain(Dataset):
    """A dataset of which nothing is known beforehand."""

    info = DatasetInfo(name="plain", title="Plain", reference="")
    samples: ClassVar[tuple[str, ...]] = ("a", "b", "torn")

    @property
    def splits(self) -> tuple[str, ...]:
        return ("test", "all")

    def split_ids(self, split: str) -> list[str]:
        return [*self.samples, "gone"] if split == "test" else list(self.samples)

    def load(self, sample_id: str) -> Sample:
        if sample_id == "torn":
            raise ImageError("torn.png is truncated.")
        return Sample(sample_id, np.zeros((4, 4), np.uint8), np.eye(4, dtype=bool), n_odd=1)


def test_any_dataset_can_be_verified() -> None:
    for subject in (Plain(split="test"), Plain(split="all")):
        report = verify(subject)
        assert found(report) == {"readable": ("torn",), "splits": ("gone",)}
        assert report.root is None
        assert [finding.ids for finding in report.notes] == [("a", "b")]


def test_no_image_is_a_problem() -> None:
    class Empty(Plain):
        samples = ()

    assert "there is no image" in [
        finding.message for finding in verify(Empty(split="all")).problems
    ]


def test_missing_dataset_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError):
        verify(Nuaa(root=tmp_path, split="all"))


def test_a_published_dataset(root: Path) -> None:
    report = verify(load_dataset("nuaa", root, split="all"))
    assert report.title == "NUAA-SIRST"
    assert "3 images; a complete copy has 427" in [p.message for p in report.problems]
    assert len(report.problems[-1].ids) > 0


def test_long_lists_of_ids_are_cut(root: Path) -> None:
    report = verify(load_dataset("nuaa", root, split="all"))
    lines = format_report(report, max_ids=2)
    (missing,) = (line for line in lines if " images missing" in line)
    assert missing.endswith("Misc_10, Misc_100 and 422 more")


def test_report_is_json(root: Path) -> None:
    truncate(root)
    told = json.loads(json.dumps(verify(Tiny(root=root, split="all")).as_dict()))
    assert told["ok"] is False
    assert told["problems"][0]["check"] == "readable"
    assert told["problems"][0]["ids"] == ["Misc_2"]
    assert len(told["manifest_hash"]) == 64


def test_the_real_copy_is_the_known_one(data_root: Path) -> None:
    report = verify(load_dataset("nuaa", data_root, split="all"))
    assert report.ok, format_report(report)
    assert any("all 427 images and masks" in note.message for note in report.notes)


def own(folder: Path, masks: list[np.ndarray]) -> Path:
    for index, mask in enumerate(masks):
        for name in ("images", "masks"):
            (folder / name).mkdir(exist_ok=True)
        write(folder, "images", str(index), np.full(mask.shape, 9 + index, np.uint8))
        write(folder, "masks", str(index), mask)
    return folder


def test_masks_that_lose_their_targets_or_fill_the_image_are_problems(tmp_path: Path) -> None:
    target = np.zeros((20, 30), np.uint8)
    target[3:6, 4:7] = 255
    classes = target.copy()
    classes[12:15, 4:7] = 76
    report = verify(
        load_dataset("folder", own(tmp_path, [target, 255 - target, classes]), split="all")
    )
    assert [(problem.ids, problem.check) for problem in report.problems] == [
        (("1",), "readable"),
        (("2",), "readable"),
    ]
    assert report.n_targets == 1


def test_many_masks_and_no_target_is_a_problem(tmp_path: Path) -> None:
    report = verify(
        load_dataset("folder", own(tmp_path, [np.zeros((20, 30), np.uint8)] * 4), split="all")
    )
    (missing,) = report.problems
    assert missing.message == "no target in 4 images"


def test_how_masks_are_read_is_a_note(tmp_path: Path) -> None:
    numbered = np.zeros((20, 30), np.uint8)
    numbered[3, 4], numbered[9, 9] = 1, 2
    report = verify(load_dataset("folder", own(tmp_path, [numbered, numbered]), split="all"))
    (how,) = (note for note in report.notes if note.check == "reading")
    assert how.ids == ("0", "1")
    assert "number targets or classes" in how.message


def test_copies_in_another_split_are_problems_and_name_both(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    mask = np.zeros((12, 15), np.uint8)
    mask[4:6, 4:6] = 255
    images = dict.fromkeys("ab", random.integers(0, 256, (12, 15)).astype(np.uint8))
    images |= {name: random.integers(0, 256, (12, 15)).astype(np.uint8) for name in "cd"}
    for name, image in images.items():
        write(tmp_path, "images", name, image)
        write(tmp_path, "masks", name, mask)
    (tmp_path / "val.txt").write_text("a\nc\n")
    (tmp_path / "test.txt").write_text("b\nd\n")
    report = verify(load_dataset(str(tmp_path)))
    (copies,) = [one for one in report.problems if one.check == "splits"]
    assert copies.message == "1 image of test in val too, under another name"
    assert copies.ids == ("b (a)",)
