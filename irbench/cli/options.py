"""Options that several commands share, and how their text is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from irbench.cli.completion import complete_dataset, complete_methods, complete_run
from irbench.errors import UsageError

if TYPE_CHECKING:
    from irbench.plugins.files import Failure

Function = TypeVar("Function", bound=Callable[..., Any])


def together(*options: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """Several options as one decorator, in the order that the help lists them in."""

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def plugin_option_of(what: str) -> Callable[[Function], Function]:
    """``--plugin`` of a command that takes only so much from a plug-in."""
    return click.option(
        "--plugin",
        "plugins",
        multiple=True,
        type=click.Path(path_type=Path),
        help=f"A Python file with {what}. May be repeated.",
    )


run_argument = click.argument(
    "run", type=click.Path(path_type=Path), metavar="RUN", shell_complete=complete_run
)
runs_argument = click.argument(
    "runs",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    metavar="RUN…",
    shell_complete=complete_run,
)
plugin_option = plugin_option_of("your own methods, datasets or metrics")
data_root_option = click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    help="Where datasets are.  [default: $IRBENCH_DATA, else the user data directory]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Worker processes.  [default: cores]"
)
timeout_option = click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.1),
    default=600.0,
    help="Seconds for one image; longer counts as failed.",
)
operating_point_option = click.option(
    "--operating-point",
    type=click.Choice(["val-f1", "fixed", "mean-kstd", "oracle"]),
    help="How the score threshold is found.  [default: the protocol's]",
)
param_option = click.option(
    "--param",
    "params",
    multiple=True,
    metavar="METHOD.NAME=VALUE",
    help="Set a parameter of a method, such as tophat.size=9. May be repeated.",
)
own_param_option = click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a parameter of the method. May be repeated.",
)
draws_options = together(
    click.option(
        "--resamples",
        type=click.IntRange(min=100),
        default=10_000,
        help="Draws of images in the bootstrap.",
    ),
    click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the draws."),
)
data_options = together(
    data_root_option,
    click.option(
        "--scheme",
        help="Split scheme, such as 60-20-20 or official.  [default: the protocol's]",
    ),
    plugin_option,
)


class RepeatableOption(click.Option):
    """An option of which each repetition counts: click itself takes the last, in silence.

    Parameters
    ----------
    combine : callable
        Makes one value of the tuple of all, which is not empty.
    not_given : object
        The value where the option is neither given nor has a default.
    """

    def __init__(
        self,
        *args: Any,
        combine: Callable[[tuple[str, ...]], Any],
        not_given: Any = None,
        **kwargs: Any,
    ) -> None:
        self.combine, self.not_given = combine, not_given
        if "default" in kwargs:
            kwargs["default"] = (kwargs["default"],)
        super().__init__(*args, **{**kwargs, "multiple": True})

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Convert what was given, and combine it."""
        given = super().process_value(ctx, value)
        return self.combine(given) if given else self.not_given


def names_option(*args: Any, **kwargs: Any) -> Callable[[Function], Function]:
    """An option that is a list with commas, and may be repeated: a tuple of names, each once."""
    return click.option(*args, cls=RepeatableOption, combine=joined_names, not_given=(), **kwargs)


def joined_names(texts: Iterable[str]) -> tuple[str, ...]:
    """The names of lists with commas, each once."""
    return tuple(dict.fromkeys(name for text in texts for name in split_names(text)))


methods_option = names_option(
    "--methods", default="all", shell_complete=complete_methods, help="As for `irbench run`."
)


def dataset_option(several: bool = False, **kwargs: Any) -> Callable[[Function], Function]:
    """``--dataset``, of a command for one dataset, or for ``several`` as text with commas."""
    return click.option(
        "--dataset",
        cls=RepeatableOption,
        combine=",".join if several else _only_dataset,
        shell_complete=complete_dataset,
        **kwargs,
    )


def _only_dataset(names: tuple[str, ...]) -> str:
    if len(set(names)) > 1:
        raise UsageError(
            f"--dataset takes one dataset, got {', '.join(names)}; run the command once for each."
        )
    return names[0]


def split_names(text: str) -> list[str]:
    """The names of a comma-separated list."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError(f"expected names separated by commas, got {text!r}.")
    return names


def quality_names(names: tuple[str, ...], what: str) -> tuple[str, ...]:
    """These names, all of metrics of quality.

    Raises
    ------
    UnknownNameError
        For another name; ``what`` says what it was to be, such as ``"metric to print"``.
    """
    from irbench.metrics.definition import quality_metrics, unknown_metric

    known = quality_metrics()
    for name in names:
        if name not in known:
            raise unknown_metric(what, name, known)
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


def parse_parameters_of(method: str, texts: Iterable[str]) -> dict[str, str]:
    """Read ``PARAMETER=VALUE``, with or without ``METHOD.`` before it, into parameter → text."""
    prefix = f"{method}."
    full = (text if text.startswith(prefix) else f"{prefix}{text}" for text in texts)
    return parse_assignments(full).get(method, {})


def without_options(
    words: Iterable[str], valued: Sequence[str], flags: Sequence[str] = ()
) -> list[str]:
    """The words of a command without some options: ``valued`` with their values, and flags.

    Examples
    --------
    >>> words = ["--out", "a", "--jobs=2", "-q", "--limit", "3"]
    >>> without_options(words, ["--out", "--jobs"], ["-q"])
    ['--limit', '3']
    """
    joined = tuple(f"{option}=" for option in valued)
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in valued:
            skip = True
        elif word not in flags and not word.startswith(joined):
            kept.append(word)
    return kept


def load_plugins(plugins: Iterable[Path]) -> tuple[str, ...]:
    """See :func:`irbench.plugins.registry.load_plugins`, which no help of a command waits for."""
    from irbench.plugins import registry

    return registry.load_plugins(plugins)


def print_failures(failures: Iterable[Failure]) -> None:
    """Name the plug-ins that a list lacks, and why."""
    for failure in failures:
        click.echo(f"not loaded: {failure.source}: {failure.reason}", err=True)


class SectionedCommand(click.Command):
    """A command whose help lists its options by what they are about.

    Parameters
    ----------
    sections : mapping of str to sequence of str
        Names of parameters by heading, in the order of the help. What no heading names
        stands at the end.
    """

    def __init__(self, *args: Any, sections: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections

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
            with formatter.section("Other options"):
                formatter.write_dl(list(records.values()))
