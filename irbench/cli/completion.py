"""``irbench completion``, and what the shell offers for names: methods, datasets, run directories.

The functions here serve the Tab key, so that they print nothing, raise nothing, and import no more
than the listing of names takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import click
from click.shell_completion import CompletionItem

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


METHOD_SETS = {
    "all": "all methods but ablations and variants",
    "extended": "those of all, and further classical ones",
    "classical": "those without a network",
    "deep": "those with one",
}


def complete_method(
    _context: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of methods."""
    return _beginning(_methods().items(), incomplete)


def complete_methods(
    _context: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The last name of a list with commas; sets of methods too, where it is the first."""
    names = _methods() if "," in incomplete else {**METHOD_SETS, **_methods()}
    return _last_of_list(names, incomplete)


def complete_dataset(
    _context: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of datasets; directories where none begins like this."""
    from irbench.plugins.registry import catalogue

    classes = catalogue("datasets").classes
    # A folder of one's own is given as a directory.
    named = ((name, cls.info.title) for name, cls in classes.items() if name != "folder")
    return _beginning(named, incomplete) or [_directories(incomplete)]


def complete_format(
    _context: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Formats of reports."""
    from irbench.plugins.registry import catalogue

    classes = catalogue("reports").classes
    return _beginning(((name, cls.info.title) for name, cls in classes.items()), incomplete)


def complete_run(
    _context: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Run directories below ``runs``, or below what is typed; else any directories."""
    typed = Path(incomplete)
    folder = typed if incomplete.endswith("/") else typed.parent
    folders = [folder] if incomplete else [folder, Path("runs")]
    runs = sorted(file.parent for parent in folders for file in parent.glob("*/run.json"))
    named = ((str(run), None) for run in runs)
    return _beginning(named, incomplete) or [_directories(incomplete)]


def complete_row(
    context: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Methods of the run, or the runs, that stand before them; of a list with commas the last."""
    import json

    states: dict[str, str] = {}
    for run in context.params.get("runs") or (context.params.get("run") or "",):
        try:
            methods = json.loads((Path(run) / "run.json").read_bytes())["methods"]
            states |= {name: one["state"] for name, one in methods.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return _last_of_list(states, incomplete)


def _methods() -> dict[str, str]:
    from irbench.plugins.registry import catalogue

    return {name: cls.info.title for name, cls in catalogue("methods").classes.items()}


def _beginning(named: Iterable[tuple[str, str | None]], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=text) for name, text in named if name.startswith(incomplete)]


def _last_of_list(named: Mapping[str, str], incomplete: str) -> list[CompletionItem]:
    """What the last name of a list with commas may be, behind the names before it."""
    before, comma, last = incomplete.rpartition(",")
    given = before.split(",")
    return [
        CompletionItem(f"{before}{comma}{name}", help=text)
        for name, text in named.items()
        if name.startswith(last) and name not in given
    ]


def _directories(incomplete: str) -> CompletionItem:
    """Leaves it to the shell."""
    return CompletionItem(incomplete, type="dir")
