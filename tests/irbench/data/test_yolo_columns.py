from __future__ import annotations

import numpy as np
import pytest

from irbench.data.yolo_columns import check_columns
from irbench.errors import DetectionsError


def write(folder, order, seed=0, n_files=4, low=0.3, side=0.02):
    """Detections of a detector of small targets, in one order of columns or the other."""
    rng = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    for index in range(n_files):
        lines = []
        for _ in range(rng.integers(1, 8)):
            w, h = rng.uniform(side / 4, side, 2)
            cx, cy = rng.uniform((w / 2, h / 2), (1 - w / 2, 1 - h / 2))
            confidence = rng.uniform(low, 1)
            numbers = (cx, cy, w, h, confidence)
            if order == "second":
                numbers = (confidence, cx, cy, w, h)
            lines.append(" ".join(["0", *(f"{value:.6f}" for value in numbers)]))
        (folder / f"{index}.txt").write_text("\n".join(lines))
    return sorted(folder.glob("*.txt"))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("low", [0.001, 0.3, 0.9])
@pytest.mark.parametrize("side", [0.02, 0.08, 0.3])
def test_the_order_is_told_from_the_numbers(tmp_path, seed, low, side):
    last = write(tmp_path / "last", "last", seed, low=low, side=side)
    assert check_columns(last, None) == []
    assert check_columns(last, "last") == []
    assert "by it" in check_columns(last, "second")[0]
    second = write(tmp_path / "second", "second", seed, low=low, side=side)
    with pytest.raises(DetectionsError, match="--yolo-confidence second"):
        check_columns(second, None)
    assert check_columns(second, "second") == []
    assert "is stated, though" in check_columns(second, "last")[0]


def test_a_confidence_of_a_fiftieth_beside_boxes_of_half_an_image_is_none(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("0 0.5 0.6 0.5 0.02 0.02\n")
    with pytest.raises(DetectionsError, match=r"0\.02, beside boxes of a median 50 %"):
        check_columns([path], None)
    # A large box that a detector is not sure of may well be one.
    path.write_text("0 0.5 0.5 0.5 0.4 0.35\n")
    assert check_columns([path], None) == []


@pytest.mark.parametrize("text", ["", "0 0.5 0.5 0.1 0.1", "a b c d e f", "0 nan 0 0 0 0", "\xff"])
def test_what_has_no_six_numbers_says_nothing(tmp_path, text):
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode("latin-1"))
    assert check_columns([path], None) == []
