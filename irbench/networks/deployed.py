"""A deployed model: the directory that ``irbench export --format model`` writes, as a detector.

It computes what the program ``detect.py`` in the directory computes, line for line, so that what
was tried with irbench is what runs on the device: NumPy, OpenCV and onnxruntime, no torch.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.conversion.segments import detect_segments
from irbench.dataset import Sample
from irbench.detections import Detections
from irbench.detector import BoxDetector, MethodInfo
from irbench.errors import ImageError, UsageError, WeightsError
from irbench.images import ValueRange, check_image, stated_range
from irbench.images.reading import check_finite, check_grey_array
from irbench.parameters import parameter
from irbench.scoring.calibration import Calibration

MODEL_FILE = "model.onnx"
FACTS_FILE = "model.json"
CARD_FILE = "card.json"
EXAMPLE_FILE = "detect.py"
SCHEMA = 1
_LEAST_SIDE_PX = 1e-3

_FIELDS: dict[str, type | tuple[type, ...]] = {
    "method": str,
    "title": str,
    "input_size": int,
    "value_range": (list, type(None)),
    "threshold": (int, float, type(None)),
    "threshold_from": str,
    "classes": list,
}
_FIELDS_OF_KIND: dict[str, dict[str, type | tuple[type, ...]]] = {
    "box": {"pad_value": (int, float)},
    "segmentation": {
        "squash": (int, type(None)),
        "channels": int,
        "divided_by_maximum": bool,
        "mean": list,
        "std": list,
        "pixel_threshold": (int, float),
    },
}


class DeployedModel(BoxDetector):
    """The network of an exported directory, run by onnxruntime.

    Raises
    ------
    WeightsError
        If the directory is none of these, or damaged.
    """

    info = MethodInfo(
        name="deployed",
        title="Deployed model",
        group="Deep Learning Methods",
        year=0,
        reference="",
        default=False,
    )

    folder: str = parameter(default=".", help="what `irbench export --format model` wrote")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.facts = _read_facts(Path(self.folder))
        self.info = MethodInfo(  # type: ignore[misc]
            name=self.facts["method"],
            title=self.facts["title"],
            group=type(self).info.group,
            year=0,
            reference=str(self.facts.get("reference", "")),
            default=False,
        )

    @property
    def value_range(self) -> ValueRange | None:
        """Black and white as exported; None is the range of the pixels' type."""
        stated = self.facts["value_range"]
        return None if stated is None else (float(stated[0]), float(stated[1]))

    @property
    def calibration(self) -> Calibration:
        """The threshold that it was exported with, and where that came from."""
        return Calibration(None, self.facts["threshold"], self.facts["threshold_from"])

    @cached_property
    def _session(self) -> Any:
        from irbench.extras import require_packages

        require_packages("a deployed model", "onnx", "onnxruntime")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        file = Path(self.folder) / MODEL_FILE
        try:
            return onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        # It has no base of its own errors.
        except Exception as error:
            raise WeightsError(f"{file} cannot be loaded: {error}.") from error

    def preprocess(
        self, image: NDArray[Any], value_range: ValueRange | None = None
    ) -> NDArray[np.float32]:
        """Map to [0, 1] by the range, clipped, and put on a canvas: ``(1, C, S, S)``."""
        import cv2

        check_grey_array(image)
        if value_range is None:
            value_range = self.value_range
        if value_range is None:
            # Of a range that somebody stated what lies outside is clipped; that of the pixels'
            # type is a guess, which other values disprove.
            low, high = check_image(image)
        else:
            low, high = stated_range(image, value_range)
            check_finite(image)
        grey = np.clip((image.astype(np.float32) - low) / (high - low), 0, 1).astype(np.float32)
        if self.gives_maps:
            return self._padded(grey)
        size, (top, left, height, width) = self.facts["input_size"], self._place(image.shape)
        canvas = np.full((1, 1, size, size), self.facts["pad_value"], np.float32)
        canvas[0, 0, top : top + height, left : left + width] = cv2.resize(grey, (width, height))
        return canvas

    def compute(self, image: NDArray[np.float32]) -> Any:
        """The outputs of the graph: boxes, scores, and the rows that outlast suppression; a map."""
        if self.gives_maps:
            return self._session.run(["probabilities"], {"images": image})[0][0, 0]
        return self._session.run(["boxes", "scores", "selected"], {"images": image})

    def postprocess(self, output: Any, shape: tuple[int, ...]) -> Detections:
        """Back to the image, clipped to it; of a map the components of its pixels."""
        if self.gives_maps:
            return detect_segments(self._cut(output, shape), self.facts["pixel_threshold"])
        boxes, scores, selected = output
        rows = selected[:, 2]
        top, left, height, width = self._place(shape)
        scale = (width / shape[1], height / shape[0]) * 2
        native = ((boxes[0][rows] - (left, top, left, top)) / scale).clip(
            0, (shape[1], shape[0]) * 2
        )
        visible = (native[:, 2:] - native[:, :2] >= _LEAST_SIDE_PX).all(axis=1)
        return Detections(native[visible], scores[0][rows, selected[:, 1]][visible])

    def canvases_of(self, sample: Sample) -> NDArray[np.float32]:
        """A sample as the network gets it, by the sample's own range; of a large one a corner."""
        image = sample.image
        if self.gives_maps and not self.facts["squash"]:
            image = image[: self.facts["input_size"], : self.facts["input_size"]]
        return self.preprocess(image, sample.value_range)

    @property
    def gives_maps(self) -> bool:
        """Whether the network returns probabilities of pixels, not boxes."""
        return bool(self.facts["kind"] == "segmentation")

    def _padded(self, grey: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled as the network was trained, at the upper left of a canvas of zeros."""
        import cv2

        facts, size = self.facts, self.facts["input_size"]
        if facts["squash"]:
            grey = cv2.resize(grey, (facts["squash"],) * 2)  # type: ignore[assignment]
        height, width = grey.shape
        if max(height, width) > size:
            raise ImageError(
                f"the frame has {height}x{width} pixels, the model in {self.folder} takes at most "
                f"{size}x{size}: export it with a greater --imgsz."
            )
        if facts["divided_by_maximum"]:
            grey = grey / (grey.max() or 1)
        mean, std = (np.array(facts[key], np.float32)[:, None, None] for key in ("mean", "std"))
        canvas = np.zeros((1, facts["channels"], size, size), np.float32)
        canvas[0, :, :height, :width] = (grey - mean) / std
        return canvas

    def _cut(self, found: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
        """The part of a map that is the image, at its native size."""
        import cv2

        squash = self.facts["squash"]
        height, width = (squash, squash) if squash else shape[:2]
        found = found[:height, :width].clip(0, 1)
        return np.asarray(cv2.resize(found, (shape[1], shape[0]))) if squash else found

    def _place(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Top, left, height and width of an image on the canvas."""
        size = self.facts["input_size"]
        ratio = min(size / shape[0], size / shape[1])
        height, width = (max(1, round(side * ratio)) for side in shape[:2])
        return (size - height) // 2, (size - width) // 2, height, width


def _read_facts(folder: Path) -> dict[str, Any]:
    file = folder / FACTS_FILE
    if not file.is_file() or not (folder / MODEL_FILE).is_file():
        raise UsageError(
            f"{folder} is no exported model: expected {MODEL_FILE} and {FACTS_FILE}, as `irbench "
            "export METHOD --format model --out DIR` writes them."
        )
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{file} cannot be read: {error}.") from error
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise WeightsError(f"{file} is of another version; expected schema {SCHEMA}.")
    # Directories of the first version are of boxes.
    facts.setdefault("kind", "box")
    if facts["kind"] not in _FIELDS_OF_KIND:
        raise WeightsError(f"{file}: kind is {facts['kind']!r}; export it again.")
    for name, expected in {**_FIELDS, **_FIELDS_OF_KIND[facts["kind"]]}.items():
        if not isinstance(facts.get(name, ...), expected):
            raise WeightsError(f"{file}: {name} is missing or of the wrong type; export it again.")
    return facts
