"""Inputs that are large in one way each: memory stays bounded, and what comes out is right.

The bounds are on memory alone; what each took by the clock is printed.
"""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.stress

N_DETECTIONS = 300_000
N_IMAGES = 50_000
N_TARGETS = 5_000
SIDE = 20_000

SIXTY = """
from irbench import MethodInfo, ScoreMapDetector

class _Base(ScoreMapDetector):
    gain = 1.0
    def compute(self, image):
        return self.gain * (image - image.mean())

def make(number):
    info = MethodInfo(
        name=f"row-{number:02d}", title=f"Row {number}", group="Sixty", year=2026, reference="none",
    )
    members = {"info": info, "gain": 1.0 + number, "__module__": __name__, "__doc__": "A row."}
    return type(f"Row{number}", (_Base,), members)

"""
SIXTY += "\n".join(f"Row{number} = make({number})" for number in range(60))


def write_scenes(root, n_images, side, seed=0):
    """A folder of images with masks; each has one target of 3x3 px."""
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for index in range(n_images):
        image = rng.normal(60, 4, (side, side)).clip(0, 255).astype(np.uint8)
        mask = np.zeros((side, side), np.uint8)
        row, column = rng.integers(1, side - 4, 2)
        image[row : row + 3, column : column + 3] += 120
        mask[row : row + 3, column : column + 3] = 255
        cv2.imwrite(str(root / "images" / f"{index:06d}.png"), image)
        cv2.imwrite(str(root / "masks" / f"{index:06d}.png"), mask)


def row_of(folder):
    (row,) = json.loads((folder / "results.json").read_text())["rows"]
    return row


def test_many_detections_in_one_predictions_file(measured, tmp_path):
    n_images = 200
    write_scenes(tmp_path / "data", n_images, 64)
    rng = np.random.default_rng(1)
    corner = rng.uniform(0, 60, (N_DETECTIONS, 2)).round(2)
    results = [
        {
            "image_id": index % n_images,
            "category_id": 1,
            "bbox": [*corner[index].tolist(), 3.0, 3.0],
            "score": round(float(rng.random()), 6),
        }
        for index in range(N_DETECTIONS)
    ]
    (tmp_path / "found.json").write_text(json.dumps(results))
    taken = measured(
        "evaluate", "--predictions", "found.json", "--dataset", "data", "--name", "Many",
        "--out", "run", "--operating-point", "fixed", "--threshold", 0.5,
    )  # fmt: skip
    assert taken.peak_mb < 1500
    assert row_of(tmp_path / "run")["n_images"] == n_images


def test_many_images_in_a_folder(measured, tmp_path):
    write_scenes(tmp_path / "data", N_IMAGES, 32)
    taken = measured(
        "run", "--methods", "tophat", "--dataset", "data", "--timing-images", 0, "--out", "run"
    )
    assert taken.peak_mb < 1500
    assert row_of(tmp_path / "run")["n_images"] == N_IMAGES


def test_many_targets_in_one_image(measured, tmp_path):
    root = tmp_path / "data"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    side, step = 1024, 14
    image, mask = np.full((side, side), 60, np.uint8), np.zeros((side, side), np.uint8)
    places = [(r, c) for r in range(3, side - 4, step) for c in range(3, side - 4, step)]
    for row, column in places[:N_TARGETS]:
        image[row : row + 3, column : column + 3] = 200
        mask[row : row + 3, column : column + 3] = 255
    cv2.imwrite(str(root / "images" / "a.png"), image)
    cv2.imwrite(str(root / "masks" / "a.png"), mask)
    taken = measured(
        "run", "--methods", "tophat", "--dataset", "data", "--timing-images", 0, "--out", "run",
        "--operating-point", "fixed", "--threshold", 0,
    )  # fmt: skip
    row = row_of(tmp_path / "run")
    assert row["n_targets"] == N_TARGETS
    # The protocol counts 300 detections of an image: all of them are right here.
    assert row["pd"] == pytest.approx(300 / N_TARGETS)
    assert row["fa"] == 0
    assert taken.peak_mb < 1000


@pytest.fixture(scope="module")
def large_scene(tmp_path_factory):
    """A picture of noise with 50 targets of 3x3 px; none lies on another."""
    rng = np.random.default_rng(2)
    image = np.empty((SIDE, SIDE), np.uint8)
    for strip in np.array_split(image, 40):
        strip[:] = rng.normal(60, 4, strip.shape).clip(0, 255)
    for row, column in zip(rng.integers(9, SIDE - 9, 50), rng.permutation(50), strict=True):
        column = 9 + column * (SIDE // 50)
        image[row : row + 3, column : column + 3] = 200
    path = tmp_path_factory.mktemp("scene") / "large.png"
    cv2.imwrite(str(path), image)
    return path


def test_an_image_beyond_the_limit_is_refused_by_name(measured, large_scene):
    taken = measured("detect", "tophat", large_scene, "--out", "found", status=1)
    assert f"large.png claims {SIDE}x{SIDE} pixels" in taken.out
    assert f"IRBENCH_MAX_PIXELS={SIDE * SIDE}" in taken.out


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [(("tophat",), 0), (("le-irstd", "--weights", "nudt", "--tile", 640), 5)],
    ids=["tophat", "le-irstd"],
)
def test_a_large_scene(measured, large_scene, tmp_path, monkeypatch, options, tolerance):
    monkeypatch.setenv("IRBENCH_MAX_PIXELS", str(SIDE * SIDE))
    method, *more = options
    taken = measured("detect", method, large_scene, *more, "--pictures", "none", "--out", "found")
    (image,) = json.loads((tmp_path / "found" / "detections.json").read_text())["images"]
    assert abs(len(image["detections"]) - 50) <= tolerance
    assert taken.peak_mb < 16_000


def test_a_page_of_many_methods_and_images(measured, tmp_path):
    write_scenes(tmp_path / "data", 300, 64)
    (tmp_path / "sixty.py").write_text(SIXTY)
    names = ",".join(f"row-{number:02d}" for number in range(60))
    measured(
        "run", "--methods", names, "--dataset", "data", "--plugin", "sixty.py",
        "--timing-images", 0, "--out", "run",
    )  # fmt: skip
    taken = measured("report", "run", "--format", "html")
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert all(f"Row {number}" in page for number in range(60))
    assert taken.peak_mb < 3000
