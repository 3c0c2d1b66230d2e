"""References as the methods and datasets carry them, as BibTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from irbench.errors import IrbenchError
from irbench.markup.latex_text import latex_text
from irbench.markup.venues import parse_venue

_YEAR = re.compile(r"(?<![\d.])(1[89]\d\d|20\d\d)(?![\d.])")
_DOI = re.compile(r"\bdoi[: ]\s*(10\.\S+?)[.,;]?$", re.IGNORECASE)
_AUTHOR = re.compile(r"(?:[^\W\d_]\.[- ]?)+[^,]+")
_OTHERS = re.compile(r"\s+et al\.?$")
_SMALL_WORDS = frozenset({"a", "an", "the", "of", "on", "for", "and", "in", "to", "with"})


@dataclass(frozen=True)
class Reference:
    """A reference, taken apart.

    Attributes
    ----------
    text : str
        As it was given.
    authors : tuple of str
        ``"others"`` last for "et al."; empty where none was found.
    title : str
        The whole text where it could not be taken apart.
    venue : str
        With volume and pages; may be empty.
    year : str
    doi : str
        May be empty.
    """

    text: str
    authors: tuple[str, ...]
    title: str
    venue: str
    year: str
    doi: str

    @property
    def stem(self) -> str:
        """What its key begins with: first author, year and first word of the title."""
        author = _ascii_word(self.authors[0].split()[-1]) if self.authors else ""
        words = [_ascii_word(word) for word in re.split(r"[\s-]+", self.title)]
        first = next((word for word in words if word and word not in _SMALL_WORDS), "")
        return f"{author}{self.year}{first}" if author else f"{first}{self.year}"

    @property
    def quoted(self) -> str:
        """The text with quotation marks that open and close."""
        return re.sub(r'"([^"]*)"', r"“\1”", self.text)

    def entry(self, key: str) -> str:
        """The BibTeX entry: of an article, a conference's paper, a book, or of anything else."""
        venue = parse_venue(self.venue)
        fields = {
            "author": " and ".join(
                one
                if one == "others"
                else f"{{{latex_text(one)}}}"
                if " " not in one
                else latex_text(one)
                for one in self.authors
            ),
            # Braces, or styles would make small letters of names.
            "title": f"{{{latex_text(self.title)}}}",
            # A range of pages is LaTeX already, and holds digits alone.
            **{
                name: value if name == "pages" else latex_text(value)
                for name, value in venue.named.items()
            },
            "year": self.year,
            # Without a package, styles print neither doi nor url.
            "note": f"doi:{latex_text(self.doi)}" if self.doi else "",
            "doi": self.doi,
            # What has no author is sorted by this.
            "key": "" if self.authors else key,
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@{venue.kind}{{{key},", *lines, "}"])


def parse_reference(text: str) -> Reference | None:
    """Take a reference apart that is written ``A. Author, B. Author, Title, Venue, year, doi:…``.

    Returns
    -------
    Reference or None
        None for a text without a year, such as ``"to appear"``: there is nothing to cite.

    Examples
    --------
    >>> one = parse_reference("J. Han, Z. Li et al., A title, IEEE GRSL 3(4), 2018, doi:10.1/ab")
    >>> one.authors, one.title, one.venue, one.year, one.doi
    (('J. Han', 'Z. Li', 'others'), 'A title', 'IEEE GRSL 3(4)', '2018', '10.1/ab')
    """
    plain = " ".join(text.split())
    found = _DOI.search(plain)
    doi = found.group(1) if found else ""
    body = plain[: found.start()] if found else plain
    years = list(_YEAR.finditer(body))
    if not years:
        return None
    last = years[-1]
    before, behind = body[: last.start()].rstrip(" ,("), body[last.end() :].strip(" ,.)")
    parts = [part.strip() for part in _outside_quotes(before)]
    authors: list[str] = []
    while parts and _AUTHOR.fullmatch(parts[0]):
        name = parts.pop(0)
        authors.append(_OTHERS.sub("", name))
        if _OTHERS.search(name):
            authors.append("others")
    if not authors or not parts:
        title = ", ".join(filter(None, [*authors, *parts, behind]))
        return Reference(plain, (), title, "", last.group(), doi)
    title = parts.pop(0).strip('"“”')
    return Reference(
        plain, tuple(authors), title, ", ".join(filter(None, [*parts, behind])), last.group(), doi
    )


class Bibliography:
    """References by key; the same reference under the same key.

    Parameters
    ----------
    references : iterable of str
        Their order decides the letters that distinguish keys of one stem. What cannot be
        cited is left out.
    """

    def __init__(self, references: Iterable[str]) -> None:
        self._keys: dict[str, str] = {}
        self._entries: dict[str, Reference] = {}
        for text in references:
            reference = parse_reference(text)
            if reference is None:
                continue
            key = next((self._keys[one] for one in _identities(reference) if one in self._keys), "")
            if key:
                self._entries[key] = _fuller(self._entries[key], reference)
            else:
                key = self._free_key(reference.stem)
                self._entries[key] = reference
            self._keys |= dict.fromkeys(_identities(reference), key)

    @property
    def entries(self) -> Mapping[str, Reference]:
        """The references by key."""
        return self._entries

    def key(self, reference: str) -> str:
        """The key to cite a reference by; empty for what cannot be cited.

        Raises
        ------
        IrbenchError
            For a reference that was not given at the start.
        """
        parsed = parse_reference(reference)
        if parsed is None:
            return ""
        for identity in _identities(parsed):
            if identity in self._keys:
                return self._keys[identity]
        raise IrbenchError(f"no entry of the bibliography is {reference!r}.")

    def text(self, keys: Iterable[str] | None = None) -> str:
        """Entries for BibTeX, by key; those of ``keys``, by default all."""
        chosen = self._entries if keys is None else set(keys)
        return "\n\n".join(self._entries[key].entry(key) for key in sorted(chosen)) + "\n"

    def _free_key(self, stem: str) -> str:
        key, letter = stem, "b"
        while key in self._entries:
            key, letter = f"{stem}{letter}", chr(ord(letter) + 1)
        return key


def _identities(reference: Reference) -> list[str]:
    """What identifies a work: DOI, and title with year; or the text, if not taken apart."""
    if not reference.authors:
        return [reference.text.casefold()]
    letters = re.sub(r"\W+", "", reference.title.casefold())
    return [*filter(None, [reference.doi.casefold()]), f"{letters} {reference.year}"]


def _fuller(one: Reference, other: Reference) -> Reference:
    """A work by two references of it, each of which may have what the other lacks."""
    first, second = parse_venue(one.venue), parse_venue(other.venue)
    n_known = [sum(map(bool, venue.named.values())) for venue in (first, second)]
    return replace(
        one,
        authors=other.authors if "others" in one.authors else one.authors,
        venue=other.venue if n_known[1] > n_known[0] else one.venue,
        doi=one.doi or other.doi,
    )


def _outside_quotes(text: str) -> list[str]:
    """Parts between commas and spaces, such as none has in ``l2,1``; what is quoted is kept."""
    return re.findall(r'(?:"[^"]*"|,(?!\s)|[^,"])+', text)


def _ascii_word(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word)
    return "".join(one for one in plain if one.isascii() and one.isalnum()).casefold()
