from __future__ import annotations

from pathlib import Path

from irbench.datasets.nudt import Nudt


def test_real_ground_truth(data_root: Path) -> None:
    everything = {sample.id: len(sample.boxes) for sample in Nudt(data_root, split="all")}
    assert len(everything) == Nudt.info.n_images == 1327
    assert sum(everything.values()) == Nudt.info.n_targets == 1863
    official = Nudt(data_root, split="test", scheme="official")
    assert sum(everything[name] for name in official.ids) == 945


def test_boxes_are_those_that_were_published(data_root: Path) -> None:
    labels = data_root / "NUDT-SIRST" / "labels_yolo_eflnet"
    for sample in Nudt(data_root, split="val"):
        height, width = sample.shape
        published = set()
        for line in (labels / f"{sample.id}.txt").read_text().splitlines():
            x, y, w, h = (float(value) for value in line.split()[1:5])
            x0, x1 = round((x - w / 2) * width), round((x + w / 2) * width)
            y0, y1 = round((y - h / 2) * height), round((y + h / 2) * height)
            published.add((x0, y0, x1, y1))
        # Some lists hold boxes of holes inside a mask too.
        assert {tuple(box) for box in sample.boxes.astype(int).tolist()} <= published
