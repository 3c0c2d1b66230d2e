"""What the detectors of a run took."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq


def detector_seconds(run: Path) -> float:
    """From the decoded image to its detections, as the workers measured it, over all images."""
    total = 0.0
    for file in (run / "timings").glob("*.parquet"):
        table = pq.read_table(file, columns=["pre_ms", "compute_ms", "post_ms"])
        total += sum(table[name].to_numpy().sum() for name in table.column_names)
    return total / 1e3
