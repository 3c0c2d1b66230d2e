"""Runs of deterministic methods, made once for all golden tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from irbench.engine.directory import RunDirectory
from irbench.engine.plan import RunPlan, plan_methods
from irbench.engine.runner import Runner
from irbench.engine.worker import DatasetSpec
from irbench.protocol import TABLE1


@pytest.fixture(scope="session")
def run_methods(tmp_path_factory):
    """Run methods over a dataset's test split under ``table1``, and give the rows by method."""

    def run(names, dataset, root=None, scheme=None):
        plan = RunPlan(
            dataset=DatasetSpec(dataset, None if root is None else str(root), scheme),
            split="test",
            protocol=TABLE1,
            methods=plan_methods(names),
            n_jobs=2,
            n_timing_images=0,
        )
        folder = tmp_path_factory.mktemp("golden") / "run"
        return {row["method"]: row for row in Runner(plan, RunDirectory(folder)).execute().rows}

    return run


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    return Path(__file__).parent
