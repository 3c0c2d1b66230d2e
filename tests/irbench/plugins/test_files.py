"""Plug-in files are run as they stand on disk."""

from __future__ import annotations

import os
import sys

import pytest

from irbench.plugins.files import plugin_module


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    # As a user's own shell has it; under tests bytecode is often switched off.
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    return tmp_path / "mine.py"


def load(path, text):
    path.write_text(text)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    module = plugin_module(path)
    del sys.modules[module.__name__]
    return module


def test_of_two_edits_within_a_second_the_newer_runs(plugin):
    assert load(plugin, "gain = 1\n").gain == 1
    assert load(plugin, "gain = 2\n").gain == 2


def test_nothing_is_left_beside_it(plugin):
    load(plugin, "gain = 1\n")
    assert list(plugin.parent.iterdir()) == [plugin]


def test_it_has_its_source(plugin):
    module = load(plugin, "def gain():\n    return 1\n")
    assert module.gain.__code__.co_filename == str(plugin)
    assert module.__spec__.origin == module.__file__ == str(plugin)
