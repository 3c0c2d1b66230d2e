"""What every worker needs, loaded by the import of this module.

The server that workers are forked from imports it; see
:mod:`irbench.engine.executors.process_start`.
"""

from __future__ import annotations

import os
from importlib.metadata import entry_points

import irbench.engine.executors.worker_loop
import irbench.engine.jobs.detection  # noqa: F401
from irbench.conversion.components import load_compiled
from irbench.engine.executors.process_start import STATED_PATH
from irbench.plugins.registry import Group, catalogue


def load() -> None:
    """Import the plug-ins that come with irbench, and load the compiled conversion.

    None of it may start a thread.
    """
    groups: tuple[Group, ...] = ("methods", "datasets")
    for group in groups:
        values = {point.value for point in entry_points(group=f"irbench.{group}")}
        # Others may start threads when they are imported: workers load them, each for itself.
        if values == {f"irbench.{group}"}:
            catalogue(group)
    load_compiled()


def restore_path() -> None:
    """Give ``PYTHONPATH`` back: what a plug-in starts may be another Python."""
    os.environ.pop("PYTHONPATH", None)
    if (stated := os.environ.pop(STATED_PATH, None)) is not None:
        os.environ["PYTHONPATH"] = stated


restore_path()
load()
