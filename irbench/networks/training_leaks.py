"""Whether images that a detector is tested on had a part in training its weights."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from irbench.data.joint import joint_id
from irbench.networks.card import ANONYMOUS, UNKNOWN, Ancestor
from irbench.networks.card_fields import PARTS
from irbench.networks.weights_file import WeightsFile


class LeakedImage(NamedTuple):
    """An image that was seen before the test.

    Attributes
    ----------
    id : str
        Under which it is tested.
    weights : str
        Those that were trained with it.
    known_as : str
        Its id there.
    """

    id: str
    weights: str
    known_as: str


def leaked_images(
    lineage: Iterable[Ancestor],
    dataset: str,
    digests: Mapping[str, str],
    parts: Collection[str] = PARTS,
) -> list[LeakedImage]:
    """The images that weights, or weights these began with, were trained with.

    An image is the same under the same id of the same dataset, even if it was encoded
    anew; and with the same grey levels, whatever it is called and wherever it lies.

    Parameters
    ----------
    lineage : iterable of Ancestor
        See :meth:`irbench.networks.card.Card.lineage`.
    dataset : str
        Name of the tested one. Ids in folders of somebody's own images name nothing.
    digests : mapping of str to str
        Id to digest of the tested images; see
        :func:`irbench.networks.card.image_digests`.
    parts : collection of {"train", "val"}
        What counts as seen.

    Returns
    -------
    list of LeakedImage
        Each image once, in the order of ``digests``.
    """
    seen: dict[str, LeakedImage] = {}
    for one in lineage:
        named = one.dataset == dataset != ANONYMOUS
        images = {i: d for part in parts for i, d in one.images[part].items()}
        by_digest = {digest: known_as for known_as, digest in images.items()}
        for tested, digest in digests.items():
            own_id = tested if named else joint_id(one.dataset, dataset, tested)
            known_as = own_id if own_id in images else by_digest.get(digest)
            if known_as is not None:
                seen.setdefault(tested, LeakedImage(tested, one.name, known_as))
    return [seen[tested] for tested in digests if tested in seen]


def leak_reason(
    file: WeightsFile,
    dataset: str,
    tested: Mapping[str, str],
    calibrated: Mapping[str, str] | None = None,
) -> str:
    """Why weights must not be tested on these images; empty where they may be.

    Parameters
    ----------
    file : WeightsFile
    dataset : str
        Name of the tested one.
    tested : mapping of str to str
        Id to digest of the tested images: none may have been trained or validated on.
    calibrated : mapping of str to str, optional
        Likewise of the images that the threshold is chosen on: none may have been
        trained on; that they chose among epochs is what validation images are for.

    Returns
    -------
    str
    """
    lineage = file.card.lineage(file.name)
    reason = _reason(file, leaked_images(lineage, dataset, tested), len(tested), "tested")
    if not reason and calibrated:
        found = leaked_images(lineage, dataset, calibrated, ("train",))
        reason = _reason(file, found, len(calibrated), "validation")
    if reason and file.card.dataset == dataset and file.card.scheme:
        reason += f"; these weights were trained under --scheme {file.card.scheme}"
    return reason


def unknown_training(file: WeightsFile) -> str:
    """What the guard against leaks cannot know of weights; empty where it knows all."""
    unknown = [one.name for one in file.card.lineage(file.name) if one.dataset == UNKNOWN]
    if not unknown:
        return ""
    start = "" if unknown[0] == file.name else f" (which {file.name} started from)"
    return f"training images of {unknown[0]}{start} unknown, so tested images may be among them"


def _reason(file: WeightsFile, leaked: list[LeakedImage], n_images: int, role: str) -> str:
    if not leaked:
        return ""
    first = leaked[0]
    known_as = f" (there {first.known_as!r})" if first.known_as != first.id else ""
    whose = first.weights
    if whose != file.name:
        whose += f", which {file.name} started from"
    return (
        f"leak: {len(leaked)} of {n_images} {role} images had a part in the training of its "
        f"weights, the first is {first.id!r}{known_as} in {whose}"
    )
