"""YOLO text: one file an image, one line a box, ``class cx cy w h [confidence]``.

Darknet and others write the confidence second: ``class confidence cx cy w h``.

Centre and size are fractions of the image's width and height. Pixel column ``x``
covers ``[x, x + 1)``, so a target on the columns 3 to 5 of 10 has ``cx = 0.45`` and
``w = 0.3``. An edge that lies on a whole pixel, as far as the digits of the text go, is read
as that pixel. Checked on NUDT-SIRST: the published labels are the half-open boxes of
the masks' components in exactly this convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.conventions import YoloConfidence
from irbench.data.annotations.labels import BoxLabels, Shape, check_box, checked_boxes
from irbench.data.annotations.place import Place, check_score, parse_number, read_text
from irbench.errors import AnnotationError

# Six digits, as most tools write them, may put a fraction this far above 1.
_ROUNDING = 1e-5

# Of a text so coarse that an edge may be off by more, one edge does not say which pixel was meant.
_MAX_SNAP_PX = 0.05

# Four edges of a box do, up to here: by chance all are so near to whole pixels in 0.4 %.
_MAX_SNAP_OF_BOX_PX = 0.125


def read_yolo(
    path: Path | str,
    shape: Shape,
    *,
    overhang: bool = False,
    confidence: YoloConfidence = "last",
) -> BoxLabels:
    """Read the labels, or the detections, of one image.

    Parameters
    ----------
    path : path-like
        Empty lines are ignored; an empty file is an image without targets.
    shape : (int, int)
        Height and width of the image in pixels.
    overhang : bool
        Whether boxes may reach far out of the image, as detections do. Otherwise
        more than half a pixel, which is rounding, is an error. Clipped in any case.
    confidence : {"last", "second"}
        Which of six columns it is.

    Returns
    -------
    BoxLabels
        ``scores`` is None where no line has a confidence.

    Raises
    ------
    AnnotationError
        Naming the file and the line: another number of fields (polygons
        included), a class that is no whole number, NaN or infinity, a size that
        is not positive, a fraction outside [0, 1] (pixels instead of fractions),
        or a confidence on some lines only.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("0 0.45 0.5 0.3 0.2 0.9")
    >>> labels = read_yolo(path, (10, 10))
    >>> labels.boxes.tolist(), labels.scores.round(2).tolist()
    ([[3.0, 4.0, 6.0, 6.0]], [0.8999999761581421])
    """
    height, width = shape
    boxes, classes, scores = [], [], []
    for index, line in enumerate(read_text(path).splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        place = Place(path, f"line {index}")
        if len(fields) not in (5, 6):
            expected = f"'class cx cy w h' with or without a confidence{_seems(len(fields))}"
            raise place.invalid(expected, line)
        if len(fields) == 6 and confidence == "second":
            fields.append(fields.pop(1))
        classes.append(_class(fields[0], place.at("class")))
        cx, cy, w, h = (
            _fraction(text, place.at(name))
            for name, text in zip(("cx", "cy", "w", "h"), fields[1:5], strict=True)
        )
        # Text does not carry millionths of a pixel: without them whole pixels stay whole.
        steps = _steps(fields[1:5])
        reach = width * (steps[0] + steps[2] / 2), height * (steps[1] + steps[3] / 2)
        box = _whole_box((*_edges(cx, w, width), *_edges(cy, h, height)), reach)
        boxes.append(check_box(box, shape, place, overhang))
        if len(fields) == 6:
            column = place.at("confidence")
            scores.append(check_score(parse_number(fields[5], column), column))
        if scores and len(scores) != len(boxes):
            expected = "a confidence on every line or on none"
            raise place.invalid(expected, line)
    return BoxLabels.gather(boxes, classes, scores or None)


def write_yolo(
    path: Path | str,
    boxes: NDArray[Any] | Sequence[Sequence[float]],
    shape: Shape,
    *,
    scores: NDArray[Any] | Sequence[float] | None = None,
    classes: Sequence[int] | None = None,
) -> None:
    """Write the labels, or the detections, of one image.

    Parameters
    ----------
    path : path-like
    boxes : (N, 4) array_like
        ``(x0, y0, x1, y1)`` in pixels, half-open.
    shape : (int, int)
        Height and width of the image in pixels.
    scores : (N,) array_like, optional
        Written as sixth field.
    classes : sequence of int, optional
        0 for every box by default.

    Raises
    ------
    AnnotationError
        For boxes that are not finite, or empty.
    """
    corners = checked_boxes(boxes, str(path))
    height, width = shape
    classes = [0] * len(corners) if classes is None else classes
    lines = []
    for index, (x0, y0, x1, y1) in enumerate(corners.tolist()):
        fractions = [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height]
        fractions += [(x1 - x0) / width, (y1 - y0) / height]
        fields = [str(int(classes[index])), *map(_text, fractions)]
        if scores is not None:
            fields.append(_text(float(np.float32(scores[index]))))
        lines.append(" ".join(fields) + "\n")
    try:
        Path(path).write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise AnnotationError(f"cannot write the labels {path}: {error.strerror}.") from error


def _seems(n_fields: int) -> str:
    """What a line of so many fields is most often, as a remark."""
    if n_fields == 9:
        return " (nine numbers are a turned box of YOLO OBB)"
    if n_fields == 7:
        return (
            " (seven numbers are a triangle of YOLO segmentation, or a box of `yolo track` whose "
            "last number is the track: leave that one out)"
        )
    if n_fields in (15, 16):
        return " (fifteen fields, sixteen with a score, are KITTI's)"
    if n_fields > 7 and n_fields % 2:
        return " (an odd number of them is a polygon of YOLO segmentation)"
    return " (ten are a turned box of DOTA)" if n_fields == 10 else ""


def _class(text: str, place: Place) -> str:
    """A class: a whole number, also as ``0.0``, which savetxt makes of it."""
    value = parse_number(text, place)
    if value < 0 or value != int(value):
        raise place.invalid("the number of a class, from 0", text)
    return str(int(value))


def _steps(fields: Sequence[str]) -> list[float]:
    """The last digit of each number of a line, as it was before zeros at its end were cut.

    Tools write so many decimals (``%.6f``) or so many significant digits (``%g``): of the two
    that the longest numbers of the line show, the coarser is taken.
    """
    lasts, lengths = [], []
    for text in fields:
        mantissa, _, power = text.casefold().lstrip("+-").partition("e")
        whole, _, decimals = mantissa.partition(".")
        lasts.append(float(power or 0) - len(decimals))
        lengths.append(len((whole + decimals).lstrip("0")))
    coarser = (
        max(min(lasts), last + length - max(lengths))
        for last, length in zip(lasts, lengths, strict=True)
    )
    # No fraction has its last digit before the point.
    return [10.0 ** min(power, 0.0) for power in coarser]


def _edges(centre: float, size: float, side: int) -> tuple[float, float]:
    """Both edges in pixels."""
    return round((centre - size / 2) * side, 6), round((centre + size / 2) * side, 6)


def _whole_box(
    edges: tuple[float, float, float, float], reach: tuple[float, float]
) -> tuple[float, float, float, float]:
    """``(x0, y0, x1, y1)`` of ``(x0, x1, y0, y1)``; whole where the text's digits say no other.

    Of a box 3 px wide at 640 px, six digits leave edges 0.0003 px aside and four 0.03 px, and the
    IoU with one a pixel aside, exactly 0.5, comes to lie on this or that side of a threshold.
    ``reach`` is how far aside an edge may be in x and in y.
    """
    reaches = (reach[0], reach[0], reach[1], reach[1])
    near = [abs(edge - round(edge)) <= one for edge, one in zip(edges, reaches, strict=True)]
    most = _MAX_SNAP_OF_BOX_PX if all(near) and max(reach) <= _MAX_SNAP_OF_BOX_PX else _MAX_SNAP_PX
    whole = [
        float(round(edge)) if is_near and one <= most else edge
        for edge, is_near, one in zip(edges, near, reaches, strict=True)
    ]
    if whole[0] == whole[1] or whole[2] == whole[3]:  # a box of a fraction of a pixel stays one
        whole = list(edges)
    x0, x1, y0, y1 = whole
    return x0, y0, x1, y1


def _fraction(text: str, place: Place) -> float:
    value = parse_number(text, place)
    if not -_ROUNDING <= value <= 1 + _ROUNDING:
        raise place.invalid("a fraction of the image, 0 to 1", text)
    return value


def _text(value: float) -> str:
    """Ten digits, so that pixels survive, and no point where none is needed."""
    return f"{value:.10g}"
