"""An image read for the first time: what it is, its ground truth, and why it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass

from irbench.data.manifest import ManifestEntry
from irbench.dataset import Dataset
from irbench.engine.jobs.prepared_images import PreparedImage
from irbench.errors import ImageError, IrbenchError
from irbench.ground_truth import GroundTruth
from irbench.messages.external_text import unprintable


@dataclass(frozen=True, eq=False)
class ScannedImage:
    """What a scan keeps of an image; its truth is None where it cannot be used."""

    entry: ManifestEntry
    truth: GroundTruth | None = None


def read_image(
    dataset: Dataset, sample_id: str, side: int | None
) -> tuple[ScannedImage, PreparedImage | None]:
    """Read an image, with what a detector needs of it; None where it cannot be used.

    Parameters
    ----------
    dataset : Dataset
    sample_id : str
    side : int or None
        Of the squares that images are scaled to; the entry is that of the image as it is.
    """
    try:
        check_sample_name(sample_id)
        sample = dataset.load(sample_id)
    except IrbenchError as error:
        return ScannedImage(ManifestEntry.of_error(sample_id, error)), None
    prepared = PreparedImage.of(sample, side)
    return ScannedImage(ManifestEntry.of(sample), prepared.truth), prepared


def check_sample_name(sample_id: str) -> None:
    """Refuse a sample whose name no table or file can have, of whatever dataset it is.

    Raises
    ------
    ImageError
    """
    if flaw := unprintable(sample_id):
        raise ImageError(f"the name of the image {sample_id!a} has {flaw}; rename it.")
