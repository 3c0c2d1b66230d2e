from __future__ import annotations

import csv
import shutil

import click.testing
import cv2
import numpy as np
import pytest
from scipy import ndimage

from irbench.cli.data import data as command
from irbench.data.backgrounds import extract_background
from irbench.data.near_duplicates import FLIPS, compare, find_candidates, group_pairs
from irbench.data.split_leaks import find_leaks, format_leaks
from irbench.dataset import Dataset, DatasetInfo, Sample
from irbench.errors import MaskError, MissingDataError

SIDE = 128


def scenery(seed, side=SIDE):
    """Clouds: noise at several sizes."""
    rng = np.random.default_rng(seed)
    layers = [ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), s) * s for s in (2, 5, 12)]
    return 120 + 25 * sum(layers)


def sample(name, background, target=(40, 40), boxes_only=False):
    """An image with a bright target on a background, 8 bit."""
    mask = np.zeros(background.shape, bool)
    y, x = target
    mask[y : y + 4, x : x + 4] = True
    image = np.clip(np.where(mask, 255, background), 0, 255).astype(np.uint8)
    if boxes_only:
        return Sample(name, image, None, np.array([[x, y, x + 4, y + 4]], np.float32))
    return Sample(name, image, mask)


class Scenes(Dataset):
    info = DatasetInfo(name="scenes", title="Scenes", reference="")

    def __init__(self, parts):
        self.parts = parts
        super().__init__(split="all")

    def split_ids(self, split):
        parts = self.parts if split == "all" else {split: self.parts.get(split, {})}
        return [name for part in parts.values() for name in part]

    def load(self, sample_id):
        found = {name: one for part in self.parts.values() for name, one in part.items()}
        if found[sample_id] is None:
            raise MaskError("torn")
        return found[sample_id]


def unrelated(prefix, n, first_seed):
    return {
        f"{prefix}{i}": sample(f"{prefix}{i}", scenery(first_seed + i), (20 + 5 * i, 60))
        for i in range(n)
    }


@pytest.fixture(scope="module")
def leaking():
    """One test image is a shifted crop of a training image, one a mirrored one, noisy both."""
    rng = np.random.default_rng(0)
    wide = scenery(1, 180)
    train = {"crop": sample("crop", wide[:SIDE, :SIDE]), **unrelated("a", 6, 100)}
    shifted = wide[24 : 24 + SIDE, 10 : 10 + SIDE] * 0.7 + 30 + rng.normal(0, 2, (SIDE, SIDE))
    mirrored = train["a2"].image[:, ::-1] + rng.normal(0, 2, (SIDE, SIDE))
    test = {
        "shifted": sample("shifted", shifted, (80, 80)),
        "mirrored": sample("mirrored", mirrored, (9, 9)),
        **unrelated("t", 6, 200),
    }
    return Scenes({"train": train, "val": {"torn": None, **unrelated("v", 3, 300)}, "test": test})


def test_twins_are_found_with_their_shift(leaking):
    report = find_leaks(leaking)[0]
    found = {(twin.image, twin.other_image): twin for twin in report.twins}
    assert set(found) == {("shifted", "crop"), ("mirrored", "a2")}
    shifted, mirrored = found["shifted", "crop"], found["mirrored", "a2"]
    assert (shifted.shift_x, shifted.shift_y, shifted.flip) == (10, 24, "none")
    assert shifted.overlap == pytest.approx((SIDE - 24) * (SIDE - 10) / SIDE**2)
    assert (mirrored.shift_x, mirrored.shift_y, mirrored.flip) == (0, 0, "horizontal")
    assert (report.n_leaked, report.n_mirrored) == (2, 1)
    assert report.n_images == {"train": 7, "val": 3, "test": 8}
    assert report.unreadable == {"torn": "torn"}
    assert report.clusters == (("a2", "mirrored"), ("crop", "shifted"))
    assert report.unrelated["99 %"] < 0.8
    text = "\n".join(format_leaks(report))
    assert "2 of 8 (25.0%) have a near twin" in text
    assert "1 unreadable image" in text


def test_unrelated_scenes_have_no_twins():
    scenes = Scenes({"train": unrelated("a", 6, 0), "test": unrelated("t", 6, 50)})
    report = find_leaks(scenes)[0]
    assert report.twins == ()
    assert report.clusters == ()


def test_the_target_makes_no_twin():
    """Two flat-noise images share nothing but a bright target at one place."""
    rng = np.random.default_rng(3)
    one, other = (
        sample(name, 100 + rng.normal(0, 3, (SIDE, SIDE)), (60, 60)) for name in ("a", "b")
    )
    backgrounds = [extract_background(each, SIDE) for each in (one, other)]
    assert compare(*backgrounds)[0] < 0.5
    with_target = [
        extract_background(Sample(e.id, e.image, np.zeros_like(e.mask)), SIDE) for e in (one, other)
    ]
    assert compare(*with_target)[0] > 0.9


def test_a_target_does_not_hide_a_twin():
    background = scenery(5)
    pair = [sample("a", background, (20, 20)), sample("b", background, (90, 70))]
    correlation, shift, overlap = compare(*(extract_background(one, SIDE) for one in pair))
    assert correlation > 0.99
    assert shift == (0, 0)
    assert overlap == 1


@pytest.mark.parametrize("flip", range(4))
def test_mirrorings(flip):
    background = scenery(6)
    mirrored = background[:, ::-1] if flip & 1 else background
    mirrored = mirrored[::-1] if flip & 2 else mirrored
    gallery = [extract_background(sample(str(i), scenery(i)), SIDE) for i in (7, 8)]
    gallery.append(extract_background(sample("twin", mirrored, (90, 90)), SIDE))
    one = extract_background(sample("one", background), SIDE)
    assert find_candidates([one], gallery, 1) == [(0, 2, flip)]
    assert compare(one, gallery[2], flip)[0] > 0.98
    assert FLIPS[flip] == ("none", "horizontal", "vertical", "both")[flip]


def test_contrast_depth_and_size_of_the_image_do_not_matter():
    background = scenery(9, 160)
    small = sample("small", background[:100, :120])
    deep = sample("deep", background)
    deep = Sample("deep", (deep.image.astype(np.uint16) * 37 + 900), deep.mask)
    correlation, shift, _ = compare(extract_background(small, 160), extract_background(deep, 160))
    assert correlation > 0.95
    assert shift == (0, 0)


@pytest.mark.parametrize("value", [0, 255, 70])
def test_flat_images_are_nobodys_twin(value):
    flat = {
        n: Sample(n, np.full((60, 70), value, np.uint8), np.zeros((60, 70), bool)) for n in "ab"
    }
    report = find_leaks(Scenes({"train": {"a": flat["a"]}, "test": {"b": flat["b"]}}))[0]
    assert report.twins == ()


def test_boxes_only_are_taken_out_too():
    background = scenery(11)
    masks = extract_background(sample("a", background), SIDE)
    boxes = extract_background(sample("a", background, boxes_only=True), SIDE)
    np.testing.assert_array_equal(masks.known, boxes.known)
    assert not boxes.known.all()


def test_one_split_alone():
    with pytest.raises(MissingDataError, match="two splits"):
        find_leaks(Scenes({"test": unrelated("t", 2, 0)}))


def test_groups_are_connected_components():
    pairs = [("d", "e"), ("a", "b"), ("b", "c"), ("f", "e"), ("a", "c")]
    assert group_pairs(pairs) == [["a", "b", "c"], ["d", "e", "f"]]
    assert group_pairs([("a", "b"), ("c", "d"), ("b", "d")]) == [["a", "b", "c", "d"]]


@pytest.fixture
def folder(tmp_path, leaking):
    """The same as files, with one of them torn."""
    root = tmp_path / "my scenes"
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for split, part in leaking.parts.items():
        for name, one in part.items():
            if one is None:
                (root / "images" / f"{name}.png").write_bytes(b"\x89PNG no more")
                (root / "masks" / f"{name}.png").write_bytes(b"\x89PNG no more")
                continue
            cv2.imwrite(str(root / "images" / f"{name}.png"), one.image)
            cv2.imwrite(str(root / "masks" / f"{name}.png"), one.mask.astype(np.uint8) * 255)
        (root / f"{split}.txt").write_text("\n".join(part) + "\n")
    return root


def call(*arguments):
    runner = click.testing.CliRunner()
    answer = runner.invoke(command, ["leaks", *map(str, arguments)], standalone_mode=False)
    if answer.exception is not None:
        raise answer.exception
    return answer.stdout, answer.return_value


@pytest.mark.parametrize(("limit", "status"), [(None, 0), (1, 1), (2, 0)])
def test_command(folder, tmp_path, limit, status):
    arguments = [] if limit is None else ["--fail-over", limit]
    out, code = call("--dataset", folder, "--out", tmp_path / "out", *arguments)
    assert code == status
    assert "2 of 8 (25.0%) have a near twin" in out
    assert "1 unreadable image" in out
    with (tmp_path / "out" / "leaks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["image"] for row in rows} == {"shifted", "mirrored"}
    assert {row["shift_x"] for row in rows} == {"10.0", "0.0"}
    sheet = cv2.imread(str(tmp_path / "out" / "leaks.png"), cv2.IMREAD_GRAYSCALE)
    assert sheet.shape[0] > 100
    assert sheet.std() > 10


def test_command_with_a_threshold_that_nothing_reaches(folder, tmp_path):
    out, code = call("--dataset", folder, "--threshold", "1", "--out", tmp_path / "out", "--json")
    assert code == 0
    assert '"n_leaked": 0' in out
    assert (tmp_path / "out" / "leaks.csv").read_text().startswith("split,image,")
    assert (tmp_path / "out" / "leaks.png").exists()


def test_command_between_two_datasets(folder, tmp_path):
    """What one trains on is what the other tests."""
    other = shutil.copytree(folder, tmp_path / "other")
    for split, swapped in (("train", "test"), ("test", "train")):
        shutil.copy(folder / f"{split}.txt", other / f"{swapped}.txt")
    out, code = call("--dataset", f"{folder},{other}", "--out", tmp_path / "out")
    assert code == 0
    assert "15 of 15 (100.0%) have a near twin" in out
    with (tmp_path / "out" / "leaks.csv").open() as file:
        pairs = {(row["image"], row["other_image"]) for row in csv.DictReader(file)}
    assert {("my-scenes/shifted", "other/shifted"), ("other/crop", "my-scenes/crop")} <= pairs
