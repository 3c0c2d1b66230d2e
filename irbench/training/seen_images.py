"""Whether a training, or the weights that it begins with, learn from what it is judged on."""

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


def shared_images(
    known: Mapping[str, str], judged_on: Mapping[str, str], role: str, others: str
) -> str:
    """What to say of images that lie in two splits, under whatever names.

    `irbench run` tests no weights that have learned from an image of the tested split or of the
    one that the threshold is chosen on.

    Parameters
    ----------
    known, judged_on : mapping of str to str
        Id to digest, see :func:`irbench.networks.card.image_digests`.
    role, others : str
        What the second are, such as ``"validation"``, and the first.

    Returns
    -------
    str
        Empty where there are none.

    Examples
    --------
    >>> shared_images({"a": "07", "b": "1f"}, {"c": "1f", "d": "33"}, "test", "training")
    "1 of 2 test images is a training image too, such as 'c' (there 'b')"
    """
    by_digest = {digest: known_as for known_as, digest in known.items()}
    shared = {one: by_digest[digest] for one, digest in judged_on.items() if digest in by_digest}
    if not shared:
        return ""
    first, known_as = next(iter(shared.items()))
    there = "" if known_as == first else f" (there {known_as!r})"
    too = f"is a {others} image" if len(shared) == 1 else f"are {others} images"
    return f"{len(shared)} of {len(judged_on)} {role} images {too} too, such as {first!r}{there}"


def notes_on_splits(digests: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What to say before a training of images that lie in two of its splits.

    Parameters
    ----------
    digests : mapping of str to mapping of str to str
        ``"train"``, and perhaps ``"val"``, and ``"test"`` where it is scored at the end: id to
        digest.

    Raises
    ------
    UsageError
        For test images that are learned from, or that choose the epoch.
    """
    learned, validation = digests["train"], digests.get("val", {})
    known, tested = {**validation, **learned}, digests.get("test", {})
    if text := shared_images(known, tested, "test", "training or validation"):
        raise UsageError(
            f"--test: {text}: their scores would stand on the card. Take these images out of one "
            "of the splits (`irbench data leaks` lists them), or leave --test out."
        )
    text = shared_images(learned, validation, "validation", "training")
    if not text:
        return []
    return [
        f"note: {text}: `irbench run` will choose no threshold for these weights on them (leak)"
    ]


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
