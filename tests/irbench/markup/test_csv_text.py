"""CSV that spreadsheets read as values."""

from __future__ import annotations

import csv
import io

import pytest

from irbench.markup.csv_text import csv_text


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
