"""YOLO text: one file an image, one line a box, ``class cx cy w h [confidence]``.

Darknet and others write the confidence second: ``class confidence cx cy w h``.

Centre and size are fractions of the image's width and height. Pixel column ``x``
covers ``[x, x + 1)``, so a target on the columns 3 to 5 of 10 has ``cx = 0.45`` and
``w = 0.3``. Checked on NUDT-SIRST: the published labels are the half-open boxes of
the masks' components in exactly this convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.conventions import YoloConfidence
from irbench.data.annotations.labels import BoxLabels, Shape, check_box, checked_boxes, text_of
from irbench.data.annotations.place import Place, check_score, parse_number, read_text
from irbench.errors import AnnotationError

# Six digits, as most tools write them, may put a fraction this far above 1.
_ROUNDING = 1e-5


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
        x0, x1 = (round((cx + side * w / 2) * width, 6) for side in (-1, 1))
        y0, y1 = (round((cy + side * h / 2) * height, 6) for side in (-1, 1))
        boxes.append(check_box((x0, y0, x1, y1), shape, place, overhang))
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
        fields = [str(int(classes[index])), *map(text_of, fractions)]
        if scores is not None:
            fields.append(text_of(float(np.float32(scores[index]))))
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


def _fraction(text: str, place: Place) -> float:
    value = parse_number(text, place)
    if not -_ROUNDING <= value <= 1 + _ROUNDING:
        raise place.invalid("a fraction of the image, 0 to 1", text)
    return value
