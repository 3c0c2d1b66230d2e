"""Escape sequences: none in files and pipes; no colours where ``NO_COLOR`` is set."""

from __future__ import annotations

import io
import re
import sys

import cv2
import numpy as np
import pytest

from irbench.cli.main import main
from irbench.doctor import examination
from irbench.doctor.diagnosis import Diagnosis
from irbench.messages.progress import BarProgress, LineProgress, terminal_progress

ESCAPE = "\x1b"

COLOUR = re.compile(r"\x1b\[(?:[\d;]*;)?(?:3\d|4\d|9[0-7]|10[0-7])(?:;[\d;]*)?m")

COMMANDS = [
    "report run",
    "report run --format csv",
    "compare run good poor --resamples 100",
    "compare run good poor third --resamples 100",
    "analyze run --repeats 1",
    "paper --no-counts --table 1",
    "methods list",
    "methods show tophat",
    "data list",
    "data verify scenes",
    "data stats scenes",
    "detect tophat scenes/images/0.png",
    "doctor",
    "run --help",
]


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self):
        return True


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Images with masks, and a run on them of what three others might have found."""
    folder = tmp_path_factory.mktemp("terminal")
    for kind in ("images", "masks"):
        (folder / "scenes" / kind).mkdir(parents=True)
    outputs = {name: folder / name for name in ("good", "poor", "third")}
    for output in outputs.values():
        output.mkdir()
    for index in range(4):
        image = np.full((32, 32), 20, np.uint8)
        mask = np.zeros_like(image)
        for row in (5, 20):
            image[row : row + 3, 10:13] = mask[row : row + 3, 10:13] = 255
        name = f"{index}.png"
        cv2.imwrite(str(folder / "scenes" / "images" / name), image)
        cv2.imwrite(str(folder / "scenes" / "masks" / name), mask)
        cv2.imwrite(str(folder / "good" / name), mask)
        cv2.imwrite(str(folder / "poor" / name), np.roll(mask, index, axis=1))
        cv2.imwrite(str(folder / "third" / name), np.roll(mask, 2, axis=0))
    for name, output in outputs.items():
        words = ["evaluate", "--predictions", str(output), "--dataset", str(folder / "scenes")]
        with pytest.raises(SystemExit) as end:
            main([*words, "--name", name, "--out", str(folder / "run"), "-q"])
        assert end.value.code == 0
    return folder


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(
        examination,
        "checks",
        lambda *_: [("thing", lambda: iter([Diagnosis("thing", "warning", "is so", "do this")]))],
    )


def call(line):
    with pytest.raises(SystemExit) as end:
        main(line.split())
    assert end.value.code in (0, 1)


@pytest.mark.parametrize("line", COMMANDS)
def test_nothing_but_text_goes_to_a_file(line, here, capsys):
    call(line)
    out, err = capsys.readouterr()
    assert out
    assert ESCAPE not in out + err


@pytest.mark.parametrize("line", COMMANDS)
def test_no_color_is_obeyed_on_a_terminal(line, here, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    call(line)
    assert out.getvalue()
    assert not COLOUR.search(out.getvalue() + err.getvalue())


@pytest.mark.parametrize("line", ["doctor", "data verify scenes"])
def test_a_terminal_has_colours(line, here, monkeypatch):
    """So that the test above can fail."""
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    call(line)
    assert COLOUR.search(out.getvalue() + err.getvalue())


def test_a_terminal_that_cannot_draw_has_lines(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(terminal_progress(), BarProgress)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(terminal_progress(), LineProgress)


def test_characters_that_an_encoding_lacks_stop_nothing(here, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    call("report run")
    sys.stdout.flush()
    assert b"good" in raw.getvalue()
