"""Which convention the PASCAL VOC files of a folder can have, from all of their coordinates.

The files do not say whether pixels are counted from 0 or from 1, nor whether ``xmax`` and
``ymax`` belong to the box. A single box can rule a convention out, for its whole folder: a
coordinate 0 is not counted from 1, a fraction is an edge and no pixel, the width of the image is
no pixel counted from 0. Labels of small targets that are read one pixel off lose them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from irbench.data.annotations.place import Place, parse_number
from irbench.data.annotations.voc import parse_voc
from irbench.errors import AnnotationError

UNPROVEN = (
    "VOC boxes are read as the standard counts, from 1 with the last pixel inside, which nothing "
    "in them proves; LabelImg and CVAT count edges from 0: --voc-origin 0 --voc-exclusive"
)
"""A note of each image whose boxes may as well be of another convention."""

_HOW_TO_STATE = (
    "state the convention of this folder by --voc-origin 0 --voc-exclusive (edges counted from 0, "
    "as LabelImg and CVAT write them), --voc-origin 0, or --voc-exclusive; --voc-origin 1 "
    "--voc-inclusive leaves such images out"
)


@dataclass
class VocSurvey:
    """What the boxes of many files have.

    Attributes
    ----------
    classes : set of str
    n_single : int
        Boxes whose first pixel is their last, along a side.
    zero, fraction, full, beyond : str
        The first box with a coordinate 0; with a fraction; whose end is the size of the image;
        whose end is one more. Empty where there is none.
    """

    classes: set[str] = field(default_factory=set)
    n_single: int = 0
    zero: str = ""
    fraction: str = ""
    full: str = ""
    beyond: str = ""

    def contradiction(self, origin: int | None, inclusive: bool | None) -> str:
        """What rules out the convention in force, and how to state another; empty if nothing does.

        Parameters
        ----------
        origin : {0, 1} or None
        inclusive : bool or None
            As stated; None where nothing was, so that the standard would be in force.
        """
        found = ""
        if origin is None and self.zero:
            found = f"{self.zero} has a coordinate 0, so these boxes are not counted from 1"
        elif inclusive is None and self.fraction:
            found = f"{self.fraction} has a fraction, so its sides are edges and no pixels"
        elif origin == 0 and inclusive is None and self.full:
            found = f"{self.full} ends at the size of the image, so its end is not in the box"
        elif origin != 0 and inclusive is None and self.beyond:
            found = f"{self.beyond} ends one pixel behind the image, so its end is not in the box"
        return f"{found}; {_HOW_TO_STATE}" if found else ""

    @property
    def proves_standard(self) -> bool:
        """Whether no other convention can be meant.

        A box of one pixel whose first is its last has its end inside; an end at the size of the
        image is then counted from 1.
        """
        return bool(self.n_single and self.full and not (self.zero or self.fraction or self.beyond))


def survey_voc(paths: Iterable[Path]) -> VocSurvey:
    """Look through the boxes of many files; those that cannot be read are left to their reader."""
    found = VocSurvey()
    for path in paths:
        try:
            _add(found, path)
        except AnnotationError:
            continue
    return found


def _add(found: VocSurvey, path: Path) -> None:
    root = parse_voc(path)
    size = [root.findtext(f"size/{side}") for side in ("width", "height")]
    width, height = (float(text) if text and text.strip().isdigit() else None for text in size)
    for index, item in enumerate(root.findall("object"), start=1):
        place = Place(path, f"object {index}")
        shown = f"{path}, object {index}"
        if name := (item.findtext("name") or "").strip():
            found.classes.add(name)
        texts = [item.findtext(f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
        if None in texts:
            continue
        x0, y0, x1, y1 = (parse_number(str(text).strip(), place) for text in texts)
        found.n_single += x0 == x1 or y0 == y1
        if min(x0, y0) == 0:
            found.zero = found.zero or shown
        if any(value != int(value) for value in (x0, y0, x1, y1)):
            found.fraction = found.fraction or shown
        if x1 == width or y1 == height:
            found.full = found.full or shown
        if (width and x1 == width + 1) or (height and y1 == height + 1):
            found.beyond = found.beyond or shown
