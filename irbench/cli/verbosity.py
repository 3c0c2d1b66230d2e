"""``--verbose`` and ``--quiet``, and what the commands say through them.

=============  =====================  ======================  ================
given          errors and the result  progress, what is next  the log's events
=============  =====================  ======================  ================
``--quiet``    yes                    no                      no
nothing        yes                    yes                     no
``--verbose``  yes                    yes                     yes
=============  =====================  ======================  ================
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.options import Function

if TYPE_CHECKING:
    from irbench.messages.events import Events
    from irbench.messages.progress import Progress

_KEY = "irbench.verbosity"


class Verbosity(enum.IntEnum):
    """How much a command says."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


def verbosity_options(function: Function) -> Function:
    """``--verbose`` and ``--quiet``; read them by the functions of this module."""
    for names, level, text in (
        (("-q", "--quiet"), Verbosity.QUIET, "Print errors and the result alone."),
        (("-v", "--verbose"), Verbosity.VERBOSE, "Print what is done as it is done, too."),
    ):
        option = click.option(
            *names,
            is_flag=True,
            flag_value=int(level),
            type=int,
            default=None,
            expose_value=False,
            callback=_remember,
            help=text,
        )
        function = option(function)
    return function


def _remember(context: click.Context, _option: click.Parameter, value: int | None) -> None:
    if value is None:
        return
    if context.meta.setdefault(_KEY, value) != value:
        raise click.UsageError("--verbose and --quiet exclude each other: give one of them.")


def verbosity() -> Verbosity:
    """How much the running command is to say."""
    context = click.get_current_context(silent=True)
    return Verbosity(Verbosity.NORMAL if context is None else context.meta.get(_KEY, 1))


def note(message: str, err: bool = False) -> None:
    """Print what is no result and no error, such as what to do next; not under ``--quiet``."""
    if verbosity() > Verbosity.QUIET:
        click.echo(message, err=err)


def command_progress() -> Progress:
    """Bars on a terminal, lines elsewhere; under ``--quiet`` warnings alone."""
    from irbench.messages.progress import QuietProgress, terminal_progress

    return QuietProgress() if verbosity() == Verbosity.QUIET else terminal_progress()


def command_events(progress: Progress) -> Events:
    """Events that are printed too, above the bar of ``progress``, under ``--verbose``."""
    from irbench.messages.events import Events

    return Events(progress.say if verbosity() == Verbosity.VERBOSE else None)


def record(event: str, **fields: Any) -> None:
    """Report an event of a command that keeps no log."""
    if verbosity() == Verbosity.VERBOSE:
        command_events(command_progress()).record(event, **fields)
