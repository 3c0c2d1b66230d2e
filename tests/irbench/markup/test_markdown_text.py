"""Markdown that renders as the text, checked with a Markdown parser."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.markup.markdown_text import display_width, markdown_text, pipe_table


def rendered_cells(table):
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py renders the tables")
    page = markdown_it.MarkdownIt("commonmark").enable("table").render(table)
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    return [[html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in row] for row in cells]


def test_known_texts():
    assert markdown_text("50%_a&b") == r"50%\_a&b"
    assert markdown_text("a|b\nc  d") == "a&#124;b c d"
    assert markdown_text("&lt; & x") == "&amp;lt; & x"


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
def test_a_cell_renders_as_the_text(text):
    text = f"x{text}x"
    table = pipe_table(["head", "n"], [[markdown_text(text), "1"]])
    assert rendered_cells(table)[1] == [text, "1"]


def test_columns_line_up():
    table = pipe_table(["Method", "P"], [["é中", "1.00"], ["a", "—"]])
    assert len({display_width(line) for line in table.splitlines()}) == 1
    assert table.splitlines()[1] == "| ------ | ---: |"
    assert table.splitlines()[2] == "| é中    | 1.00 |"
