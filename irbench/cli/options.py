"""Options that several commands share, and how their text is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from irbench.errors import UsageError

Function = TypeVar("Function", bound=Callable[..., Any])


plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A Python file with your own methods, datasets or metrics. May be repeated.",
)
data_root_option = click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    help="Where datasets are.  [default: $IRBENCH_DATA, else the user data directory]",
)
_scheme_option = click.option(
    "--scheme",
    help="Split scheme, such as 60-20-20 or official.  [default: the protocol's]",
)


def data_options(function: Function) -> Function:
    """``--data-root``, ``--scheme`` and ``--plugin``."""
    for option in (plugin_option, _scheme_option, data_root_option):
        function = option(function)
    return function


def split_names(text: str) -> list[str]:
    """The names of a comma-separated list."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError(f"expected names separated by commas, got {text!r}.")
    return names


def parse_assignments(texts: Iterable[str]) -> dict[str, dict[str, str]]:
    """Read ``METHOD.PARAMETER=VALUE`` into method → parameter → text."""
    parsed: dict[str, dict[str, str]] = {}
    for text in texts:
        target, equals, value = text.partition("=")
        method, dot, name = target.partition(".")
        if not (equals and dot and method and name):
            raise UsageError(f"--param must be METHOD.PARAMETER=VALUE, got {text!r}.")
        parsed.setdefault(method.strip(), {})[name.strip()] = value
    return parsed


def load_plugins(plugins: Iterable[Path]) -> tuple[str, ...]:
    """Load plug-in files, and give their absolute paths for the workers."""
    from irbench.registry import load_plugin

    paths = []
    for plugin in plugins:
        load_plugin(plugin)
        paths.append(str(Path(plugin).resolve()))
    return tuple(paths)


class SectionedCommand(click.Command):
    """A command whose help lists its options by what they are about.

    Parameters
    ----------
    sections : mapping of str to sequence of str
        Names of parameters by heading, in the order of the help. What no heading names
        stands at the end.
    """

    def __init__(
        self, *args: Any, sections: Mapping[str, Sequence[str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sections = dict(sections or {})

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options into the formatter."""
        records = {
            param.name: record
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx))
        }
        for title, names in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([records.pop(name) for name in names])
        if records:
            with formatter.section("Other options" if self.sections else "Options"):
                formatter.write_dl(list(records.values()))
