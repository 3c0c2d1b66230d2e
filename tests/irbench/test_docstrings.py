"""Every example in a docstring runs and answers what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import irbench
import irbench.datasets
import irbench.methods
import irbench.reports

NEED_TORCH = ("irbench.networks.", "irbench.training.", "irbench.methods.deep.")


def public_modules():
    for package in (irbench, irbench.methods, irbench.datasets, irbench.reports):
        # What cannot be imported is reported by its own test.
        prefix = f"{package.__name__}."
        for module in pkgutil.walk_packages(package.__path__, prefix, onerror=lambda _: None):
            if "__main__" not in module.name:
                yield module.name


@pytest.mark.parametrize("name", ["irbench", *sorted(set(public_modules()))])
def test_examples(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors") or not name.startswith(NEED_TORCH):
            raise
        pytest.skip(f"{name} needs {error.name}, which is not installed")
    failed, _ = doctest.testmod(module)
    assert failed == 0
