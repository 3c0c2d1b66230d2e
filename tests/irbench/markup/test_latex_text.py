"""Any text becomes LaTeX that is plain ASCII and balanced."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irbench.markup.latex_text import latex_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50%_a&b", r"50\%\_a\&b"),
        ("3×3", r"3\ensuremath{\times}3"),
        ("é", r"\'{e}"),
        ("e\u0301", r"\'{e}"),
        ("–", r"\textendash{}"),
        ("a--b", "a-{}-b"),
        ("60-20-20", "60-20-20"),
        ("10⁻⁶", r"10\textsuperscript{-6}"),
        ("x²y³", r"x\textsuperscript{2}y\textsuperscript{3}"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("one\ntwo\tthree", "one two three"),
        ("½", "1/2"),
        ("中", "U+4E2D"),
        ("a\u200bb", "ab"),
        ("[12] Net", "{[}12] Net"),
        (" *Net", " {*}Net"),
        ("\u200b\uff3b1] Net", "{[}1] Net"),
        ("Net [12]*", "Net [12]*"),
        ("", ""),
    ],
)
def test_known_texts(text, expected):
    assert latex_text(text) == expected


@given(st.text())
def test_the_result_is_printable_ascii_with_balanced_braces(text):
    result = latex_text(text)
    assert result.isascii()
    assert result.isprintable()
    depth, escaped = 0, False
    for one in result:
        if escaped:
            escaped = False
        elif one == "\\":
            escaped = True
        else:
            # What LaTeX would take for markup never comes through by itself.
            assert one not in "%&#$_|<>" or one == "$"
            depth += (one == "{") - (one == "}")
            assert depth >= 0
    assert depth == 0
    assert "$" not in result.replace(r"\$", "")


@given(st.text(st.characters(categories=["L", "N"], max_codepoint=127)))
def test_plain_text_stays(text):
    assert latex_text(text) == text
