"""Which conversion a protocol applies to which kind of detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from irbench.conversion import basicirstd, components, segments
from irbench.detections import Detections
from irbench.detections.checked_map import checked_map
from irbench.detector import Detector, Kind
from irbench.errors import UnknownNameError
from irbench.protocol import Protocol


def conversion_name(kind: Kind, protocol: Protocol) -> str:
    """Name and version of the conversion, as printed under a table; ``""`` for boxes."""
    if kind == "score-map":
        return protocol.score_map_conversion
    return protocol.probability_conversion if kind == "segmentation" else ""


def uses_extent(kind: Kind, protocol: Protocol) -> bool:
    """Whether the conversion has an extent to calibrate."""
    return conversion_name(kind, protocol) == components.NAME


def convert(
    detector: Detector,
    output: Any,
    shape: tuple[int, int],
    protocol: Protocol,
    extents: Sequence[float],
    keep_regions: bool = True,
) -> list[Detections]:
    """Turn a raw output into detections.

    Parameters
    ----------
    detector : Detector
    output : object
        What its ``compute`` returned.
    shape : (int, int)
        Height and width of the image.
    protocol : Protocol
    extents : sequence of float
        For conversions that have one; else ignored.
    keep_regions : bool
        Whether pixels are needed beside boxes.

    Returns
    -------
    list of Detections
        One per extent, or a single one where the conversion has none.

    Raises
    ------
    DetectionsError
        If the output is not of the image: see :func:`irbench.detections.checked_map.checked_map`.
    """
    name = conversion_name(detector.kind, protocol)
    if detector.kind != "box":
        output = checked_map(output, shape, f"{type(detector).__name__}.compute")
    if name == components.NAME:
        return components.detect_components(
            output,
            extents,
            score=protocol.score,
            max_detections=protocol.max_detections,
            keep_regions=keep_regions,
        )
    if name == basicirstd.NAME:
        found = basicirstd.detect_half_maximum(output)
    elif name in ("", segments.NAME):
        found = detector.postprocess(output, shape)
    else:
        raise UnknownNameError("conversion", name, (components.NAME, basicirstd.NAME))
    return [found if keep_regions else Detections(found.boxes, found.scores)]
