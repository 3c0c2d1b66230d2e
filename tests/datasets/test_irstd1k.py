from __future__ import annotations

from pathlib import Path

from irbench.datasets.irstd1k import Irstd1k


def test_real_ground_truth(data_root: Path) -> None:
    n_targets, odd = {}, set()
    for sample in Irstd1k(data_root, split="all"):
        n_targets[sample.id] = len(sample.boxes)
        if sample.n_odd:
            odd.add(sample.id)
    assert len(n_targets) == Irstd1k.info.n_images == 1001
    assert sum(n_targets.values()) == Irstd1k.info.n_targets == 1492
    assert len(odd) == 85
    official = Irstd1k(data_root, split="test", scheme="official")
    assert sum(n_targets[name] for name in official.ids) == 297
