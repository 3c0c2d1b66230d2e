"""The command ``irbench``: its subcommands, and what an error looks like."""

from __future__ import annotations

import atexit
import difflib
import errno
import gc
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING

import click

from irbench import __version__
from irbench.errors import (
    EXIT_CODES,
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    IrbenchError,
    WriteError,
)
from irbench.messages.external_text import printable
from irbench.process.interrupts import terminating_as_interrupting

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Each is in a module of its name, which is loaded when it is called: --help waits for no NumPy.
_COMMANDS = {
    "run": "Run detectors over a dataset and score them.",
    "evaluate": "Score somebody else's output; it becomes a row.",
    "report": "Write tables of one or several runs.",
    "show": "Write the picture of one image: what each method found.",
    "paper": "Show the paper's published tables, checked; compare runs.",
    "robustness": "Run again on degraded images; curves.",
    "compare": "Find which methods of a run truly differ.",
    "cross": "Test networks on the datasets of other runs; table.",
    "analyze": "Explain why the numbers are what they are; figures.",
    "check": "Check a run against a baseline, for CI.",
    "detect": "Detect targets on your images; pictures and JSON.",
    "choose": "Find the detector for a camera on its own frames.",
    "methods": "List the methods, or show one with its parameters.",
    "metrics": "List the metrics, or show how one is defined.",
    "train": "Train a network; leaves weights with a card.",
    "weights": "Import published checkpoints as weights with a card.",
    "export": "Write a network as a file that runs without irbench.",
    "profile": "Measure size, FLOPs, time by stage and memory.",
    "data": "List, verify, measure, import and export datasets.",
    "calibrate": "Find extents and thresholds on validation data.",
    "doctor": "Check this machine: libraries, devices, data, folders.",
    "completion": "Print a script that completes words in a shell.",
}

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# Of paths that somebody has typed, as a rule; a full disk, for example, is another matter.
_WRONG_PATHS = (
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in the order a newcomer needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"irbench.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or name the nearest ones."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], _COMMANDS, n=2, cutoff=0.5)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint} Known: {', '.join(_COMMANDS)}.")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the commands without importing them, and the options."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=text)
            for name, text in _COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return commands + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "show_default": True,
    },
    epilog=f"Exit codes: {'; '.join(f'{code} {text}' for code, text in EXIT_CODES.items())}.",
)
@click.version_option(__version__, prog_name="irbench")
def irbench() -> None:
    """The benchmark of infrared small-target detection.

    \b
    irbench run --methods all --dataset synth       needs no data; prints a table
    irbench run --methods all --dataset nudt        the real thing
    irbench report runs/nudt --format latex         the table, as the paper prints it
    irbench methods list                            what there is to run

    Your own method or metric is one file: --plugin mine.py. Your own images: --dataset DIR.
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line; every deliberate error becomes one line and an exit code."""
    _let_every_character_pass()
    # Registered first, it runs last: Python would look for garbage among all objects once more,
    # half a second after a report, before a process that ends gives all of it back.
    atexit.register(gc.freeze)
    # No process that this one starts takes files of the current folder for modules of Python's.
    os.environ["PYTHONSAFEPATH"] = "1"
    # What rich prints obeys it of itself.
    color = False if os.environ.get("NO_COLOR") else None
    try:
        with terminating_as_interrupting():
            status = irbench.main(
                args=args, prog_name="irbench", standalone_mode=False, color=color
            )
    except click.exceptions.Abort:
        status = EXIT_INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        status = error.exit_code
    except click.ClickException as error:
        click.echo(printable(_one_line(error)), err=True)
        status = error.exit_code
    except KeyboardInterrupt:
        click.echo("irbench: interrupted.", err=True)
        status = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone, such as `irbench … | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = EXIT_DONE
    except Exception as error:
        status = _status_of(error)
    sys.exit(status if isinstance(status, int) else EXIT_DONE)


def _one_line(error: click.ClickException) -> str:
    """What is wrong with the words of a command, and where they are explained."""
    context = getattr(error, "ctx", None)
    if context is None:
        return f"irbench: {error.format_message()}"
    path = context.command_path
    message = " ".join(error.format_message().split())
    return f"{path}: {message} See {path} --help."


def _status_of(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename:
        error = WriteError(error.filename, error)
    if isinstance(error, IrbenchError):
        click.echo(printable(f"irbench: {error}"), err=True)
        return error.exit_code
    if isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f"{error.filename}: "
        click.echo(printable(f"irbench: {place}{error.strerror}."), err=True)
        return EXIT_USAGE if isinstance(error, _WRONG_PATHS) else EXIT_FAILED
    raise error


def _let_every_character_pass() -> None:
    """Print what a stream's encoding lacks as a question mark, not as an exception."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
