"""What says which release this is says the same."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

import irbench

yaml = pytest.importorskip("yaml", reason="PyYAML comes with the documentation")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def citation():
    return yaml.safe_load((ROOT / "CITATION.cff").read_text())


def test_the_citation_is_of_this_version(citation):
    preferred = citation["preferred-citation"]
    assert citation["version"] == preferred["version"] == irbench.__version__
    released = citation["date-released"]
    assert (released.year, released.month) == (preferred["year"], preferred["month"])
    assert citation["title"] == preferred["title"]


def test_the_changelog_has_this_version(citation):
    headings = re.findall(r"^## (\S+) \((\S+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    dates = {version: date.fromisoformat(day) for version, day in headings}
    assert dates[irbench.__version__] == citation["date-released"]
