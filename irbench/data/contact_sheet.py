"""Near twins side by side, and as a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.data.backgrounds import DETAIL_PX, Background
from irbench.data.split_leaks import Twin
from irbench.markup.csv_text import csv_text
from irbench.pictures.drawing import in_grid, to_display

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
    cells = [_cell(twin, backgrounds) for twin in twins[:N_SHOWN]]
    return in_grid(cells or [np.zeros((CAPTION_PX, DETAIL_PX), np.uint8)], N_COLUMNS)


def _cell(twin: Twin, backgrounds: dict[str, Background]) -> NDArray[np.uint8]:
    import cv2

    width = 2 * DETAIL_PX + 3 * GAP_PX
    cell: NDArray[Any] = np.zeros((DETAIL_PX + CAPTION_PX + GAP_PX, width), np.uint8)
    for column, name in enumerate((twin.image, twin.other_image)):
        picture = to_display(backgrounds[name].picture)
        left = GAP_PX + column * (DETAIL_PX + GAP_PX)
        height, width = picture.shape
        cell[CAPTION_PX : CAPTION_PX + height, left : left + width] = picture
    mirrored = "" if twin.flip == "none" else f" {twin.flip}"
    names = f"{twin.split} {twin.image} | {twin.other_split} {twin.other_image}"
    font = cv2.FONT_HERSHEY_SIMPLEX
    for line, text in enumerate((names, f"{twin.correlation:.3f}{mirrored}")):
        position = (GAP_PX, 10 + 12 * line)
        cv2.putText(cell, text, position, font, 0.35, 255, 1, cv2.LINE_AA)
    return cell
