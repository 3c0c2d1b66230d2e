"""Score maps as surfaces in three dimensions, as the classical papers print them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from irbench.engine.storage.results import RunResults
from irbench.errors import NoFigureError
from irbench.figures.compared_methods import ComparedMethods
from irbench.figures.marks import read_image
from irbench.figures.recomputing import compute_map, has_maps, remake_detector
from irbench.pictures.canvas import SMALL_PT, TEXT_PT, TWO_COLUMNS_IN, new_figure, plain
from irbench.pictures.drawing import to_display

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 5
_MOST_CELLS = 90
"""Of the surface along a side; more cannot be seen apart at this size."""


def surfaces_figure(
    source: RunResults | ComparedMethods,
    *,
    image: str | None = None,
    methods: Sequence[str] | None = None,
) -> Figure:
    """Score maps of one image as surfaces, each from its least to its greatest value.

    The score maps are computed again; the comparison's progress is reported to.

    Parameters
    ----------
    source : RunResults or ComparedMethods
    image : str, optional
        By default the one with targets that the methods disagree about most.
    methods : sequence of str, optional
        By default all with score maps.

    Raises
    ------
    NoFigureError
        If no method has score maps, or the image is not here.
    UnknownNameError
    """
    comparison = ComparedMethods.of(source)
    chosen = list(comparison.chosen(methods))
    if methods is None:
        chosen = [name for name in chosen if has_maps(comparison, name)]
    if not chosen:
        raise NoFigureError("no method has score maps")
    position = comparison.informative_image if image is None else comparison.truth(image)[0]
    truth = comparison.scored.truths[position]
    sample = read_image(comparison.dataset, truth)
    maps: dict[str, NDArray[Any]] = {"Image": to_display(sample.image)}
    reasons = []
    with comparison.progress.track("Score maps again", len(chosen)) as advance:
        for name in chosen:
            title = comparison.styles[name].title
            try:
                maps[title] = compute_map(remake_detector(comparison, name), sample)
            except NoFigureError as error:
                reasons.append(str(error))
            advance()
    if len(maps) == 1:
        raise NoFigureError("; ".join(reasons))
    columns = min(_COLUMNS, len(maps))
    rows = -(-len(maps) // columns)
    side = TWO_COLUMNS_IN / _COLUMNS
    figure = new_figure(side * columns, (side + 0.05) * rows + 0.25)
    for number, (title, values) in enumerate(maps.items(), start=1):
        axis: Any = figure.add_subplot(rows, columns, number, projection="3d")
        heights = coarse(values, _MOST_CELLS)
        y, x = (np.linspace(0, side, n) for n, side in zip(heights.shape, truth.shape, strict=True))
        surface = axis.plot_surface(
            *np.meshgrid(x, y), heights, cmap="viridis", linewidth=0, antialiased=False,
            rcount=_MOST_CELLS, ccount=_MOST_CELLS, rasterized=True,
        )  # fmt: skip
        # It lies between the axes, and its thousands of faces are projected once for all formats.
        surface.set_in_layout(False)
        _project_once(surface)
        axis.view_init(elev=32, azim=-60)
        axis.invert_yaxis()
        axis.tick_params(labelsize=SMALL_PT - 2.5, pad=-4, length=0)
        axis.set_title(plain(title), fontsize=SMALL_PT, pad=-2)
    figure.suptitle(plain(f"{truth.id}: score maps"), fontsize=TEXT_PT)
    return figure


def _project_once(surface: Any) -> None:
    """Let a surface be projected again only where its axes are seen otherwise than before."""
    project, known = surface.do_3d_projection, dict[bytes, float]()

    def projected() -> float:
        view = surface.axes.M.tobytes()
        if view not in known:
            known.clear()
            known[view] = project()
        return known[view]

    surface.do_3d_projection = projected


def coarse(values: NDArray[Any], most_cells: int) -> NDArray[np.float64]:
    """A map in fewer cells, each the greatest value in it, so that no peak is lost.

    Parameters
    ----------
    values : (H, W) ndarray
        What is not finite counts as the least of the others.
    most_cells : int
        Along the longer side.

    Returns
    -------
    (h, w) ndarray of float64

    Examples
    --------
    >>> coarse(np.array([[0, 5, 1, 1], [0, 0, 1, 2]]), 2).tolist()
    [[5.0, 2.0]]
    """
    array = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(array)
    array = np.where(finite, array, array[finite].min() if finite.any() else 0.0)
    step = max(-(-max(array.shape) // most_cells), 1)
    rows, columns = (np.arange(0, size, step) for size in array.shape)
    return np.asarray(
        np.maximum.reduceat(np.maximum.reduceat(array, rows, axis=0), columns, axis=1)
    )
