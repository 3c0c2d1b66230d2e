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


def public_modules():
    for package in (irbench, irbench.methods, irbench.datasets, irbench.reports):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # The networks' modules need torch, which is not always there.
            if not module.name.startswith("irbench.methods.deep") and "__main__" not in module.name:
                yield module.name


@pytest.mark.parametrize("name", ["irbench", *sorted(set(public_modules()))])
def test_examples(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0
