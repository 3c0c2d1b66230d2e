"""Which datasets, weights and plug-ins are found, and where they were looked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from irbench.doctor.diagnosis import Diagnosis


def check_plugins() -> Iterator[Diagnosis]:
    """Methods, datasets, reports and metrics, built in and installed by others."""
    from irbench.metrics.definition import quality_metrics
    from irbench.metrics.plugins import plugin_metrics
    from irbench.plugins.registry import GROUPS, catalogue

    counts, failures = [], []
    for group in GROUPS:
        found = catalogue(group)
        counts.append(f"{len(found.classes)} {group}")
        failures += found.failures
    counts.append(f"{len(quality_metrics())} metrics")
    for failure in (*failures, *plugin_metrics().failures):
        own = failure.source.startswith("irbench.")
        yield Diagnosis(
            "plug-ins",
            "broken" if own else "warning",
            f"{failure.source} cannot be used: {failure.reason}",
            "install irbench again" if own else "repair or uninstall the package it is from",
        )
    yield Diagnosis("plug-ins", "ok", ", ".join(counts))


def check_data(root: Path | None) -> Iterator[Diagnosis]:
    """Each published dataset: where it is, or where it was looked for.

    Parameters
    ----------
    root : Path or None
        What ``--data-root`` names.
    """
    from irbench.data.location import DATA_VARIABLE, search_places
    from irbench.errors import IrbenchError
    from irbench.plugins.registry import catalogue

    if root is not None:
        yield from _check_folder("--data-root", root)
    else:
        yield from _check_variable(DATA_VARIABLE)
    looked = ", ".join(map(str, search_places(root)))
    for name, cls in catalogue("datasets").classes.items():
        if not cls.info.url:
            continue
        try:
            opened = cls(root=root)
        except IrbenchError:
            advice = f"irbench data import FILE; it is published at {cls.info.url}"
            yield Diagnosis(f"data {name}", "note", f"not here: looked in {looked}", advice)
        else:
            yield Diagnosis(f"data {name}", "ok", str(opened.root))


def check_weights() -> Iterator[Diagnosis]:
    """The weights that are known by name."""
    from irbench.networks.neural import NeuralDetector
    from irbench.networks.weights_search import FOLDER_VARIABLE, survey_weights
    from irbench.plugins.registry import catalogue

    yield from _check_variable(FOLDER_VARIABLE)
    names = []
    for cls in catalogue("methods").classes.values():
        if cls.info.trainable and issubclass(cls, NeuralDetector):
            usable, broken = survey_weights(cls)
            names += [one.name for one in usable]
            for error in broken:
                yield Diagnosis(
                    "weights", "warning", str(error), "get the file again, or remove it"
                )
    yield Diagnosis("weights", "ok", ", ".join(names) or "none")


def _check_variable(variable: str) -> Iterator[Diagnosis]:
    if value := os.environ.get(variable):
        yield from _check_folder(f"${variable}", Path(value).expanduser())


def _check_folder(about: str, folder: Path) -> Iterator[Diagnosis]:
    if not folder.is_dir():
        text = f"{folder} is no folder"
        yield Diagnosis(about, "broken", text, "correct the path, or leave it out")
