"""The help teaches, and says what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from irbench.cli.main import irbench
from irbench.errors import EXIT_CODES

ROOT = Path(__file__).parents[3]

HOLDS_NO_WORK = {"irbench methods list", "irbench methods show", "irbench metrics list",
                 "irbench metrics show", "irbench data list", "irbench completion"}  # fmt: skip


def commands(group=irbench, path="irbench"):
    """Every command with the words that call it, groups included."""
    context = click.Context(group, info_name=path)
    yield path, group
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


ALL = dict(commands())


def help_of(path):
    settings = irbench.context_settings
    return ALL[path].get_help(click.Context(ALL[path], info_name=path, **settings))


@pytest.mark.parametrize("path", ALL)
def test_the_help_has_examples(path):
    lines = help_of(path).splitlines()
    assert any(line.startswith(f"  {path} ") for line in lines), "no example"
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize("path", ALL)
def test_every_option_is_explained(path):
    for param in ALL[path].params:
        if isinstance(param, click.Option):
            assert param.help, param.name


@pytest.mark.parametrize("path", ALL)
def test_what_works_can_be_told_to_be_quiet(path):
    options = {name for param in ALL[path].params for name in param.opts}
    works = not isinstance(ALL[path], click.Group) and path not in HOLDS_NO_WORK
    assert ({"-v", "--verbose", "-q", "--quiet"} <= options) == works


@pytest.mark.parametrize("path", ALL)
def test_examples_name_options_that_exist(path):
    """As they stand in the help of the command itself."""
    for line in ALL[path].help.splitlines():
        words = re.split(r" {3,}", line.strip())[0].split()
        target = " ".join(words[:3]) if " ".join(words[:3]) in ALL else " ".join(words[:2])
        if words[:1] != ["irbench"] or target not in ALL:
            continue
        known = {name for param in ALL[target].params for name in param.opts}
        known |= {name for param in ALL[target].params for name in param.secondary_opts}
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= known | {"--help"}, line


def test_exit_codes_are_the_same_everywhere():
    shown = " ".join(help_of("irbench").split())
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in shown
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.search(r"Exit codes:(.*?)\n\n", readme, re.DOTALL).group(1)
    assert {int(code) for code in re.findall(r"\b\d+\b", listed)} == EXIT_CODES.keys()
    manual = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    table = manual.partition("## Exit codes")[2].partition("## ")[0]
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", table, re.MULTILINE))
    assert {int(code): meaning for code, meaning in rows.items()} == EXIT_CODES


def test_as_a_module_it_is_the_same_command():
    done = subprocess.run(
        [sys.executable, "-m", "irbench", "--version"], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("irbench, version ")
    assert done.returncode == 0
