"""CSV that spreadsheets read as values."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from irbench.markup.csv_text import csv_text

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1 net", "'-1 net"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\n@x", "'\n@x"),
        (" =1", "' =1"),
        ("\r=1", "\\x0d=1"),
        ("a\x1b[2J", "a\\x1b[2J"),
        ("a=b, \"c\"", "a=b, \"c\""),
        (-0.5, "-0.5"),
        (-3, "-3"),
        (None, ""),
    ],
)  # fmt: skip
def test_cells(value, expected):
    text = csv_text(["a", "b"], [{"a": value, "b": 1, "c": 2}])
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a", "b"], [expected, "1"]]


def test_columns_of_plugins_are_guarded_too():
    assert csv_text(["=1+1", "b"], []) == "'=1+1,b\n"


def test_there_is_one_writer_of_csv():
    others = [
        str(file.relative_to(ROOT))
        for folder in ("irbench", "methods", "datasets", "reports", "docs")
        for file in sorted((ROOT / folder).rglob("*.py"))
        if re.search(r"csv\.(writer|DictWriter)|\.to_csv\(", file.read_text())
    ]
    assert others == ["irbench/markup/csv_text.py"]
