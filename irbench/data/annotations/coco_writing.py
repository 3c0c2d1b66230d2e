"""Writing a COCO data set as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from irbench.data.annotations._coco_fields import ImageId
from irbench.data.annotations.coco import CocoImage
from irbench.data.annotations.labels import CLASS_NAME, checked_boxes
from irbench.errors import AnnotationError

CATEGORY_ID = 1


def write_coco(
    path: Path | str,
    images: Sequence[CocoImage],
    boxes: Mapping[ImageId, NDArray[Any]],
    areas: Mapping[ImageId, NDArray[Any]] | None = None,
    crowds: Mapping[ImageId, NDArray[Any]] | None = None,
) -> None:
    """Write a COCO data set of one category.

    Parameters
    ----------
    path : path-like
    images : sequence of CocoImage
    boxes : mapping of image id to (N, 4) array_like
        ``(x0, y0, x1, y1)`` in pixels, half-open; images that are not in it have
        no targets.
    areas : mapping of image id to (N,) array_like, optional
        Area of each target in pixels; by default that of its box.
    crowds : mapping of image id to (K, 4) array_like, optional
        Regions in which detections do not count (``iscrowd = 1``).

    Raises
    ------
    AnnotationError
        For boxes that are not finite, or empty, or of an image that is not listed.
    """
    unknown = boxes.keys() - {image.id for image in images}
    if unknown:
        raise AnnotationError(
            f"{path}: boxes of images that are not listed: {sorted(map(str, unknown))}."
        )
    annotations: list[dict[str, Any]] = []

    def add(image_id: ImageId, bbox: list[float], area: float, crowd: int) -> None:
        annotations.append(
            {
                "id": len(annotations) + 1,
                "image_id": image_id,
                "category_id": CATEGORY_ID,
                "bbox": bbox,
                "area": area,
                "iscrowd": crowd,
            }
        )

    for image in images:
        corners = checked_boxes(boxes.get(image.id, ()), f"image {image.id!r}")
        sides = corners[:, 2:] - corners[:, :2]
        given = (areas or {}).get(image.id)
        area = sides.prod(axis=1) if given is None else np.asarray(given, dtype=np.float64)
        for index, bbox in enumerate(_bboxes(corners)):
            add(image.id, bbox, float(area[index]), 0)
        regions = checked_boxes((crowds or {}).get(image.id, ()), f"image {image.id!r}")
        for bbox in _bboxes(regions):
            add(image.id, bbox, bbox[2] * bbox[3], 1)
    listed = [
        {"id": i.id, "file_name": i.file_name, "height": i.shape[0], "width": i.shape[1]}
        for i in images
    ]
    categories = [{"id": CATEGORY_ID, "name": CLASS_NAME}]
    content = {"images": listed, "annotations": annotations, "categories": categories}
    try:
        Path(path).write_bytes(orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
    except OSError as error:
        raise AnnotationError(f"cannot write the labels {path}: {error.strerror}.") from error


def _bboxes(corners: NDArray[Any]) -> list[list[float]]:
    # In double precision, so that x + width gives x1 back.
    double = np.asarray(corners, dtype=np.float64).reshape(-1, 4)
    bboxes: list[list[float]] = np.hstack([double[:, :2], double[:, 2:] - double[:, :2]]).tolist()
    return bboxes
