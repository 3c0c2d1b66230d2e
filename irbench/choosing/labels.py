"""The ground truth of a camera's frames, from a folder of labels beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from irbench.errors import UsageError
from irbench.ground_truth import GroundTruth
from irbench.plugins.registry import catalogue


def read_labels(frames: Sequence[Path], labels: Path) -> Mapping[str, GroundTruth]:
    """Read masks or boxes of frames, as of a folder that is a dataset.

    Parameters
    ----------
    frames : sequence of Path
        One folder of images.
    labels : Path
        The folder beside it.

    Returns
    -------
    mapping of str to GroundTruth
        By the path of the frame.

    Raises
    ------
    UsageError
        For several paths of frames, folders that do not lie side by side, or labels without a
        target.
    """
    if len(frames) != 1 or not frames[0].is_dir():
        raise UsageError("--labels goes with one --frames, a folder of images.")
    images, labels = frames[0].resolve(), labels.resolve()
    if images.parent != labels.parent:
        raise UsageError(
            f"--labels {labels} must lie beside the frames {images}, as images/ and masks/ do."
        )
    folder: Any = catalogue("datasets").classes["folder"]
    opened = folder(images.parent, "all", images=images.name, labels=labels.name)
    samples = (opened.load(key) for key in opened.ids)
    by_stem = {sample.id.rpartition("/")[2]: GroundTruth.of(sample) for sample in samples}
    if not any(len(truth.boxes) for truth in by_stem.values()):
        raise UsageError(
            f"--labels {labels}: no target in the labels of {len(by_stem)} frames, so that "
            "nothing can be found; without --labels targets are implanted."
        )
    return {str(file): by_stem[file.stem] for file in frames[0].iterdir() if file.stem in by_stem}
