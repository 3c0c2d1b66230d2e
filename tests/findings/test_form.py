"""The scripts in findings/ have the form that their README promises; none is run here."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "findings"
SCRIPTS = sorted(FOLDER.glob("*.sh"))
FIELDS = ("# Packages: ", "# Behaviour: ", "# Why a good guess misses it: ", "# Seen: ")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script(script):
    text = script.read_text()
    assert os.access(script, os.X_OK)
    for field in FIELDS:
        assert f"\n{field}" in text, field
    packages = re.search(r"^# Packages: (.+)$", text, re.M).group(1).split()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", one) for one in packages)
    commands = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(one in "\n".join(commands) for one in packages)
    assert not any("irbench" in line for line in commands)
    assert not re.search(r"/(home|root|work|Users)/", text)
    assert f"`{script.name}`" in (FOLDER / "README.md").read_text()


def test_there_is_one():
    assert SCRIPTS
