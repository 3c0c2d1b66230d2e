"""The Pareto picture: speed against accuracy of all candidates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from irbench.atomic import write_bytes
from irbench.choosing.verdict import CandidateRow
from irbench.pictures.canvas import (
    TWO_COLUMNS_IN,
    figure_bytes,
    new_figure,
    plain,
    set_log_ticks,
    set_small_type,
)


def save_pareto(
    path: Path,
    rows: Sequence[CandidateRow],
    front: Sequence[CandidateRow],
    taken: CandidateRow | None,
    least_fps: float,
) -> None:
    """Draw the candidates, the front that none beats, and what is fast enough, as PNG.

    Raises
    ------
    WriteError
    """
    figure = new_figure(TWO_COLUMNS_IN, 3.6)
    axis = figure.add_subplot()
    axis.plot(
        [row.fps for row in front], [100 * row.quality for row in front], color="#999999", lw=1
    )
    for row in rows:
        colour = "#d55e00" if row is taken else "#0072b2" if row in front else "#999999"
        axis.errorbar(
            row.fps,
            100 * row.quality,
            xerr=[[row.fps - row.fps_lower], [row.fps_upper - row.fps]],
            fmt="o",
            markersize=4,
            color=colour,
            linewidth=0.8,
        )
        axis.annotate(
            plain(row.candidate.name),
            (row.fps, 100 * row.quality),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize=6,
        )
    axis.axvline(least_fps, color="#d55e00", linestyle="--", linewidth=0.8)
    labelled = any(row.map50 is not None for row in rows)
    axis.set_xlabel("frames/s")
    axis.set_ylabel("AP@50, %" if labelled else "implanted targets found, %")
    set_log_ticks(axis)
    set_small_type(axis)
    write_bytes(path, figure_bytes(figure))
