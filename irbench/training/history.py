"""The course of a training: a table, and a picture of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

from irbench.atomic import replacing, write_bytes
from irbench.markup.csv_text import CsvWriter

Row = dict[str, Any]

LABELS = {
    "val_ap50": "AP@50",
    "val_f1": "F1",
    "val_niou": "nIoU",
    "learning_rate": "learning rate",
    "images_per_second": "images per second",
}
NOT_LOSSES = {"epoch", "seconds", "momentum", *LABELS}


def write_history(path: Path, rows: Sequence[Row]) -> None:
    """Write one line per epoch as CSV, replaced as a whole.

    Parameters
    ----------
    path : Path
    rows : sequence of dict
        With the same keys.
    """
    stream = StringIO()
    names = list(rows[0]) if rows else ["epoch"]
    writer = CsvWriter(stream, names, line_end="\r\n")
    for row in rows:
        # Six digits, and still a number.
        writer.write(
            {
                name: Decimal(f"{value:.6g}") if isinstance(value, float) else value
                for name, value in row.items()
            }
        )
    write_bytes(path, stream.getvalue().encode())


def draw_history(path: Path, rows: Sequence[Row], title: str) -> None:
    """Draw loss terms, validation scores, learning rate and speed over the epochs.

    Parameters
    ----------
    path : Path
        A PNG.
    rows : sequence of dict
    title : str
    """
    import matplotlib as mpl

    mpl.use("Agg", force=False)
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(9, 6), sharex=True, layout="constrained")
    losses = [name for name in rows[0] if name not in NOT_LOSSES]
    validated: list[str] = [name for name in ("val_ap50", "val_f1", "val_niou") if name in rows[0]]
    panels: list[tuple[Any, list[str], str]] = [
        (axes[0, 0], losses, "training loss"),
        (axes[0, 1], validated, "validation"),
        (axes[1, 0], ["learning_rate"], "learning rate"),
        (axes[1, 1], ["images_per_second"], "images per second"),
    ]
    for axis, names, title_of_panel in panels:
        for name in names:
            # An epoch that was not validated leaves a gap, not a zero.
            points = [(row["epoch"], row[name]) for row in rows if row[name] is not None]
            if points:
                # A line through one point is none.
                marker = "o" if len(points) == 1 else None
                label = LABELS.get(name, name)
                axis.plot(*zip(*points, strict=True), label=label, linewidth=1.5, marker=marker)
        axis.set_title(title_of_panel, loc="left", fontsize=10)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
        if len(axis.lines) > 1:
            axis.legend(frameon=False, fontsize=9)
    best = max(rows, key=lambda row: -1.0 if row["val_ap50"] is None else row["val_ap50"])
    if best["val_ap50"] is not None:
        axes[0, 1].axvline(best["epoch"], color="0.6", linewidth=1, linestyle=":")
        axes[0, 1].set_title(
            f"validation (best AP@50 {100 * best['val_ap50']:.2f} at epoch {best['epoch']})",
            loc="left",
            fontsize=10,
        )
    for axis in axes[1]:
        axis.set_xlabel("epoch")
    figure.suptitle(title, fontsize=11)
    try:
        with replacing(path) as temporary:
            figure.savefig(temporary, format="png", dpi=110)
    finally:
        plt.close(figure)
