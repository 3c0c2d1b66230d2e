"""The options that say where datasets are and how they are read, as one argument of a command."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from irbench.cli.convention_options import convention_arguments, convention_options
from irbench.cli.next_steps import plugin_arguments
from irbench.cli.opening import open_own
from irbench.cli.options import Function, data_options, load_plugins
from irbench.cli.verbosity import command_events, command_progress

if TYPE_CHECKING:
    from irbench.conventions import Conventions
    from irbench.dataset import Dataset
    from irbench.protocol import Protocol


@dataclass(frozen=True)
class DatasetOptions:
    """What ``--data-root``, ``--scheme``, ``--plugin`` and the conventions state.

    Attributes
    ----------
    data_root : Path or None
    scheme : str or None
    plugins : tuple of Path
        See :meth:`load_plugins`.
    conventions : Conventions
    """

    data_root: Path | None
    scheme: str | None
    plugins: tuple[Path, ...]
    conventions: Conventions

    @cached_property
    def _loaded(self) -> tuple[str, ...]:
        return load_plugins(self.plugins)

    def load_plugins(self) -> tuple[str, ...]:
        """Load the plug-ins, once, and return their absolute paths for the workers."""
        return self._loaded

    def open(self, name: str, split: str = "all") -> Dataset:
        """Open a dataset, perhaps of a plug-in, by its own rules, no protocol's."""
        self.load_plugins()
        return open_own(name, self.data_root, self.scheme, self.conventions, split)

    def open_under(self, protocol: Protocol, name: str, split: str = "all") -> Dataset:
        """Open a dataset; see :func:`irbench.engine.planning.choices.open_dataset`."""
        from irbench.engine.planning import choices

        self.load_plugins()
        events = command_events(command_progress())
        return choices.open_dataset(
            name, self.data_root, split, self.scheme, protocol, events, self.conventions
        )

    def arguments(self, name: str, scheme: str = "") -> list[str]:
        """The options that open a dataset again, as they may be typed.

        Parameters
        ----------
        name : str
            As it was given.
        scheme : str
            The split scheme to name; none by default.
        """
        words = ["--dataset", name]
        if self.data_root is not None:
            words += ["--data-root", str(self.data_root)]
        if scheme:
            words += ["--scheme", scheme]
        return [*words, *plugin_arguments(self.plugins), *convention_arguments(self.conventions)]


def dataset_options(function: Function) -> Function:
    """The options of :class:`DatasetOptions`, which the command gets as ``stated``."""

    @functools.wraps(function)
    def with_options(
        *args: Any,
        data_root: Path | None,
        scheme: str | None,
        plugins: tuple[Path, ...],
        conventions: Conventions,
        **kwargs: Any,
    ) -> Any:
        stated = DatasetOptions(data_root, scheme, plugins, conventions)
        return function(*args, stated=stated, **kwargs)

    return convention_options(data_options(cast("Function", with_options)))
