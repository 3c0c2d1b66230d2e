"""Where a reference appeared, as the fields of a BibTeX entry."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Literal

EntryType = Literal["article", "inproceedings", "book", "misc"]

_JOURNALS = {
    "IEEE TIP": "IEEE Transactions on Image Processing",
    "IEEE Trans. Image Process.": "IEEE Transactions on Image Processing",
    "IEEE TGRS": "IEEE Transactions on Geoscience and Remote Sensing",
    "IEEE GRSL": "IEEE Geoscience and Remote Sensing Letters",
    "IEEE TAES": "IEEE Transactions on Aerospace and Electronic Systems",
    "IEEE TPAMI": "IEEE Transactions on Pattern Analysis and Machine Intelligence",
    "IEEE JSTARS": (
        "IEEE Journal of Selected Topics in Applied Earth Observations and Remote Sensing"
    ),
}
"""Abbreviations of references, as the journals are called."""

_CONFERENCES = {
    "CVPR": "Conference on Computer Vision and Pattern Recognition (CVPR)",
    "ICCV": "International Conference on Computer Vision (ICCV)",
    "ECCV": "European Conference on Computer Vision (ECCV)",
    "WACV": "Winter Conference on Applications of Computer Vision (WACV)",
}

_PUBLISHER = re.compile(r"(.* Press|Springer|Wiley|Elsevier|Academic Press)")
_PAGES = re.compile(r"(?:pp?\.\s*)?(\d+(?:[-–]\d+)?)")
_VOLUME = re.compile(r"(?P<name>.*\D)\s(?P<volume>\d+)(?:\((?P<number>[\d-]+)\))?")
_JOURNAL = re.compile(r"(IEEE (Trans|Journal|Geosci)|.*\b(Journal|Letters|Transactions)\b)")


@dataclass(frozen=True)
class Venue:
    """Where a reference appeared; a field that is not known is empty.

    Attributes
    ----------
    kind : {"article", "inproceedings", "book", "misc"}
    journal, booktitle, publisher, volume, number, pages : str
        As in BibTeX.
    howpublished : str
        The whole text, where it is none of the others.
    """

    kind: EntryType
    journal: str = ""
    booktitle: str = ""
    publisher: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    howpublished: str = ""

    @property
    def named(self) -> dict[str, str]:
        """The fields by name, in the order of an entry."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "kind"}


def parse_venue(text: str) -> Venue:
    """Read ``JOURNAL VOLUME(NUMBER), PAGES``, ``CONFERENCE, PAGES`` or ``PUBLISHER``.

    Parameters
    ----------
    text : str
        What stands between a reference's title and its year.

    Returns
    -------
    Venue
        ``"misc"`` for what is none of them: nothing is guessed.

    Examples
    --------
    >>> one = parse_venue("IEEE TGRS 59(11), 9813-9824")
    >>> one.kind, one.journal, one.volume, one.number, one.pages
    ('article', 'IEEE Transactions on Geoscience and Remote Sensing', '59', '11', '9813--9824')
    >>> parse_venue("CVPR, pp. 1-9").booktitle
    'Conference on Computer Vision and Pattern Recognition (CVPR)'
    >>> parse_venue("arXiv:2111.03580").kind
    'misc'
    """
    name, pages = text, ""
    before, comma, last = text.rpartition(", ")
    if comma and (found := _PAGES.fullmatch(last)):
        name, pages = before, re.sub("[-–]", "--", found[1])
    known = {"pages": pages}
    if found := _VOLUME.fullmatch(name):
        name = found["name"]
        known |= {"volume": found["volume"], "number": found["number"] or ""}
    if name in _CONFERENCES or name.startswith("Proc"):
        return Venue("inproceedings", booktitle=_CONFERENCES.get(name, name), **known)
    if _PUBLISHER.fullmatch(name) and not any(known.values()):
        return Venue("book", publisher=name)
    if "volume" in known or name in _JOURNALS or _JOURNAL.match(name):
        return Venue("article", journal=_JOURNALS.get(name, name), **known)
    return Venue("misc", howpublished=text)
