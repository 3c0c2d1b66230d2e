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


def test_two_references_of_one_work_complete_each_other():
    short = "B. Li et al., Nets, IEEE TIP 32, 10-20, 2023"
    full = 'B. Li, C. Xiao, "Nets", IEEE TIP 32, 2023, doi:10.1/TIP'
    found = Bibliography([short, full])
    assert found.key(short) == found.key(full) == "li2023nets"
    (entry,) = found.text().strip().split("\n\n")
    for line in (
        "@article{li2023nets,",
        "author = {B. Li and C. Xiao},",
        "journal = {IEEE Transactions on Image Processing},",
        "volume = {32},",
        "pages = {10--20},",
        "doi = {10.1/TIP},",
    ):
        assert line in entry


def test_the_same_title_of_another_year_is_another_work():
    found = Bibliography(["B. Li, Nets, CVPR, 2022", "B. Li, Nets, CVPR, 2023"])
    assert len(found.entries) == 2


def test_a_comma_inside_a_word_ends_no_title():
    one = parse_reference("L. Zhang, The l2,1 norm, Remote Sensing 10(11), 1821, 2018")
    assert (one.title, one.venue) == ("The l2,1 norm", "Remote Sensing 10(11), 1821")


def test_chosen_entries():
    found = Bibliography(["A. One, X, CVPR, 2020", "B. Two, Y, CVPR, 2021"])
    assert found.text(["two2021y"]).count("@") == 1


def test_entries_are_escaped():
    (entry,) = Bibliography(["J. Müller, 50%_a & b, X, 2020"]).text().strip().split("\n\n")
    assert r"title = {{50\%\_a \& b}}" in entry
    assert r"author = {J. M\"{u}ller}" in entry
    assert entry.isascii()
