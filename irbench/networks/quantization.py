"""Exported networks in 8-bit integers: convolutions only, with what it costs in AP beside it.

Quantised as a whole, boxes in pixels and scores below 1 would share one scale of 256 steps, and
every score would be 0. So only convolutions are: activations by their least and greatest value over
calibration images, weights per output channel.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import irbench
from irbench.atomic import replacing
from irbench.dataset import Dataset, Sample
from irbench.detector import Detector
from irbench.errors import UsageError
from irbench.extras import require_packages
from irbench.ground_truth import GroundTruth
from irbench.messages.progress import Progress
from irbench.networks.detector import NetworkDetector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

N_CALIBRATION = 64
N_VALIDATION = 100


@dataclass(frozen=True)
class QuantizationCost:
    """AP at IoU 0.5 of a network and of its quantised file, on the same images.

    Attributes
    ----------
    n_images : int
        Of the validation split.
    before, after : float or None
        In [0, 1]; None on images without targets.
    """

    n_images: int
    before: float | None
    after: float | None


def calibration_samples(dataset: Dataset, n_images: int = N_CALIBRATION) -> list[Sample]:
    """Images of the training split, spread evenly; of the validation split where there is none.

    Raises
    ------
    UsageError
        If the dataset has neither: nothing of a test split is used.
    """
    split = next((name for name in ("train", "val") if name in dataset.splits), None)
    if split is None:
        raise UsageError(
            f"--calibrate {dataset.info.name}: it has neither training nor validation images, only "
            f"{', '.join(dataset.splits) or 'none'}, and a test split is not used to choose."
        )
    part = dataset.with_split(split)
    return [part.load(name) for name in _spread(list(part.ids), n_images)]


def quantize_convolutions(
    source: Path,
    target: Path,
    prepare: Callable[[Sample], NDArray[np.float32]],
    samples: Iterable[Sample],
) -> None:
    """Write an exported file again, with its convolutions in 8-bit integers.

    Parameters
    ----------
    source : Path
        As :func:`irbench.networks.export.export_onnx` writes it.
    target : Path
        Replaced as a whole; its metadata say ``precision`` int8.
    prepare : callable
        From a sample to its canvases ``(B, C, S, S)``, as the network gets them.
    samples : iterable of Sample
        That the ranges of activations are taken from.

    Raises
    ------
    MissingLibraryError
    """
    require_packages("--precision int8", "onnx", "onnx", "onnxruntime")
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

    from irbench.networks.onnx_graph import INPUT, facts_of, sign

    class Canvases(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.rest: Iterator[NDArray[np.float32]] = (
                canvas[None] for sample in samples for canvas in prepare(sample)
            )

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            canvas = next(self.rest, None)
            return None if canvas is None else {INPUT: canvas}

    root = logging.getLogger()
    level = root.level
    # It recommends a preparation through the root logger, which has nothing to do here: batch
    # normalisation is folded already, and shapes are known.
    root.setLevel(logging.ERROR)
    try:
        with replacing(target) as temporary, tempfile.TemporaryDirectory() as folder:
            written = Path(folder) / "int8.onnx"
            quantize_static(
                str(source),
                str(written),
                Canvases(),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv"],
                per_channel=True,
            )
            model = onnx.load_model(written)
            sign(model, {**facts_of(onnx.load_model(source)), "precision": "int8"})
            temporary.write_bytes(model.SerializeToString())
    finally:
        root.setLevel(level)


def letterboxed(detector: NetworkDetector) -> Callable[[Sample], NDArray[np.float32]]:
    """What prepares samples as a detector of boxes does."""
    return lambda sample: detector.preprocess(sample.image, sample.value_range).numpy()


def cost_of_quantization(
    detector: Detector,
    quantized: Detector,
    dataset: Dataset,
    n_images: int = N_VALIDATION,
    progress: Progress | None = None,
) -> QuantizationCost:
    """Score a network and its quantised file on validation images.

    Parameters
    ----------
    detector, quantized : Detector
    dataset : Dataset
        With a validation split.
    n_images : int
        At most; spread evenly over the split.
    progress : Progress, optional

    Raises
    ------
    UsageError
        If the dataset has no validation images.
    """
    if "val" not in dataset.splits:
        raise UsageError(
            f"--calibrate {dataset.info.name}: it has no validation images to measure AP@50 on; "
            "--no-check writes the file without."
        )
    part = dataset.with_split("val")
    samples = [part.load(name) for name in _spread(list(part.ids), n_images)]
    truths = [GroundTruth.of(sample) for sample in samples]
    values = []
    with (progress or Progress()).track("AP@50 before and after", 2 * len(samples)) as advance:
        for one in (detector, quantized):
            found = {}
            for sample in samples:
                found[sample.id] = one.detect(sample.image, value_range=sample.value_range)
                advance()
            values.append(irbench.evaluate(found, truths, threshold=0.0)["map50"])
    return QuantizationCost(len(samples), *values)


def _spread(names: list[str], n: int) -> list[str]:
    n = min(n, len(names))
    return [names[i * len(names) // n] for i in range(n)]
