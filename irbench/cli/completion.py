"""``irbench completion``."""

from __future__ import annotations

import click

from irbench.errors import EXIT_DONE

COMPLETE_VARIABLE = "_IRBENCH_COMPLETE"
"""The environment variable by which a shell asks for what may follow; click's convention."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the script that lets a shell complete irbench's commands, options and names.

    Methods, datasets and run directories are completed too. Keep the script where the shell looks
    for such scripts, and open a new shell:

    \b
    irbench completion bash > ~/.local/share/bash-completion/completions/irbench
    irbench completion zsh > "${fpath[1]}/_irbench"
    irbench completion fish > ~/.config/fish/completions/irbench.fish
    """
    from click.shell_completion import get_completion_class

    from irbench.cli.main import irbench

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(irbench, {}, "irbench", COMPLETE_VARIABLE).source())
    return EXIT_DONE
