"""Fixtures that every test can use."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Threads of torch that wait by spinning, in two test processes on two cores, wait for each other: a
# network's test takes ten times as long. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


# Where a test does not say otherwise: further examples find little, and no test may fail because a
# machine is busy. HYPOTHESIS_PROFILE=default has all 100.
settings.register_profile(
    "quick", max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_configure():
    # A shell that starts the tests in its background has them, and all that they start,
    # ignore Ctrl-C; some of them are about it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def search_path_of_a_test(monkeypatch):
    """Forget that a command ran in this process: what a later test starts has Python's own rules.

    A command sets PYTHONSAFEPATH for the processes that it starts.
    """
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    monkeypatch.delenv("PYTHONSAFEPATH")


@contextmanager
def _forgetting_plugins() -> Iterator[None]:
    from irbench.metrics.plugins import plugin_metrics
    from irbench.plugins.registry import catalogue

    groups = ("methods", "datasets", "reports")
    modules = set(sys.modules)
    known = {group: dict(catalogue(group).classes) for group in groups}
    metrics = dict(plugin_metrics().metrics)
    yield
    plugin_metrics().metrics.clear()
    plugin_metrics().metrics.update(metrics)
    for group in groups:
        catalogue(group).classes.clear()
        catalogue(group).classes.update(known[group])
    for name in set(sys.modules) - modules:
        if name.startswith("irbench_plugin_"):
            del sys.modules[name]


@pytest.fixture(autouse=True, scope="module")
def plugins_of_a_module():
    """Forget the plug-ins that fixtures of a module load."""
    with _forgetting_plugins():
        yield


@pytest.fixture(autouse=True)
def plugins_of_a_test():
    """Forget the plug-ins that a test loads: the next one lists all methods."""
    with _forgetting_plugins():
        yield


def _folder_from_environment(variable: str, holds: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: it names the folder of {holds}")
    folder = Path(value)
    if not folder.is_dir():
        pytest.skip(f"{variable} names {folder}, which is no folder")
    return folder


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder that holds the real datasets."""
    return _folder_from_environment("IRBENCH_DATA", "the real datasets")


@pytest.fixture(scope="session")
def reference_root() -> Path:
    """The folder that holds the authors' score maps."""
    return _folder_from_environment("IRBENCH_REFERENCE", "the authors' score maps")


@pytest.fixture(scope="session")
def oracle_root() -> Path:
    """The folder that holds outputs of the published networks."""
    return _folder_from_environment("IRBENCH_ORACLE", "the outputs of published networks")


def pytest_terminal_summary(terminalreporter):
    """Say on how many images each method was held against its authors' score maps."""
    compared = {}
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "reference":
                method, image = value
                compared.setdefault(method, set()).add(image)
    if compared:
        counts = ", ".join(f"{m} {len(images)}" for m, images in sorted(compared.items()))
        terminalreporter.write_line(f"reference images compared, by method: {counts}")
