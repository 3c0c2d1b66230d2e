"""Images with what became of each target and detection, and a zoom on a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from irbench.dataset import Dataset, Sample
from irbench.errors import IrbenchError, NoFigureError
from irbench.figures.outcomes import Box, ImageOutcome
from irbench.ground_truth import GroundTruth
from irbench.pictures.canvas import SMALL_PT
from irbench.pictures.drawing import to_display
from irbench.pictures.styles import FALSE_ALARM, HIT, MISS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

MOST_FALSE_ALARMS = 40
"""Circles of one panel; more would hide the image. The panel's text counts all."""

LOOKS: dict[str, dict[str, Any]] = {
    "hit": {"edgecolor": HIT, "linestyle": "-"},
    "false alarm": {"edgecolor": FALSE_ALARM, "linestyle": (0, (3, 1.4))},
    "miss": {"edgecolor": MISS, "linestyle": (0, (1, 1))},
}
TARGET_LOOK = {"edgecolor": "white", "linestyle": "-"}

_MASK_TINT = (1.0, 0.88, 0.4)
_ZOOM = 4.0
"""The zoomed window is so many times the target's side, but not under:"""
_LEAST_WINDOW_PX = 18
_INSET = 0.4
"""Side of the inset, of the panel's."""


def read_image(dataset: Dataset, truth: GroundTruth) -> Sample:
    """The image that was tested.

    Raises
    ------
    NoFigureError
        If it cannot be read, or is another one by now.
    """
    try:
        sample = dataset.load(truth.id)
    except (IrbenchError, OSError, KeyError, ValueError) as error:
        raise NoFigureError(f"the image {truth.id} cannot be read: {error}") from None
    if sample.shape != truth.shape or not np.array_equal(sample.boxes, truth.boxes):
        raise NoFigureError(f"{truth.id} on disk has another size or other targets than in the run")
    return sample


def bare_panels(figure: Figure, n_rows: int, n_columns: int) -> NDArray[Any]:
    """``(n_rows, n_columns)`` axes for images."""
    from irbench.figures.bare_axes import BareAxes

    panels: NDArray[Any] = figure.subplots(
        n_rows, n_columns, squeeze=False, subplot_kw={"axes_class": BareAxes}
    )
    return panels


def show_image(axis: Axes, sample: Sample) -> None:
    """A grey image, without ticks."""
    height, width = sample.shape
    axis.imshow(
        to_display(sample.image), cmap="gray", vmin=0, vmax=255,
        interpolation="nearest", extent=(0, width, height, 0),
    )  # fmt: skip
    bare(axis)


def bare(axis: Axes) -> None:
    """No ticks, and a thin grey frame."""
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set(linewidth=0.4, color="#777777")


def circle(
    axis: Axes, box: Box, look: dict[str, Any], width: float = 0.9, least: float = 0.035
) -> None:
    """A circle round a box, of at least so much of the image that it is seen."""
    from matplotlib.patches import Circle

    x0, y0, x1, y1 = box
    side = max(axis.get_xlim()[1], axis.get_ylim()[0])
    radius = max(0.5 * float(np.hypot(x1 - x0, y1 - y0)) + 0.012 * side, least * side)
    at = ((x0 + x1) / 2, (y0 + y1) / 2)
    _add(axis, Circle(at, radius, fill=False, linewidth=width, **look))


def rectangle(axis: Axes, box: Box, look: dict[str, Any], width: float = 0.8) -> None:
    """The box itself."""
    from matplotlib.patches import Rectangle

    x0, y0, x1, y1 = box
    _add(axis, Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, linewidth=width, **look))


def _add(axis: Axes, patch: Patch) -> None:
    # Not as `add_patch`: the image says where the axes end, and what goes beyond is cut off.
    patch.set_in_layout(False)
    axis.add_artist(patch)


def draw_outcome(axis: Axes, outcome: ImageOutcome, truth: GroundTruth) -> None:
    """Circles: hits green, false alarms orange, missed targets purple."""
    for box in outcome.false_alarms[:MOST_FALSE_ALARMS]:
        circle(axis, box, LOOKS["false alarm"])
    for target in outcome.misses:
        # Round the false alarm that a box beside the target is.
        circle(axis, _box(truth, target), LOOKS["miss"], 1.2, least=0.055)
    for target in outcome.hits:
        circle(axis, _box(truth, target), LOOKS["hit"])


def draw_boxes(axis: Axes, outcome: ImageOutcome | None, truth: GroundTruth) -> None:
    """For a zoom: the kept boxes as they are, and the boxes of missed targets.

    Without an outcome, the boxes of the targets in white.
    """
    if outcome is None:
        for target in range(len(truth.boxes)):
            rectangle(axis, _box(truth, target), TARGET_LOOK)
        return
    for box in outcome.false_alarms[:MOST_FALSE_ALARMS]:
        rectangle(axis, box, LOOKS["false alarm"])
    for target in outcome.misses:
        rectangle(axis, _box(truth, target), LOOKS["miss"], 1.1)
    for box in outcome.hits.values():
        rectangle(axis, box, LOOKS["hit"])


def zoom_window(truth: GroundTruth, target: int) -> tuple[float, float, float, float]:
    """A square round a target, within the image where that is large enough."""
    x0, y0, x1, y1 = _box(truth, target)
    height, width = truth.shape
    side = max(_ZOOM * max(x1 - x0, y1 - y0), _LEAST_WINDOW_PX)
    side = min(side, height, width)
    left = min(max((x0 + x1 - side) / 2, 0), width - side)
    top = min(max((y0 + y1 - side) / 2, 0), height - side)
    return left, top, left + side, top + side


def zoom_to(axis: Axes, window: tuple[float, float, float, float]) -> None:
    """Show a window only."""
    x0, y0, x1, y1 = window
    axis.set(xlim=(x0, x1), ylim=(y1, y0))


def add_zoom(
    axis: Axes, sample: Sample, outcome: ImageOutcome | None, truth: GroundTruth, target: int
) -> None:
    """An inset with a target; see :func:`inset_corner`."""
    from irbench.figures.bare_axes import BareAxes

    window = zoom_window(truth, target)
    at = (*inset_corner(truth, target), _INSET, _INSET)
    inset = axis.inset_axes(at, axes_class=BareAxes)
    # It lies within the panel; to look where it ends takes as long as for a panel.
    inset.set_in_layout(False)
    show_image(inset, sample)
    draw_boxes(inset, outcome, truth)
    zoom_to(inset, window)
    for spine in inset.spines.values():
        spine.set(linewidth=0.6, color="white")
    rectangle(axis, window, {"edgecolor": "white", "linestyle": "-"}, 0.5)


def inset_corner(truth: GroundTruth, target: int) -> tuple[float, float]:
    """Where the inset begins, in parts of the panel from its left and from its bottom.

    The corner that hides the fewest targets; of these the one farthest from the target.
    """
    height, width = truth.shape
    centres = (truth.boxes[:, :2] + truth.boxes[:, 2:]) / 2 / (width, height)
    own = centres[target]

    def hidden(corner: tuple[float, float]) -> tuple[int, float]:
        # The axis of the panel runs upwards, that of the image downwards.
        low = np.array([corner[0], 1 - _INSET - corner[1]])
        inside = ((centres >= low - 0.03) & (centres <= low + _INSET + 0.03)).all(axis=1)
        return int(inside.sum()), -float(np.hypot(*(own - low - _INSET / 2)))

    far = 1 - _INSET
    return min(((far, 0.0), (0.0, 0.0), (far, far), (0.0, far)), key=hidden)


def add_outcome_legend(figure: Figure) -> None:
    """What the circles mean, below the figure."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], color=look["edgecolor"], linestyle=look["linestyle"], linewidth=1.4, label=name
        )
        for name, look in LOOKS.items()
    ]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=3, fontsize=SMALL_PT, frameon=False,
        handlelength=2.6,
    )  # fmt: skip


def show_mask(axis: Axes, mask: NDArray[np.bool_]) -> None:
    """The pixels of a mask tinted, over the image."""
    height, width = mask.shape
    tint = np.zeros((height, width, 4))
    tint[mask] = (*_MASK_TINT, 0.35)
    axis.imshow(tint, interpolation="nearest", extent=(0, width, height, 0))


def show_map(axis: Axes, score_map: NDArray[Any]) -> None:
    """A score map from its least to its greatest value; what is not finite is its least."""
    values = np.asarray(score_map, dtype=np.float64)
    finite = np.isfinite(values)
    least = float(values[finite].min()) if finite.any() else 0.0
    shown = np.where(finite, values, least)
    height, width = shown.shape
    axis.imshow(shown, cmap="viridis", interpolation="nearest", extent=(0, width, height, 0))
    bare(axis)


def _box(truth: GroundTruth, target: int) -> Box:
    x0, y0, x1, y1 = map(float, truth.boxes[target])
    return x0, y0, x1, y1
