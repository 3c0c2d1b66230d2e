from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest

from irbench.data.stats import QUANTILES, compute_stats, count_areas, format_stats
from irbench.dataset import Dataset, DatasetInfo, Sample
from irbench.errors import MaskError
from irbench.metrics.signal_to_clutter import signal_to_clutter


class InMemory(Dataset):
    info = DatasetInfo(name="memory", title="Memory", reference="")

    def __init__(self, samples: Mapping[str, Sample | None]) -> None:
        self.samples = samples
        super().__init__(split="all")

    def split_ids(self, split: str) -> list[str]:
        return list(self.samples)

    def load(self, sample_id: str) -> Sample:
        found = self.samples[sample_id]
        if found is None:
            raise MaskError("torn")
        return found


def square(name: str, side: int, shape: tuple[int, int] = (50, 60)) -> Sample:
    """Noise with one square target."""
    image = np.random.default_rng(side).integers(0, 200, shape).astype(np.uint8)
    mask = np.zeros(shape, bool)
    mask[20 : 20 + side, 30 : 30 + side] = True
    return Sample(name, image, mask)


@pytest.mark.parametrize(
    ("area", "name"),
    [
        (1, "1–9"),
        (9, "1–9"),
        (9.9, "1–9"),
        (10, "10–25"),
        (25, "10–25"),
        (26, "26–49"),
        (49, "26–49"),
        (50, "≥50"),
        (1e6, "≥50"),
    ],
)
def test_bounds_of_area_bins(area: float, name: str) -> None:
    assert count_areas([area]) == {
        key: int(key == name) for key in ("1–9", "10–25", "26–49", "≥50")
    }


def test_counts() -> None:
    flat = Sample("flat", np.zeros((9, 9), np.uint16), np.eye(9, dtype=bool))
    empty = Sample("empty", np.zeros((9, 9), np.uint16), np.zeros((9, 9), bool))
    squares = [square("one", 1), square("four", 4), square("six", 6), square("eight", 8)]
    samples = {sample.id: sample for sample in (*squares, flat, empty)}
    stats = compute_stats(InMemory({**samples, "torn": None}))
    assert (stats.n_images, stats.n_unreadable, stats.n_targets) == (6, 1, 5)
    assert stats.shapes == {(50, 60): 4, (9, 9): 2}
    assert stats.dtypes == {"uint8": 4, "uint16": 2}
    assert stats.targets_per_image == {0: 1, 1: 5}
    assert stats.area_bins == {"1–9": 2, "10–25": 1, "26–49": 1, "≥50": 1}
    assert stats.n_scr_undefined == 1
    scr = [signal_to_clutter(s.image, s.targets)[0] for s in squares if s.targets is not None]
    assert stats.scr_quantiles == pytest.approx(
        dict(zip(QUANTILES, np.quantile(scr, QUANTILES), strict=True))
    )


def test_boxes_alone_have_an_area_and_no_ratio() -> None:
    boxes = np.array([[1, 1, 3.5, 3], [0, 0, 8, 8]], np.float32)
    stats = compute_stats(InMemory({"a": Sample("a", np.ones((9, 9)), None, boxes)}))
    assert stats.area_bins == {"1–9": 1, "10–25": 0, "26–49": 0, "≥50": 1}
    assert (stats.n_box_only, stats.n_scr_undefined, stats.scr_quantiles) == (2, 2, None)


def test_nothing_at_all() -> None:
    stats = compute_stats(InMemory({}))
    assert (stats.n_images, stats.n_targets, stats.scr_quantiles) == (0, 0, None)
    assert format_stats(stats)[0] == "memory all: 0 images, 0 targets"


def test_text_and_json() -> None:
    many = {str(n): square(str(n), 3, (40 + n, 50 - n)) for n in range(5)}
    stats = compute_stats(InMemory(many))
    text = "\n".join(format_stats(stats))
    assert "memory all: 5 images, 5 targets" in text
    assert "5 sizes, 40 to 44 high and 46 to 50 wide; uint8" in text
    assert "1–9: 5" in text
    assert "50 %:" in text
    assert json.loads(json.dumps(stats.as_dict()))["shapes"][0] == [40, 50, 1]
