"""The commands that the pages show are commands that exist, with options that exist."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from irbench.cli.main import irbench
from irbench.errors import UnknownNameError
from irbench.metrics.definition import get_metric
from irbench.plugins.registry import report_class

ROOT = Path(__file__).parents[2]
PAGES = sorted(p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts)
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.S | re.M)


def text_of(page):
    if page.suffix == ".ipynb":
        cells = json.loads(page.read_text())["cells"]
        lines = "".join("".join(cell["source"]) + "\n" for cell in cells)
        return "```\n" + re.sub(r"^!", "", lines, flags=re.M) + "```\n"
    return page.read_text()


def commands_of(page):
    """``irbench …`` as a line of a block (or a step of YAML), and as code in a sentence."""
    text = text_of(page)
    for block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if found := re.match(r"\s*(?:- run: |run: |\$ )?(irbench .*)", line):
                yield found[1]
    yield from re.findall(r"`(irbench [^`]*)`", FENCE.sub("", text))


COMMANDS = [
    pytest.param(command, id=f"{page.name}: {command}")
    for page in [*PAGES, ROOT / "README.md", *(ROOT / "docs").glob("*.ipynb")]
    for command in commands_of(page)
]


def words_of(command):
    """Its words without comment, redirection and pipe; alternatives a|b become the first."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=">")
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if word.startswith(">") or word == "|":
            break
        words.append(re.sub(r"(?<=\w)\|.*", "", word))
    return words[1:]


# Names that the command line looks up later, among what is installed.
NAMES = {
    "--format": report_class,
    "--columns": lambda names: [get_metric(n) for n in names.split(",") if n not in LISTS],
}
LISTS = ("paper", "wide")


def check(words):
    """Parse all words but the values: what is named must exist."""
    group, context = irbench, click.Context(irbench, info_name="irbench")
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        name, group, words = group.resolve_command(context, words)
        context = click.Context(group, info_name=name, parent=context)
    options = {
        flag: param
        for param in group.get_params(context)
        if isinstance(param, click.Option)
        for flag in (*param.opts, *param.secondary_opts)
    }
    n_arguments, has_plugin = 0, "--plugin" in words
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            n_arguments += 1
            continue
        flag = word.partition("=")[0]
        assert flag in options, f"no option {flag}; known: {', '.join(options)}"
        option = options[flag]
        if option.is_flag or option.count or "=" in word:
            continue
        values = [words.pop(0) for _ in range(option.nargs)] if words else []
        if flag == "--value-range" and values and values[0].isdecimal():
            # One word, or two numbers.
            words.pop(0)
        # A placeholder in capitals or an ellipsis stands for any value.
        if values and isinstance(option.type, click.Choice) and not re.match("[A-Z…]", values[0]):
            option.type.convert(values[0], option, context)
        # A file after --plugin may bring names.
        if context.command_path == "irbench report" and values and not has_plugin:
            NAMES.get(flag, str)(values[0])
    takes = [p.nargs for p in group.get_params(context) if isinstance(p, click.Argument)]
    if not isinstance(group, click.Group) and -1 not in takes:
        # RUN… of an option may be followed by more of them.
        assert n_arguments <= sum(takes) or "paper" in context.command_path


@pytest.mark.parametrize("command", COMMANDS)
def test_it_parses(command):
    check([word for word in words_of(command) if word not in ("…", "...")])


def test_pages_are_looked_through():
    assert len(COMMANDS) > 60


@pytest.mark.parametrize(
    "command",
    ["irbench run --method all", "irbench reprot runs/x", "irbench report r --format pdfx",
     "irbench data leak --dataset nudt", "irbench data leaks nudt extra",
     "irbench report r --columns pd,far"],
)  # fmt: skip
def test_what_does_not_exist_is_found(command):
    with pytest.raises((AssertionError, click.ClickException, UnknownNameError)):
        check(words_of(command))
