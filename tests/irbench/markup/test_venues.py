"""Venues of references as fields of BibTeX."""

from __future__ import annotations

import pytest

from irbench.markup.venues import parse_venue


@pytest.mark.parametrize(
    ("text", "kind", "known"),
    [
        ("IEEE Transactions on Image Processing 22(12)", "article",
         {"journal": "IEEE Transactions on Image Processing", "volume": "22", "number": "12"}),
        ("IEEE TGRS 59(11), 9813-9824", "article",
         {"journal": "IEEE Transactions on Geoscience and Remote Sensing", "volume": "59",
          "number": "11", "pages": "9813--9824"}),
        ("Infrared Physics & Technology 82", "article",
         {"journal": "Infrared Physics & Technology", "volume": "82"}),
        ("Remote Sensing 10(11), 1821", "article",
         {"journal": "Remote Sensing", "volume": "10", "number": "11", "pages": "1821"}),
        ("IEEE TGRS", "article", {"journal": "IEEE Transactions on Geoscience and Remote Sensing"}),
        ("WACV, pp. 949-958", "inproceedings",
         {"booktitle": "Winter Conference on Applications of Computer Vision (WACV)",
          "pages": "949--958"}),
        ("Proc. SPIE 3809", "inproceedings", {"booktitle": "Proc. SPIE", "volume": "3809"}),
        ("Academic Press", "book", {"publisher": "Academic Press"}),
        ("arXiv:2111.03580", "misc", {"howpublished": "arXiv:2111.03580"}),
        ("Somewhere else", "misc", {"howpublished": "Somewhere else"}),
        ("", "misc", {}),
    ],
)  # fmt: skip
def test_a_venue_is_read(text, kind, known):
    venue = parse_venue(text)
    assert venue.kind == kind
    assert {name: value for name, value in venue.named.items() if value} == known
