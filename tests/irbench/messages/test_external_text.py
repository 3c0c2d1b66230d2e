"""Text from outside: what is shown, refused and kept; against all characters of doubt."""

from __future__ import annotations

import json
import unicodedata

import orjson
import pytest

from irbench.atomic import json_bytes, write_json
from irbench.messages.events import Events
from irbench.messages.external_text import (
    MAX_MESSAGE,
    error_text,
    message,
    printable,
    shortened,
    storable,
    unprintable,
)

# The planes above the first hold neither controls nor surrogates.
EVERYTHING = [
    chr(code) for code in (*range(0x3000), *range(0xD700, 0xE100), *range(0xFE00, 0x10200))
]


def test_what_is_printable_is_text_that_every_file_and_terminal_can_have():
    for one in EVERYTHING:
        shown = printable(one)
        shown.encode()
        kinds = {unicodedata.category(part) for part in shown} - {"Cf", "Cn", "Co"}
        assert shown in ("\t", "\n") or not kinds & {"Cc", "Cs", "Zl", "Zp"}
        assert not {unicodedata.bidirectional(part) for part in shown} & {
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        }  # fmt: skip
        assert bool(unprintable(one)) == (shown != one)
        assert printable(shown) == shown


def test_ordinary_text_is_not_touched():
    for text in ("Müller (2024), 3×3", "夜の海 ۱۲۳", "a\tb\nc", "\N{ZERO WIDTH JOINER}", ""):
        assert printable(text) == text == message(text)
        assert not unprintable(text)


def test_a_message_is_bounded_and_says_so():
    told = error_text(ValueError("\x1b" * 5_000_000))
    assert len(told) < 4 * MAX_MESSAGE + 80
    assert told.startswith("ValueError: \\x1b\\x1b")
    assert told.endswith(f"… (the first {MAX_MESSAGE} of 5000012 characters)")
    assert shortened("a" * MAX_MESSAGE) == "a" * MAX_MESSAGE


def test_an_error_that_cannot_be_told():
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError("no")

    assert error_text(MuteError()) == "MuteError"


def test_json_of_any_text(tmp_path):
    content = {"a\udcff": ["b\ud800", {"c": "\x1b[31m"}, 1.5, None]}
    expected = {"a\\udcff": ["b\\ud800", {"c": "\\x1b[31m"}, 1.5, None]}
    assert storable(content) == expected
    assert json.loads(json_bytes(content, 0)) == expected
    write_json(tmp_path / "x.json", content)
    assert json.loads((tmp_path / "x.json").read_text()) == expected
    # JSON that is valid is written as it is: its own escapes do for control characters.
    assert orjson.loads(json_bytes({"c": "\x1b"}, 0)) == {"c": "\x1b"}


def test_events_with_any_text(tmp_path):
    told = []
    events = Events(told.append)
    with events.logged_to(tmp_path / "log.jsonl"):
        events.record("image_failed", image="a\udcff", error="\x1b[2J" * 10_000, more=["\udcfe"])
    (line,) = (tmp_path / "log.jsonl").read_bytes().splitlines()
    assert orjson.loads(line)["image"] == "a\\udcff"
    assert len(line) < 12_000
    assert "\x1b" not in told[0]


@pytest.mark.parametrize("field", ["title", "note", "name"])
def test_a_plug_in_whose_titles_a_terminal_would_obey_is_refused(tmp_path, field):
    from irbench.errors import UsageError
    from irbench.plugins.registry import load_plugin

    fields = {"name": "obeyed", "title": "T", "note": "", field: "a\x1b[2Jb"}
    plugin = tmp_path / "obeyed.py"
    plugin.write_text(
        "from irbench import BoxDetector, MethodInfo\n"
        "class Obeyed(BoxDetector):\n"
        f"    info = MethodInfo(group='G', year=2026, reference='', **{fields!r})\n"
        "    def compute(self, image):\n"
        "        return [], []\n"
    )
    with pytest.raises(UsageError, match=rf"info.{field} must be a text .* character \\x1b"):
        load_plugin(plugin)
