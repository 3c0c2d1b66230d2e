"""The published datasets in the layouts that people have on disk, made small."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from irbench.dataset import Dataset
from irbench.datasets.irstd1k import Irstd1k
from irbench.datasets.nuaa import Nuaa
from irbench.datasets.nudt import Nudt
from irbench.errors import ImageError, MaskError, MissingDataError, UnknownNameError

SHAPE = (12, 17)


@pytest.fixture
def image() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.uint8)


@pytest.fixture
def mask() -> NDArray[np.uint8]:
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[3:5, 4:7] = drawn[9, 15] = 255
    return drawn


@pytest.fixture
def make(tmp_path: Path, image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> Callable[..., Path]:
    """Write pairs below ``tmp_path`` and answer the folder."""

    def write(
        folder: str,
        images: str = "images",
        masks: str = "masks",
        ids: tuple[str, ...] = ("000001", "000002"),
        image_name: str = "{}.png",
        mask_name: str = "{}.png",
    ) -> Path:
        root = tmp_path / folder
        for name, pixels in ((f"{images}/{image_name}", image), (f"{masks}/{mask_name}", mask)):
            for sample_id in ids:
                path = root / name.format(sample_id)
                path.parent.mkdir(parents=True, exist_ok=True)
                # OpenCV goes by the suffix, and knows it in lower case.
                path.write_bytes(cv2.imencode(path.suffix.lower(), pixels)[1].tobytes())
        return root

    return write


NUAA = ("Misc_1", "Misc_2")
IRSTD = ("XDU0", "XDU10")
LAYOUTS: list[tuple[type[Dataset], dict[str, Any]]] = [
    (Nudt, {"folder": "NUDT-SIRST"}),
    (Nudt, {"folder": "nudt-sirst", "images": "Images", "masks": "MASKS"}),
    (Nudt, {"folder": "nudt"}),
    (Nudt, {"folder": "NUDT-SIRST/NUDT-SIRST"}),
    (Nudt, {"folder": "NUDT-SIRST", "image_name": "{}.PNG", "mask_name": "{}.bmp"}),
    (Irstd1k, {"folder": "IRSTD-1k", "images": "IRSTD1k_Img", "masks": "IRSTD1k_Label"}),
    (Irstd1k, {"folder": "IRSTD-1K"}),
    (Irstd1k, {"folder": "irstd1k", "images": "irstd1k_img", "masks": "irstd1k_label"}),
    (Nuaa, {"folder": "NUAA-SIRST"}),
    (Nuaa, {"folder": "sirst", "mask_name": "{}_pixels0.png"}),
    (Nuaa, {"folder": "SIRST", "mask_name": "{}_pixels0.png"}),
    (Nuaa, {"folder": "sirst-master", "mask_name": "{}_pixels0.png"}),
]


@pytest.mark.parametrize(("cls", "layout"), LAYOUTS)
def test_layouts(
    cls: type[Dataset],
    layout: dict[str, Any],
    make: Callable[..., Path],
    image: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = {Nudt: ("000001", "000002"), Nuaa: NUAA, Irstd1k: IRSTD}[cls]
    folder = make(**layout, ids=ids)
    monkeypatch.setenv("IRBENCH_DATA", str(tmp_path))
    for root in (folder, tmp_path, None):
        dataset = cls(root=root, split="all")
        assert dataset.ids == ids
        assert dataset.root == folder
        for sample in dataset:
            np.testing.assert_array_equal(sample.image, image)
            np.testing.assert_array_equal(sample.mask, mask > 0)
            assert sample.boxes.tolist() == [[4, 3, 7, 5], [15, 9, 16, 10]]
            assert sample.n_odd == 0


def test_splits_are_those_of_the_lists(make: Callable[..., Path]) -> None:
    root = make("NUDT-SIRST")
    assert Nudt(root).scheme == "60-20-20"
    assert Nudt(root).split == "test"
    official = Nudt(root, split="val", scheme="official")
    assert len(official) == 133
    assert len(official.with_split("train")) == 530
    with pytest.raises(UnknownNameError, match="split scheme of nudt"):
        Nudt(root, scheme="70-30")
    with pytest.raises(UnknownNameError, match="split of nudt"):
        Nudt(root, split="holdout")


def test_survives_pickling(make: Callable[..., Path]) -> None:
    dataset = Nudt(make("NUDT-SIRST"), split="all")
    assert len(dataset.ids) == 2
    again = pickle.loads(pickle.dumps(dataset))
    assert again.ids == dataset.ids
    assert again[0].id == "000001"


def test_another_dataset_in_the_same_layout_is_refused(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    make("NUAA-SIRST", ids=NUAA)
    with pytest.raises(MissingDataError, match="NUAA-SIRST holds no image of NUDT-SIRST"):
        Nudt(tmp_path / "NUAA-SIRST")


def test_missing_names_places_origin_and_command(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError) as caught:
        Irstd1k(tmp_path)
    message = str(caught.value)
    assert str(tmp_path) in message
    assert "IRSTD1k_Img/ and IRSTD1k_Label/ or images/ and masks/" in message
    assert "https://github.com/RuiZhang97/ISNet" in message
    assert "irbench data import PATH" in message


@pytest.mark.parametrize(("there", "missing"), [("images", "masks"), ("masks", "images")])
def test_half_a_dataset_is_remarked_upon(tmp_path: Path, there: str, missing: str) -> None:
    (tmp_path / "NUDT-SIRST" / there).mkdir(parents=True)
    with pytest.raises(MissingDataError, match=f"NUDT-SIRST has {there}/ but no {missing}/"):
        Nudt(tmp_path)


def test_files_that_are_no_images_are_passed_over(make: Callable[..., Path]) -> None:
    root = make("NUDT-SIRST")
    for name in ("._000001.png", "Thumbs.db", "list.txt"):
        (root / "images" / name).write_bytes(b"x")
    assert Nudt(root, split="all").ids == ("000001", "000002")


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_missing_file(make: Callable[..., Path], kind: str) -> None:
    root = make("NUDT-SIRST")
    (root / f"{kind}s" / "000002.png").unlink()
    dataset = Nudt(root)
    assert dataset.load("000001").id == "000001"
    error = ImageError if kind == "image" else MaskError
    with pytest.raises(error, match=f"the {kind} of '000002' is missing from .*{kind}s"):
        dataset.load("000002")
    pairing = dataset.pairing()
    alone = pairing.labels_alone if kind == "image" else pairing.images_alone
    assert alone == ("000002",)


def test_two_files_of_a_name_are_not_chosen_between(
    make: Callable[..., Path], mask: NDArray[np.uint8]
) -> None:
    root = make("NUAA-SIRST", ids=NUAA)
    cv2.imwrite(str(root / "masks" / "Misc_1_pixels0.png"), mask)
    dataset = Nuaa(root)
    with pytest.raises(MaskError, match=r"2 masks .*Misc_1\.png, Misc_1_pixels0\.png"):
        dataset.load("Misc_1")
    assert dataset.pairing().ambiguous == ("Misc_1",)


def test_truncated_file(make: Callable[..., Path]) -> None:
    root = make("NUDT-SIRST")
    path = root / "images" / "000001.png"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ImageError, match=r"000001\.png is truncated"):
        Nudt(root).load("000001")


def test_mask_of_another_size(make: Callable[..., Path], mask: NDArray[np.uint8]) -> None:
    root = make("NUDT-SIRST")
    cv2.imwrite(str(root / "masks" / "000001.png"), mask[1:])
    with pytest.raises(MaskError, match=r"mask of '000001'.*\(12, 17\), got \(11, 17\)"):
        Nudt(root).load("000001")


def test_masks_of_zeros_and_ones(make: Callable[..., Path], mask: NDArray[np.uint8]) -> None:
    root = make("NUDT-SIRST")
    cv2.imwrite(str(root / "masks" / "000001.png"), mask // 255)
    sample = Nudt(root).load("000001")
    np.testing.assert_array_equal(sample.mask, mask > 0)
    assert sample.n_odd == 0


def test_odd_mask_values_are_counted(make: Callable[..., Path], mask: NDArray[np.uint8]) -> None:
    root = make("NUDT-SIRST")
    mask[0, 0], mask[0, 2] = 127, 128
    cv2.imwrite(str(root / "masks" / "000001.png"), mask)
    sample = Nudt(root).load("000001")
    np.testing.assert_array_equal(sample.mask, mask >= 128)
    assert sample.n_odd == 2


def test_16_bit_is_kept(make: Callable[..., Path], image: NDArray[np.uint8]) -> None:
    root = make("NUDT-SIRST")
    deep = image.astype(np.uint16) * 251
    cv2.imwrite(str(root / "images" / "000001.png"), deep)
    found = Nudt(root).load("000001").image
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, deep)


def test_colour_with_equal_channels_is_grey(
    make: Callable[..., Path], image: NDArray[np.uint8]
) -> None:
    root = make("NUDT-SIRST")
    cv2.imwrite(str(root / "images" / "000001.png"), np.dstack([image] * 3))
    np.testing.assert_array_equal(Nudt(root).load("000001").image, image)
