"""Options that are given more than once: none is lost in silence."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from irbench.cli.main import irbench
from irbench.cli.options import dataset_option, names_option
from irbench.errors import UsageError


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], ("all",)),
        (["--methods", "tophat"], ("tophat",)),
        (["--methods", "tophat,mpcm", "--methods", "lcm, tophat"], ("tophat", "mpcm", "lcm")),
    ],
)
def test_lists_add_up(arguments, names):
    @names_option("--methods", default="all", show_default=True)
    @click.command()
    def command(methods):
        assert methods == names

    assert CliRunner().invoke(command, arguments, catch_exceptions=False).exit_code == 0
    assert "[default: all]" in CliRunner().invoke(command, ["--help"]).output


def test_a_list_that_is_not_given_is_empty():
    @click.command()
    @names_option("--columns")
    def command(columns):
        assert columns == ()

    assert CliRunner().invoke(command, [], catch_exceptions=False).exit_code == 0


@pytest.mark.parametrize("several", [False, True])
def test_datasets_add_up_or_are_refused(several):
    seen = []

    @click.command()
    @dataset_option(several=several, required=True)
    def command(dataset):
        seen.append(dataset)

    run = CliRunner().invoke
    assert run(command, []).exit_code == 2
    for arguments in (["nudt"], ["nudt", "nudt"], ["nudt", "nuaa"]):
        given = [word for name in arguments for word in ("--dataset", name)]
        if several or len(set(arguments)) == 1:
            assert run(command, given, catch_exceptions=False).exit_code == 0
        else:
            with pytest.raises(UsageError, match="takes one dataset, got nudt, nuaa"):
                run(command, given, catch_exceptions=False)
    assert seen == (["nudt", "nudt,nudt", "nudt,nuaa"] if several else ["nudt", "nudt"])


def options_of(command):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from options_of(command.get_command(context, name))
    yield from ((command.name, one) for one in command.params if isinstance(one, click.Option))


def test_every_option_that_is_a_list_may_be_repeated():
    lists = [
        (name, option)
        for name, option in options_of(irbench)
        if ",…" in (option.metavar or "") or "commas" in (option.help or "")
    ]
    assert len(lists) > 12
    assert [(name, option.opts) for name, option in lists if not option.multiple] == []
