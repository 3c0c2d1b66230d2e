"""Pictures of alarms: how many a frame has, and the strongest of them side by side."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.atomic import write_bytes
from irbench.detections import Detections
from irbench.pictures.drawing import ORANGE, in_grid, to_display

N_SHOWN = 48
N_COLUMNS = 8
CROP_PX = 32
"""Side of what is shown of a frame, centred on the alarm."""

_ZOOM = 4
_CAPTION_PX = 28


class ContactSheet:
    """The best-scored alarms of all frames, of which few are kept.

    Attributes
    ----------
    n_shown : int
        As many alarms at most.
    """

    def __init__(self, n_shown: int = N_SHOWN) -> None:
        self.n_shown = n_shown
        self._best: list[tuple[float, int, str, NDArray[np.uint8]]] = []
        self._n_seen = 0

    def add(self, name: str, image: NDArray[Any], found: Detections) -> None:
        """Look at the detections of one frame."""
        display: NDArray[np.uint8] | None = None
        for score, centre in zip(found.scores.tolist(), found.centroids.tolist(), strict=True):
            # Of equal scores the first stays.
            self._n_seen += 1
            if len(self._best) == self.n_shown and score <= self._best[0][0]:
                continue
            if display is None:
                display = to_display(image)
            entry = (score, -self._n_seen, name, _crop(display, centre))
            if len(self._best) < self.n_shown:
                heapq.heappush(self._best, entry)
            else:
                heapq.heapreplace(self._best, entry)

    def draw(self) -> NDArray[np.uint8] | None:
        """``(h, w, 3)``, the strongest first, each under its score and frame; None without any."""
        cells = [_cell(score, name, crop) for score, _, name, crop in sorted(self._best)[::-1]]
        return in_grid(cells, N_COLUMNS) if cells else None

    def save(self, path: Path) -> None:
        """Write it as PNG; nothing where there is no alarm to show."""
        import cv2

        picture = self.draw()
        if picture is not None:
            write_bytes(path, cv2.imencode(".png", picture)[1].tobytes())


def save_histogram(path: Path, per_frame: Mapping[int, int], title: str) -> None:
    """Draw how many frames have how many alarms, as PNG.

    Parameters
    ----------
    path : Path
    per_frame : mapping of int to int
        Frames by their number of alarms.
    title : str

    Raises
    ------
    WriteError
    """
    from irbench.pictures.canvas import (
        ONE_COLUMN_IN,
        figure_bytes,
        new_figure,
        plain,
        set_small_type,
    )

    figure = new_figure(ONE_COLUMN_IN, 2.4)
    axis = figure.add_subplot()
    numbers = sorted(per_frame)
    axis.bar(numbers, [per_frame[n] for n in numbers], width=0.8, color="#0072b2")
    axis.set_xlabel("alarms on a frame")
    axis.set_ylabel("frames")
    axis.set_title(plain(title), fontsize=8)
    axis.locator_params(axis="x", integer=True)
    set_small_type(axis)
    write_bytes(path, figure_bytes(figure))


def _crop(display: NDArray[np.uint8], centre: list[float]) -> NDArray[np.uint8]:
    """The surroundings of a point, black beside the frame."""
    column, row = (round(value) for value in centre)
    padded = np.pad(display, CROP_PX // 2)
    return padded[row : row + CROP_PX, column : column + CROP_PX].copy()


def _cell(score: float, name: str, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    side = CROP_PX * _ZOOM
    cell = np.zeros((side + _CAPTION_PX, side + 4, 3), np.uint8)
    enlarged = np.repeat(np.repeat(crop, _ZOOM, axis=0), _ZOOM, axis=1)
    cell[_CAPTION_PX:, :side] = enlarged[..., None]
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(cell, f"{score:.4g}", (2, 11), font, 0.4, ORANGE, 1, cv2.LINE_AA)
    cv2.putText(cell, Path(name).name[-21:], (2, 23), font, 0.32, (220,) * 3, 1, cv2.LINE_AA)
    return cell
