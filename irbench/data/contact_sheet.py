"""Near twins side by side, and as a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.atomic import write_bytes
from irbench.data.backgrounds import DETAIL_PX, Background
from irbench.data.split_leaks import LeakSearch, Twin
from irbench.errors import UsageError
from irbench.markup.csv_text import csv_text
from irbench.pictures.drawing import to_display

N_SHOWN = 24
N_COLUMNS = 3
CAPTION_PX = 26
GAP_PX = 8


def twins_csv(twins: Sequence[Twin]) -> str:
    """The twins as CSV, with a header also where there are none."""
    return csv_text([one.name for one in fields(Twin)], map(vars, twins))


def draw_contact_sheet(
    twins: Sequence[Twin], backgrounds: dict[str, Background]
) -> NDArray[np.uint8]:
    """The strongest twins side by side, each pair under its names and correlation.

    Parameters
    ----------
    twins : sequence of Twin
        The strongest first; :data:`N_SHOWN` are drawn, unmirrored.
    backgrounds : dict of str to Background

    Returns
    -------
    (h, w) ndarray of uint8
    """
    shown = list(twins[:N_SHOWN])
    cells = [_cell(twin, backgrounds) for twin in shown] or [
        np.zeros((CAPTION_PX, DETAIL_PX), np.uint8)
    ]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % N_COLUMNS)
    rows = [np.hstack(cells[i : i + N_COLUMNS]) for i in range(0, len(cells), N_COLUMNS)]
    return np.vstack(rows)


def write_leaks(folder: Path, search: LeakSearch) -> list[Path]:
    """Write ``leaks.csv`` and the contact sheet ``leaks.png``.

    Raises
    ------
    UsageError
        If the folder cannot be written.
    """
    import cv2

    twins = search.report.twins
    written = [folder / "leaks.csv", folder / "leaks.png"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(written[0], twins_csv(twins).encode())
        sheet = cv2.imencode(".png", draw_contact_sheet(twins, search.backgrounds))[1]
        write_bytes(written[1], sheet.tobytes())
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be written: {error.strerror}.") from error
    return written


def _cell(twin: Twin, backgrounds: dict[str, Background]) -> NDArray[np.uint8]:
    import cv2

    width = 2 * DETAIL_PX + 3 * GAP_PX
    cell: NDArray[Any] = np.zeros((DETAIL_PX + CAPTION_PX + GAP_PX, width), np.uint8)
    for place, name in enumerate((twin.image, twin.other_image)):
        picture = to_display(backgrounds[name].picture)
        left = GAP_PX + place * (DETAIL_PX + GAP_PX)
        height, width = picture.shape
        cell[CAPTION_PX : CAPTION_PX + height, left : left + width] = picture
    mirrored = "" if twin.flip == "none" else f" {twin.flip}"
    names = f"{twin.split} {twin.image} | {twin.other_split} {twin.other_image}"
    font = cv2.FONT_HERSHEY_SIMPLEX
    for line, text in enumerate((names, f"{twin.correlation:.3f}{mirrored}")):
        position = (GAP_PX, 10 + 12 * line)
        cv2.putText(cell, text, position, font, 0.35, 255, 1, cv2.LINE_AA)
    return cell
