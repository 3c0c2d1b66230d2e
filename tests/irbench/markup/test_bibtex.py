"""References taken apart, and their keys."""

from __future__ import annotations

import pytest

from irbench.errors import IrbenchError
from irbench.markup.bibtex import Bibliography, parse_reference


@pytest.mark.parametrize(
    ("text", "authors", "title", "venue", "year", "doi"),
    [
        ("J. Serra, Image Analysis, Academic Press, 1982",
         ("J. Serra",), "Image Analysis", "Academic Press", "1982", ""),
        ("T.-Y. Lin, P. Dollár, A title, ICCV, 2980-2988, 2017",
         ("T.-Y. Lin", "P. Dollár"), "A title", "ICCV, 2980-2988", "2017", ""),
        ("M. Zhang et al., ISNet: Shape, CVPR, 2022, doi:10.1109/X.2022.00095",
         ("M. Zhang", "others"), "ISNet: Shape", "CVPR", "2022", "10.1109/X.2022.00095"),
        ('A. B. Gao, "A, title of 2d", 2025', ("A. B. Gao",), "A, title of 2d", "", "2025", ""),
        ("irbench, images, 2026", (), "irbench, images", "", "2026", ""),
    ],
)  # fmt: skip
def test_a_reference_is_taken_apart(text, authors, title, venue, year, doi):
    one = parse_reference(text)
    assert (one.authors, one.title, one.venue, one.year, one.doi) == (
        authors, title, venue, year, doi,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "to appear", "The user's own data"])
def test_what_has_no_year_is_not_cited(text):
    assert parse_reference(text) is None
    assert Bibliography([text]).key(text) == ""


def test_one_reference_has_one_key_and_two_have_two():
    first = "J. Han, Infrared x, IEEE, 2020, doi:10.1/a"
    again = "J. Han, Infrared x, IEEE GRSL, 2020, doi 10.1/A"
    other = "J. Han, Infrared y, IEEE, 2020"
    found = Bibliography([first, again, other])
    assert found.key(first) == found.key(again) == "han2020infrared"
    assert found.key(other) == "han2020infraredb"
    with pytest.raises(IrbenchError, match="no entry"):
        found.key("K. Other, Z, 2001")


def test_entries_are_escaped():
    (entry,) = Bibliography(["J. Müller, 50%_a & b, X, 2020"]).text().strip().split("\n\n")
    assert r"title = {{50\%\_a \& b}}" in entry
    assert r"author = {J. M\"{u}ller}" in entry
    assert entry.isascii()
