"""Whether the weights that a training begins with have learned from what it is judged on."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from irbench.dataset import Dataset
from irbench.errors import UsageError
from irbench.networks.card import ANONYMOUS
from irbench.networks.card_fields import PARTS
from irbench.networks.training_leaks import LeakedImage, leaked_images, unknown_training
from irbench.networks.weights_file import WeightsFile

_SPLITS: Mapping[str, tuple[str, Collection[str], str]] = {
    "val": ("validation", ("train",), "they would choose the best epoch"),
    "test": ("test", PARTS, "their scores would stand on the card"),
}
"""By split: its name, what counts as seen, and why that matters.

That validation images chose among the epochs of an earlier training is what they are for.
"""


def check_unseen(
    start: WeightsFile, dataset: str, judged_on: Mapping[str, Mapping[str, str]]
) -> None:
    """Refuse weights to begin with that have seen images which the training is judged on.

    Parameters
    ----------
    start : WeightsFile
    dataset : str
        Name of the one trained on.
    judged_on : mapping of str to mapping of str to str
        ``"val"`` and perhaps ``"test"``: id to digest, see
        :func:`irbench.networks.card.image_digests`.

    Raises
    ------
    UsageError
    """
    for split, digests in judged_on.items():
        name, parts, why = _SPLITS[split]
        if found := leaked_images(start.card.lineage(start.name), dataset, digests, parts):
            raise UsageError(
                f"--weights {start.name} have seen {len(found)} of {len(digests)} {name} images, "
                f"such as {_example(found[0], start)}, and {why}; begin with weights of another "
                "dataset, of this split scheme, or with random ones."
            )


def seen_later(start: WeightsFile, train: Dataset) -> str:
    """What to say of test images that are not scored now; empty where there is nothing.

    By their ids alone, since a training opens no test image.
    """
    if unknown := unknown_training(start):
        return f"note: {unknown}, and their scores are marked so"
    if train.info.name == ANONYMOUS or "test" not in train.splits:
        return ""
    test = dict.fromkeys(train.with_split("test").ids, "")
    found = leaked_images(start.card.lineage(start.name), train.info.name, test)
    if not found:
        return ""
    return (
        f"note: the weights it begins with have seen {len(found)} of {len(test)} test images, such "
        f"as {_example(found[0], start)}: `irbench run` will not test these weights on them (leak)"
    )


def _example(seen: LeakedImage, start: WeightsFile) -> str:
    whose = "" if seen.weights == start.name else f" (in {seen.weights}, which they began with)"
    return f"{seen.id!r}{whose}"
