from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from irbench.datasets.nuaa import Nuaa
from irbench.errors import MaskError

FAULTY = "Misc_111"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy with the faulty pair alone: the published sizes, made-up pixels."""
    random = np.random.default_rng(111)
    for folder, name, shape in (
        ("images", f"{FAULTY}.png", (220, 325)),
        ("masks", f"{FAULTY}_pixels0.png", (400, 592)),
    ):
        (tmp_path / "sirst" / folder).mkdir(parents=True)
        pixels = (random.random(shape) > 0.9).astype(np.uint8) * 255
        cv2.imwrite(str(tmp_path / "sirst" / folder / name), pixels)
    return tmp_path / "sirst"


def test_published_mask_is_brought_to_the_size_of_its_image(root: Path) -> None:
    dataset = Nuaa(root)
    stored = cv2.imread(str(root / "masks" / f"{FAULTY}_pixels0.png"), cv2.IMREAD_UNCHANGED)
    expected = cv2.resize(stored, (325, 220), interpolation=cv2.INTER_NEAREST) > 0
    np.testing.assert_array_equal(dataset.load(FAULTY).mask, expected)
    assert dataset.repairs_in_force() == dataset.declared_repairs()


def test_repaired_mask_is_left_alone(root: Path) -> None:
    mask = np.zeros((220, 325), np.uint8)
    mask[100:103, 50:52] = 255
    cv2.imwrite(str(root / "masks" / f"{FAULTY}_pixels0.png"), mask)
    dataset = Nuaa(root)
    np.testing.assert_array_equal(dataset.load(FAULTY).mask, mask > 0)
    assert dataset.repairs_in_force() == ()


def test_mask_of_any_other_size_is_an_error(root: Path) -> None:
    cv2.imwrite(str(root / "masks" / f"{FAULTY}_pixels0.png"), np.zeros((400, 591), np.uint8))
    dataset = Nuaa(root)
    with pytest.raises(MaskError, match=FAULTY):
        dataset.load(FAULTY)
    assert dataset.repairs_in_force() == ()


def test_the_repair_gives_the_known_ground_truth(data_root: Path, tmp_path: Path) -> None:
    source = data_root / "NUAA-SIRST"
    upstream = source / "masks_upstream_replaced" / f"{FAULTY}_v1_592x400.png"
    if not upstream.exists():
        pytest.skip("the upstream mask is not at hand")
    for folder, name, file in (
        ("images", f"{FAULTY}.png", source / "images" / f"{FAULTY}.png"),
        ("masks", f"{FAULTY}_pixels0.png", upstream),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(file.read_bytes())
    repaired = Nuaa(tmp_path).load(FAULTY)
    known = Nuaa(data_root).load(FAULTY)
    np.testing.assert_array_equal(repaired.mask, known.mask)
    assert repaired.boxes.tolist() == [[143, 114, 151, 120]]


def test_real_ground_truth(data_root: Path) -> None:
    everything = {sample.id: len(sample.boxes) for sample in Nuaa(data_root, split="all")}
    assert len(everything) == Nuaa.info.n_images == 427
    assert sum(everything.values()) == Nuaa.info.n_targets == 533
    official = Nuaa(data_root, split="test", scheme="official")
    assert sum(everything[name] for name in official.ids) == 263
