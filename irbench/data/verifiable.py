"""What a dataset states about itself so that ``irbench data verify`` can check it.

Everything here is optional. A dataset that is no :class:`Verifiable` gets the
checks that apply to any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from irbench.data.splits import SplitLists


@dataclass(frozen=True, kw_only=True)
class Repair:
    """A fault of the published data that is mended when it is read.

    Parameters
    ----------
    id : str
        The sample.
    what : str
        What is done, as a clause.
    reason : str
        What is wrong with the published file, as a clause.
    """

    id: str
    what: str
    reason: str


@dataclass(frozen=True)
class Pairing:
    """Image and ground-truth files that do not pair.

    Attributes
    ----------
    images_alone, labels_alone : tuple of str
        Ids of images without ground truth, and the reverse.
    ambiguous : tuple of str
        Ids with more than one file of a kind.
    """

    images_alone: tuple[str, ...] = ()
    labels_alone: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownContent:
    """Hashes of the pixels of one sample of a complete copy, cut to their first digits.

    Attributes
    ----------
    image, truth : str
        Prefixes of :attr:`irbench.data.manifest.ManifestEntry.image_hash` and
        ``truth_hash``.
    """

    image: str
    truth: str


class Verifiable:
    """A dataset that knows more of itself than its samples say."""

    def understood(self) -> tuple[str, ...]:
        """What was made of its files, a line each: layout, splits, conventions."""
        return ()

    def declared_repairs(self) -> tuple[Repair, ...]:
        """The repairs that are made wherever the published fault is found."""
        return ()

    def repairs_in_force(self) -> tuple[Repair, ...]:
        """Those of the declared repairs that this copy needs."""
        return ()

    def pairing(self) -> Pairing:
        """The files that do not pair."""
        return Pairing()

    def split_lists(self) -> SplitLists | None:
        """The lists that ship with the dataset's class."""
        return None

    def known_content(self) -> Mapping[str, KnownContent]:
        """The pixel hashes of a complete copy, by id; empty where none is known."""
        return {}
