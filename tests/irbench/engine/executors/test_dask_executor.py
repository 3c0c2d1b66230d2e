"""The executor on clusters within this process; a worker that is killed is tested in e2e."""

from __future__ import annotations

import pytest

distributed = pytest.importorskip("distributed", reason="the extra irbench[dask] is not installed")

from irbench.engine.executors.dask_executor import DaskExecutor  # noqa: E402
from irbench.engine.executors.executor import ExecutorError  # noqa: E402
from irbench.engine.jobs.specs import DatasetSpec, ImageJob, MethodSpec  # noqa: E402
from irbench.protocol import TABLE1  # noqa: E402

SPECS = [MethodSpec("tophat", (("size", size),)) for size in (3, 5, 7)]


class WhereTasksRun(distributed.SchedulerPlugin):
    """Notes what the scheduler knows of each task that it gives to a worker."""

    def __init__(self, scheduler):
        self.scheduler, self.tasks = scheduler, []

    def transition(self, key, start, finish, *args, **kwargs):
        if finish == "processing":
            task = self.scheduler.tasks[key]
            self.tasks.append((task.processing_on.name, dict(task.resource_restrictions or {})))


@pytest.fixture
def make_cluster():
    """Starts a cluster of workers with so many GPUs each, by name."""
    started = []

    def make(**n_gpus):
        workers = {
            name: {
                "cls": distributed.Worker,
                "options": {"nthreads": 2, "name": name, "resources": {"GPU": n} if n else {}},
            }
            for name, n in n_gpus.items()
        }
        scheduler = {"cls": distributed.Scheduler, "options": {"protocol": "inproc"}}
        # A port of its own: tests run beside each other.
        scheduler["options"] |= {"dashboard": False, "dashboard_address": ":0"}
        started.append(distributed.SpecCluster(workers, scheduler, silence_logs=50))
        return started[-1]

    yield make
    for one in started:
        one.close()


def test_jobs_on_a_gpu_go_to_workers_that_offer_one(make_cluster):
    cluster = make_cluster(plain=0, fast=1)
    seen = WhereTasksRun(cluster.scheduler)
    cluster.scheduler.add_plugin(seen)
    with DaskExecutor(cluster.scheduler_address) as executor:
        on_gpu = {outcome.returned for outcome in executor.run(repr, SPECS, device="cuda")}
        assert on_gpu == set(map(repr, SPECS))
        assert executor.run_alone(repr, SPECS[0], None, device="cuda").returned == repr(SPECS[0])
        assert len(seen.tasks) >= 2
        assert all(task == ("fast", {"GPU": 1}) for task in seen.tasks)
        seen.tasks.clear()
        assert {one.returned for one in executor.run(repr, SPECS)} == on_gpu
        assert all(restrictions == {} for _, restrictions in seen.tasks)


def test_a_gpu_that_no_worker_offers_is_asked_for(make_cluster):
    cluster = make_cluster(plain=0)
    with (
        DaskExecutor(cluster.scheduler_address) as executor,
        pytest.raises(ExecutorError, match=r"no worker of inproc.* --resources GPU=1"),
    ):
        list(executor.run(repr, SPECS, device="cuda"))


def test_what_a_worker_lacks_is_named_with_the_worker(make_cluster, tmp_path):
    cluster = make_cluster(plain=0)
    (address,) = cluster.scheduler_info["workers"]
    data, plugin = tmp_path / "no data", tmp_path / "no_plugin.py"
    job = ImageJob(SPECS[0], DatasetSpec("nudt", str(data), None), "test", "1", TABLE1, ())
    with DaskExecutor(cluster.scheduler_address) as executor:
        with pytest.raises(ExecutorError) as caught:
            list(executor.run(repr, [job]))
        for said in (address, "the dataset nudt", str(data), "under the same path"):
            assert said in str(caught.value)
        with pytest.raises(ExecutorError) as caught:
            executor.run_alone(repr, MethodSpec("mine", plugins=(str(plugin),)), None)
        for said in (address, "the plug-in", str(plugin), "under the same path"):
            assert said in str(caught.value)


def test_workers_that_do_not_come_are_waited_for_so_long(make_cluster):
    cluster, told = make_cluster(), []
    with DaskExecutor(cluster.scheduler_address, None, told.append, worker_wait_s=0.1) as executor:
        assert "no worker yet; waiting for the first, at most 0.1 s" in told[0]
        with pytest.raises(ExecutorError, match=r"no worker for 0\.1 s; start some"):
            list(executor.run(repr, SPECS))
        with pytest.raises(ExecutorError, match=r"what came back is kept"):
            executor.run_alone(repr, SPECS[0], None)


def test_workers_that_come_late_are_used(make_cluster):
    cluster = make_cluster()

    def start(message):
        late = distributed.Worker
        cluster.worker_spec["late"] = {"cls": late, "options": {"nthreads": 1, "name": "late"}}
        cluster.sync(cluster._correct_state)

    with DaskExecutor(cluster.scheduler_address, None, start) as executor:
        found = {outcome.returned for outcome in executor.run(repr, SPECS)}
    assert found == set(map(repr, SPECS))
