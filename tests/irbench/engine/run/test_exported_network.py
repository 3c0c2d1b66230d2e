"""A network that another engine than torch computes is exported once for all workers."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from irbench.engine.executors.executor import Executor, Outcome
from irbench.engine.jobs.detection import inspect_network, process_image
from irbench.engine.jobs.networks import NetworkFacts, export_network
from irbench.engine.jobs.specs import DatasetSpec
from irbench.engine.planning.plan import RunPlan, plan_methods
from irbench.engine.run.method_outcome import MethodFailedError
from irbench.engine.run.method_run import MethodRun
from irbench.engine.run.split_scan import scan_split
from irbench.engine.storage.directory import RunDirectory
from irbench.messages.progress import Progress
from irbench.plugins.registry import load_dataset
from irbench.protocol import get_protocol

pytest.importorskip("torch")


class Workers(Executor):
    """Runs nothing: notes what it is to run, and every image fails."""

    def __init__(self, shares_files, export_error=""):
        self.shares, self.export_error = shares_files, export_error
        self.exports, self.images = [], []

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        pass

    def run(self, function, jobs, device="cpu"):
        for job in jobs:
            if function is inspect_network:
                yield Outcome(job, NetworkFacts(1, 1, 64, "cpu"))
                continue
            assert function is process_image
            exported = dict(job.method.params).get("exported")
            self.images.append(exported)
            assert exported is None or Path(exported).is_file()
            yield Outcome(job, None, "no")

    def run_alone(self, function, job, timeout_s, device="cpu"):
        assert function is export_network
        # From torch, whose seconds of exporting these are.
        assert "backend" not in dict(job.spec.params)
        self.exports.append(job)
        if self.export_error:
            return Outcome(job, None, self.export_error)
        job.path.write_bytes(b"")
        return Outcome(job, job.path)

    @property
    def shares_files(self):
        return self.shares


@pytest.fixture
def execute(tiny_plugin, save_tiny, tmp_path):
    save_tiny()

    def run(workers, **params):
        plugins = (str(tiny_plugin),)
        data = load_dataset("tiny-scenes")
        (method,) = plan_methods(
            ["tiny-net"], {"tiny-net": params}, plugins, dataset=data, device="cpu"
        )
        spec = DatasetSpec("tiny-scenes", None, data.scheme, plugins)
        plan = RunPlan(spec, "test", get_protocol("table1"), (method,))
        scans = {name: scan_split(data.with_split(name)) for name in ("test", "val")}
        runner = MethodRun(plan, method, RunDirectory(tmp_path / "run"), scans, Progress())
        with closing(runner), pytest.raises(MethodFailedError) as failed:
            runner.execute(workers, {})
        # What a row is known by has no file of one run in it.
        assert method.params["exported"] is None
        return str(failed.value)

    return run


def test_workers_on_this_machine_read_one_file_which_goes_with_the_run(execute):
    workers = Workers(shares_files=True)
    execute(workers, backend="onnxruntime")
    (job,) = workers.exports
    assert len(workers.images) > 1
    assert set(workers.images) == {str(job.path)}
    assert not job.path.parent.exists()


@pytest.mark.parametrize(("shares_files", "params"), [(False, {"backend": "openvino"}), (True, {})])
def test_no_file_is_made_for_others(execute, shares_files, params):
    workers = Workers(shares_files)
    execute(workers, **params)
    assert workers.exports == []
    assert set(workers.images) == {None}


def test_a_network_that_cannot_be_exported_fails_once(execute):
    workers = Workers(shares_files=True, export_error="ExportError: no such operator")
    reason = execute(workers, backend="onnxruntime")
    assert reason == "the network cannot be exported: ExportError: no such operator"
    assert workers.images == []
