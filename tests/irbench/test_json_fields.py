"""Numbers from outside, and the JSON that holds them."""

from __future__ import annotations

import json
import math

import pytest

from irbench.json_fields import MAX_DEPTH, finite_number, is_number, is_whole, parse_json, shown

HUGE = 10**309


@pytest.mark.parametrize("value", [HUGE, -HUGE, math.nan, math.inf, True, "1", None, [1]])
def test_what_is_no_number(value):
    assert not is_number(value)
    with pytest.raises(ValueError, match="the width must be a finite number, got"):
        finite_number("the width", value)


@pytest.mark.parametrize("value", [0, -3, 2**70, 1.5, 1e308])
def test_what_is_a_number(value):
    assert is_number(value)
    assert finite_number("x", value) == value
    assert is_whole(value) == (isinstance(value, int) and value >= 0)


@pytest.mark.parametrize(
    "text",
    [
        "NaN", "[1, Infinity]", "1e999", "1" * 400, "1" * 5000, "[" * 3000 + "]" * 3000,
        "[" * 900 + "]" * 900, '{"a":' * 500 + "1" + "}" * 500, '"\\ud800"', "{", "", "\xff",
    ],
)  # fmt: skip
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_json(text.encode("latin-1"))


@pytest.mark.parametrize("text", ["[NaN, " + "1" * 400 + "]", "[NaN, -Infinity]"])
def test_numbers_beyond_json_for_a_reader_that_checks_them(text):
    values = parse_json(text.encode(), allow_nan=True)
    assert not any(map(is_number, values))


@pytest.mark.parametrize("text", ["[NaN, " + "1" * 5000 + "]", "[NaN, " + "[" * 5000, "NaN]"])
def test_what_python_does_not_read_either(text):
    with pytest.raises(json.JSONDecodeError):
        parse_json(text.encode(), allow_nan=True)


def test_depth():
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert parse_json(deep)
    with pytest.raises(ValueError, match=f"more than {MAX_DEPTH} deep"):
        parse_json(f"[{deep}]")


def test_what_is_shown_is_short():
    nested = []
    for _ in range(5000):
        nested = [nested]
    for value in (10**5000, nested, "x" * 10_000, "\x1b\udcff"):
        text = shown(value)
        assert len(text) <= 60
        text.encode()
