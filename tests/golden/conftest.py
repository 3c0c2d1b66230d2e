"""Runs of deterministic methods, made once for all golden tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from irbench.engine.jobs.specs import DatasetSpec
from irbench.engine.planning.plan import RunPlan, plan_methods
from irbench.engine.run.runner import Runner
from irbench.engine.storage.directory import RunDirectory
from irbench.plugins.registry import load_dataset
from irbench.protocol import TABLE1


@pytest.fixture(scope="session")
def run_results(tmp_path_factory):
    """Run methods over a dataset's test split under ``table1``, and give the run.

    One directory for each dataset, shared by all tests and by the processes of pytest-xdist:
    what is in it already is not run again.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "golden"
    folder.mkdir(exist_ok=True)

    def run(names, dataset, root=None, scheme=None):
        # The scheme that the command line would put into the key.
        scheme = load_dataset(dataset, root, "test", scheme).scheme or None
        plan = RunPlan(
            dataset=DatasetSpec(dataset, None if root is None else str(root), scheme),
            split="test",
            protocol=TABLE1,
            methods=plan_methods(names),
            n_jobs=2,
            n_timing_images=0,
        )
        with FileLock(folder / f"{dataset}.lock"):
            return Runner(plan, RunDirectory(folder / dataset)).execute()

    return run


@pytest.fixture(scope="session")
def run_methods(run_results):
    """As ``run_results``, and give the rows by method."""

    def run(names, dataset, root=None, scheme=None):
        rows = run_results(names, dataset, root, scheme).rows
        return {row["method"]: row for row in rows if row["method"] in names}

    return run


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    return Path(__file__).parent
