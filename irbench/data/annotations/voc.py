"""PASCAL VOC XML: one file an image, one ``<object>`` with ``<bndbox>`` a box.

The standard counts pixels from 1 and includes the last: a target on the columns 3
to 5, counted from 0, has ``xmin = 4`` and ``xmax = 6``, so ``x0 = xmin - 1`` and
``x1 = xmax``. Not everybody keeps to it. The boxes published with SIRST-v2 for
NUAA-SIRST count from 1 and exclude the last pixel (``xmax = x1 + 1``): they are read
with ``inclusive=False``. Many tools count from 0: ``origin=0``.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from irbench.data.annotations.labels import (
    OVERHANG_PX,
    BoxLabels,
    Shape,
    check_box,
    check_side,
    check_stated_shape,
)
from irbench.data.annotations.place import Place, parse_number
from irbench.errors import AnnotationError

_LABELME = {"polygon", "segm"}


def read_voc(
    path: Path | str, shape: Shape | None = None, *, origin: int = 1, inclusive: bool = True
) -> BoxLabels:
    """Read the labels of one image.

    Parameters
    ----------
    path : path-like
    shape : (int, int), optional
        Height and width of the image, which ``<size>`` must repeat where the
        file has one. By default those of ``<size>``.
    origin : int
        The number of the first pixel: 1 is the standard.
    inclusive : bool
        Whether ``xmax`` and ``ymax`` are the last pixel of the box, as the standard
        has it, or the one after it.

    Returns
    -------
    BoxLabels
        Objects marked difficult or truncated count like any other; boxes of
        ``<part>`` do not.

    Raises
    ------
    AnnotationError
        Naming the file and the element: no XML, entities or external references,
        missing elements, a coordinate that is no finite number, an empty box,
        one outside of the image, or another size than the image's.
    """
    root = parse_voc(path)
    shape = _shape(root, shape, Place(path, "size"))
    boxes, classes = [], []
    for index, item in enumerate(root.findall("object"), start=1):
        place = Place(path, f"object {index}")
        classes.append(_text(item, "name", place))
        corners = item.find("bndbox")
        if corners is None:
            tags = {child.tag for child in item}
            drawn = " (<polygon> and <segm> are of the web tool LabelMe)" if tags & _LABELME else ""
            raise place.invalid(f"a <bndbox>{drawn}", [child.tag for child in item])
        xmin, ymin, xmax, ymax = (
            parse_number(_text(corners, side, place), place.at(side))
            for side in ("xmin", "ymin", "xmax", "ymax")
        )
        if origin == 1 and min(xmin, ymin) < 1 - OVERHANG_PX:
            expected = "pixels counted from 1 (if from 0: --voc-origin 0, or voc.origin = 0 in "
            expected += "irbench.toml)"
            raise place.invalid(expected, [xmin, ymin])
        end = origin - int(inclusive)
        box = (xmin - origin, ymin - origin, xmax - end, ymax - end)
        boxes.append(check_box(box, shape, place, overhang=False))
    return BoxLabels.gather(boxes, classes)


def parse_voc(path: Path | str) -> Element:
    """The ``<annotation>`` of a file; see :func:`read_voc`.

    Raises
    ------
    AnnotationError
        If it is no XML, holds entities or external references, or is of another kind.
    """
    root = parse_xml(path)
    if root.tag != "annotation":
        raise Place(path, "root element").invalid("<annotation>", f"<{root.tag}>")
    return root


def parse_xml(path: Path | str) -> Element:
    """The root of an XML file, of which nothing is expanded or fetched.

    Raises
    ------
    AnnotationError
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import parse

    try:
        root = parse(path, forbid_dtd=True).getroot()
    except OSError as error:
        raise AnnotationError(f"cannot read the labels {path}: {error.strerror}.") from error
    except (ParseError, UnicodeDecodeError, LookupError, ValueError) as error:
        # defusedxml's refusals are ValueErrors: they say what was found, such as an entity.
        if isinstance(error, DefusedXmlException):
            expected = "XML without a document type, entities or references"
            raise Place(path).invalid(expected, type(error).__name__) from error
        raise Place(path).invalid("well-formed XML", str(error)) from error
    if root is None:  # pragma: no cover
        raise Place(path).invalid("well-formed XML", "nothing")
    return root


def _shape(root: Element, shape: Shape | None, place: Place) -> Shape:
    size = root.find("size")
    if size is None:
        if shape is None:
            raise place.invalid("a <size> with width and height", None)
        return shape
    height, width = (
        check_side(parse_number(_text(size, side, place), place.at(side)), place.at(side))
        for side in ("height", "width")
    )
    return check_stated_shape((height, width), shape, place)


def _text(element: Element, name: str, place: Place) -> str:
    text = (element.findtext(name) or "").strip()
    if not text:
        raise place.invalid(f"a <{name}> with text", [child.tag for child in element])
    return text
