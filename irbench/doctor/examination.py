"""All checks, one after the other; one that fails itself is a finding too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from irbench.doctor.diagnosis import Diagnosis
from irbench.doctor.found_data import check_data, check_plugins, check_weights
from irbench.doctor.libraries import (
    check_imports,
    check_opencv,
    check_python,
    check_requirements,
)
from irbench.doctor.machine import check_environment, check_machine
from irbench.doctor.places import check_places
from irbench.doctor.self_test import check_self_test
from irbench.doctor.torch_state import check_torch
from irbench.messages.external_text import error_text

Check = Callable[[], Iterator[Diagnosis]]


def checks(out: Path, data_root: Path | None, self_test: bool) -> list[tuple[str, Check]]:
    """The checks by name, the quick ones first.

    Parameters
    ----------
    out : Path
        Where runs are put.
    data_root : Path or None
        What ``--data-root`` names.
    self_test : bool
        Whether something is run, too.
    """
    chosen: list[tuple[str, Check]] = [
        ("irbench", check_python),
        ("libraries", check_requirements),
        ("opencv", check_opencv),
        ("system", check_machine),
        ("environment", check_environment),
        ("folders", partial(check_places, out)),
        ("plug-ins", check_plugins),
        ("data", partial(check_data, data_root)),
        ("weights", check_weights),
        ("imports", check_imports),
        ("torch", check_torch),
    ]
    if self_test:
        chosen.append(("self-test", check_self_test))
    return chosen


def examine(chosen: Iterable[tuple[str, Check]]) -> Iterator[Diagnosis]:
    """Findings as they come."""
    for about, check in chosen:
        try:
            yield from check()
        # Whatever is broken here must not hide what the other checks find.
        except Exception as error:
            text = f"the check itself failed: {error_text(error)}"
            yield Diagnosis(about, "broken", text, "pip install --force-reinstall irbench")
