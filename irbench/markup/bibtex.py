"""References as the methods and datasets carry them, as BibTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from irbench.errors import IrbenchError
from irbench.markup.latex_text import latex_text

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
        """The BibTeX entry."""
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
            "howpublished": latex_text(self.venue),
            "year": self.year,
            # Without a package, styles print neither doi nor url.
            "note": f"doi:{latex_text(self.doi)}" if self.doi else "",
            "doi": self.doi,
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@misc{{{key},", *lines, "}"])


def parse_reference(text: str) -> Reference | None:
    """Take a reference apart that is written ``A. Author, B. Author, Title, Venue, year, doi:…``.

    Parameters
    ----------
    text : str

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
        Their order decides the letters that tell keys of one stem apart. What cannot be
        cited is left out.
    """

    def __init__(self, references: Iterable[str]) -> None:
        self._keys: dict[str, str] = {}
        self._entries: dict[str, Reference] = {}
        for text in references:
            reference = parse_reference(text)
            if reference is None:
                continue
            identity = _identity(reference)
            if identity not in self._keys:
                key = self._free_key(reference.stem)
                self._keys[identity], self._entries[key] = key, reference

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
        try:
            return self._keys[_identity(parsed)]
        except KeyError:
            raise IrbenchError(f"no entry of the bibliography is {reference!r}.") from None

    def text(self) -> str:
        """All entries for BibTeX, by key."""
        return "\n\n".join(self._entries[key].entry(key) for key in sorted(self._entries)) + "\n"

    def _free_key(self, stem: str) -> str:
        key, letter = stem, "b"
        while key in self._entries:
            key, letter = f"{stem}{letter}", chr(ord(letter) + 1)
        return key


def _identity(reference: Reference) -> str:
    return reference.doi.casefold() or reference.text.casefold()


def _outside_quotes(text: str) -> list[str]:
    """Parts between commas, those within double quotes kept."""
    return re.findall(r'(?:"[^"]*"|[^,"])+', text)


def _ascii_word(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word)
    return "".join(one for one in plain if one.isascii() and one.isalnum()).casefold()
