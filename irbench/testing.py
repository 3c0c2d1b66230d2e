"""A contract test for detectors, to be called from a plug-in author's own tests.

>>> from irbench import load_method
>>> from irbench.testing import check_detector
>>> check_detector(load_method("tophat"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.detections.boxes import outside_image
from irbench.detector import Detector, MethodInfo, ScoreMapDetector, SegmentationDetector
from irbench.errors import ImageError

__all__ = ["ContractError", "check_detector"]

GROUPED_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"


class ContractError(AssertionError):
    """A detector that does not keep the contract: which clause, on which input, and how."""


def check_detector(detector: Detector, *, seed: int = 0) -> None:
    """Check that a detector keeps the contract of :class:`irbench.Detector`.

    Shapes and types of what it returns; the same for the same image; uint8, uint16
    and float input; images that are not square, tiny (1×1, 3×3), constant, black,
    white; a clear error for NaN, infinity, values out of range and wrong shapes; input
    that is not modified; batches that equal single images.

    Parameters
    ----------
    detector : Detector
    seed : int
        Of the test images.

    Raises
    ------
    ContractError
        At the first clause that is not kept.
    """
    _check_info(detector)
    images = dict(_images(np.random.default_rng(seed)))
    for title, image in images.items():
        _check_detections(detector, title, image)
    _check_ranges(detector, images["48x64 uint8"])
    _check_refusals(detector)
    _check_batch(detector, [images["48x64 uint8"], images["33x20 uint8"]])


def _check_info(detector: Detector) -> None:
    info = getattr(detector, "info", None)
    _require(isinstance(info, MethodInfo), "info", f"must be a MethodInfo, got {info!r}")
    assert info is not None
    for name in ("name", "title", "group", "reference"):
        _require(bool(getattr(info, name)), f"info.{name}", "must not be empty")
    _require(
        set(info.name) <= set(GROUPED_NAME),
        "info.name",
        f"must consist of lower-case letters, digits and hyphens, got {info.name!r}",
    )
    kinds = ("score-map", "segmentation", "box")
    _require(detector.kind in kinds, "kind", f"must be one of {kinds}, got {detector.kind!r}")
    again = type(detector)(**detector.params)
    _require(
        again.params == detector.params,
        "params",
        "a detector made from its own parameters must have the same ones",
    )


def _images(rng: np.random.Generator) -> Iterator[tuple[str, NDArray[Any]]]:
    """Images that a detector must process."""
    for shape in ((48, 64), (33, 20), (64, 64)):
        rows, columns = np.indices(shape)
        ramp = 60 + 0.5 * rows + 0.3 * columns + rng.normal(0, 3, shape)
        target = 90 * np.exp(-((rows - shape[0] // 2) ** 2 + (columns - shape[1] // 2) ** 2) / 3)
        grey = np.clip(ramp + target, 0, 255)
        yield f"{shape[0]}x{shape[1]} uint8", grey.astype(np.uint8)
        yield f"{shape[0]}x{shape[1]} uint16", (grey * 257).astype(np.uint16)
        yield f"{shape[0]}x{shape[1]} float32", (grey / 255).astype(np.float32)
        yield f"{shape[0]}x{shape[1]} float64", grey / 255
    for shape in ((1, 1), (1, 7), (7, 1), (2, 2), (3, 3), (5, 9)):
        yield f"{shape[0]}x{shape[1]} noise", rng.integers(0, 256, shape, dtype=np.uint8)
    for value in (0, 1, 128, 255):
        yield f"constant {value}", np.full((24, 24), value, np.uint8)
    yield (
        "half black, half white",
        np.repeat(np.array([0, 255], np.uint8), 16)[None].repeat(24, axis=0),
    )


def _check_detections(detector: Detector, title: str, image: NDArray[Any]) -> None:
    before = image.copy()
    # A view that is not contiguous is an image like any other.
    framed = np.zeros((image.shape[0] + 2, image.shape[1] + 2), image.dtype)
    framed[1:-1, 1:-1] = image
    try:
        found = detector.detect(image)
        again = detector.detect(framed[1:-1, 1:-1])
    except Exception as error:
        raise ContractError(f"detect on {title}: raised {type(error).__name__}: {error}") from error
    _require(np.array_equal(image, before), f"detect on {title}", "modified its input")
    _require(
        isinstance(found, Detections),
        f"detect on {title}",
        f"must return Detections, got {type(found).__name__}",
    )
    _require(found == again, f"detect on {title}", "must return the same for the same image")
    inside = not outside_image(found.boxes, image.shape).any()
    _require(inside, f"detect on {title}", "must return boxes inside the image")
    if isinstance(detector, ScoreMapDetector):
        _check_map(title, "score_map", image, detector.score_map(image))
        _require(found.regions is not None, f"detect on {title}", "must return regions")
    elif isinstance(detector, SegmentationDetector):
        probability = detector.probability_map(image)
        _check_map(title, "probability_map", image, probability)
        in_range = bool((probability >= 0).all() and (probability <= 1).all())
        _require(in_range, f"probability_map on {title}", "must lie in [0, 1]")
        _require(found.regions is not None, f"detect on {title}", "must return regions")


def _check_map(title: str, name: str, image: NDArray[Any], result: NDArray[Any]) -> None:
    where = f"{name} on {title}"
    _require(result.shape == image.shape, where, f"must have shape {image.shape}")
    _require(result.dtype.kind == "f", where, f"must be of floats, got {result.dtype}")
    _require(bool(np.isfinite(result).all()), where, "must be finite everywhere")


def _check_ranges(detector: Detector, image: NDArray[np.uint8]) -> None:
    """One scene in several types is one scene."""
    expected = detector.detect(image)
    wide = image.astype(np.uint16)
    _require(
        detector.detect(wide, value_range=(0, 255)) == expected,
        "value_range",
        "uint16 pixels with value_range=(0, 255) must give what the same uint8 pixels give",
    )


def _check_refusals(detector: Detector) -> None:
    good = np.full((16, 16), 0.5)
    nan, infinite, high = good.copy(), good.copy(), good.copy()
    nan[3, 4], infinite[3, 4], high[3, 4] = np.nan, np.inf, 1.5
    refused = {
        "NaN": nan,
        "infinity": infinite,
        "float above 1": high,
        "three channels": np.zeros((16, 16, 3), np.uint8),
        "no pixels": np.zeros((0, 5), np.uint8),
        "bool": np.zeros((16, 16), bool),
    }
    for title, image in refused.items():
        _expect_image_error(title, lambda image=image: detector.detect(image))  # type: ignore[misc]


def _expect_image_error(title: str, call: Callable[[], object]) -> None:
    try:
        call()
    except ImageError:
        return
    except Exception as error:
        raise ContractError(
            f"detect on {title}: must raise irbench's ImageError, raised {type(error).__name__}"
        ) from error
    raise ContractError(f"detect on {title}: must raise ImageError, returned detections instead")


def _check_batch(detector: Detector, images: list[NDArray[Any]]) -> None:
    alone = [detector.detect(image) for image in images]
    together = detector.detect_batch(images)
    same = len(alone) == len(together) and all(
        _close(one, other) for one, other in zip(alone, together, strict=True)
    )
    _require(same, "detect_batch", "must return what detect does on each image")


def _close(one: Detections, other: Detections) -> bool:
    # Networks may sum in another order in a batch.
    return len(one) == len(other) and bool(
        np.allclose(one.boxes, other.boxes, atol=1e-2)
        and np.allclose(one.scores, other.scores, atol=1e-4)
    )


def _require(holds: bool, where: str, what: str) -> None:
    if not holds:
        raise ContractError(f"{where}: {what}.")
