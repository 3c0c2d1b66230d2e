"""Jobs on the workers of a dask cluster; the extra ``irbench[dask]``."""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from irbench import __version__
from irbench.engine.executors.batches import BatchSizer, failed
from irbench.engine.executors.dask_task import Task, release, run_task
from irbench.engine.executors.executor import Executor, ExecutorError, Job, Outcome, Returned
from irbench.extras import require_packages
from irbench.messages.external_text import error_text

TASK_S = 2.0
"""What a task takes: the scheduler needs about a millisecond for each."""

CONNECT_S = 30
WORKER_WAIT_S = 600.0
_LOOK_EVERY_S = 1.0
_ASK_EVERY_S = 0.02


class DaskExecutor(Executor):
    """Sends batches of jobs to a dask.distributed cluster.

    A worker that dies is replaced by its nanny, and the scheduler runs its tasks again; only a
    job that ends its worker again and again becomes a failed one. Workers may come and go.

    Parameters
    ----------
    scheduler : str
        Address, such as ``"tcp://10.0.0.1:8786"``, or the scheduler file of the cluster.
    timeout_s : float or None
        For one job.
    say : callable
        Called with what a person should know.
    worker_wait_s : float
        So long without any worker ends the run, at its beginning and later; what came back
        until then is kept.
    """

    def __init__(
        self,
        scheduler: str,
        timeout_s: float | None = None,
        say: Callable[[str], None] = lambda message: None,
        worker_wait_s: float = WORKER_WAIT_S,
    ) -> None:
        self.scheduler, self.timeout_s, self.say = scheduler, timeout_s, say
        self.worker_wait_s = worker_wait_s
        self._run = uuid.uuid4().hex
        self._client: Any = None
        self._looked = self._seen = 0.0
        self._workers = dict[str, Any]()

    def __enter__(self) -> DaskExecutor:
        require_packages("--executor dask", "dask", "distributed")
        from distributed import Client

        where: dict[str, Any] = {"address": self.scheduler}
        if Path(self.scheduler).is_file():
            where = {"scheduler_file": self.scheduler}
        try:
            self._client = Client(**where, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ExecutorError(
                f"--scheduler {self.scheduler}: no dask scheduler responds there ({error}); start "
                "one by `dask scheduler`, and workers by `dask worker ADDRESS`."
            ) from None
        # Not waited for here: some clusters start workers for tasks that wait.
        if not self._look():
            self.say(
                f"{self.scheduler} has no worker yet; waiting for the first, at most "
                f"{self.worker_wait_s:g} s."
            )
        return self

    def __exit__(self, *raised: object) -> None:
        try:
            self._client.run(release, self._run, on_error="ignore")
        # A cluster that is gone has nothing to release.
        except Exception as gone:
            self.say(f"the workers were not notified of the end: {gone}")
        finally:
            self._client.close()

    def run(
        self,
        function: Callable[[Job], Returned],
        jobs: Iterable[Job],
        device: str = "cpu",
    ) -> Iterator[Outcome[Job, Returned]]:
        """See :meth:`Executor.run`."""
        from distributed import as_completed

        remaining = iter(jobs)
        again: deque[list[Job]] = deque()
        sizer = BatchSizer(TASK_S)
        running: dict[Any, list[Job]] = {}
        completed = as_completed(loop=self._client.loop)
        try:
            while True:
                # One task in work and one that waits, so that no worker does.
                while len(running) < 2 * self._n_slots(device):
                    batch = again.popleft() if again else list(islice(remaining, sizer.size))
                    if not batch:
                        break
                    future = self._submit(function, batch, self.timeout_s, device)
                    running[future] = batch
                    completed.add(future)
                if not running:
                    return
                self._wait_until(completed.has_ready)
                future = next(completed)
                batch = running.pop(future)
                outcomes: list[Outcome[Job, Returned]] | None = _outcomes(batch, future)
                # The scheduler keeps a result as long as somebody here refers to it.
                del future
                if outcomes is None:
                    again.extend([job] for job in batch)
                    continue
                sizer.add(len(outcomes), sum(one.seconds for one in outcomes))
                yield from outcomes
        finally:
            self._client.cancel(list(running))

    def run_alone(
        self,
        function: Callable[[Job], Returned],
        job: Job,
        timeout_s: float | None,
        device: str = "cpu",
    ) -> Outcome[Job, Returned]:
        """See :meth:`Executor.run_alone`; on a worker that the scheduler chooses."""
        self._n_slots(device)
        future = self._submit(function, [job], timeout_s, device, alone=True)
        try:
            self._wait_until(future.done)
        finally:
            # Given up, by Ctrl-C or for want of workers: nobody will ask for it.
            if not future.done():
                future.cancel()
        outcomes: list[Outcome[Job, Returned]] | None = _outcomes([job], future)
        assert outcomes is not None
        return outcomes[0]

    def facts(self) -> dict[str, Any]:
        """Numbers of workers and threads, and on how many hosts."""
        workers = self._look().values()
        return {
            "executor": "dask",
            "workers": len(workers),
            "threads": sum(one["nthreads"] for one in workers),
            "hosts": len({one["host"] for one in workers}),
        }

    def _submit(
        self,
        function: Callable[[Job], Returned],
        batch: list[Job],
        timeout_s: float | None,
        device: str,
        alone: bool = False,
    ) -> Any:
        task = Task(self._run, __version__, function, batch, timeout_s, alone)
        resources = None if device == "cpu" else {"GPU": 1}
        return self._client.submit(run_task, task, pure=False, resources=resources)

    def _n_slots(self, device: str) -> int:
        """How many tasks run at one time; at least 1, since workers may be on their way."""
        self._look_again()
        workers = self._workers.values()
        if device == "cpu":
            return max(1, sum(int(one["nthreads"]) for one in workers))
        n_gpus = sum(int(one["resources"].get("GPU", 0)) for one in workers)
        if workers and not n_gpus:
            raise ExecutorError(
                f"--device {device}: no worker of {self.scheduler} offers a GPU; start one for "
                "each GPU by `dask worker ADDRESS --resources GPU=1 --nthreads 1`."
            )
        return max(1, n_gpus)

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait for what workers do, as long as there are any now and then.

        Raises
        ------
        ExecutorError
        """
        while not holds():
            self._look_again()
            if time.monotonic() - self._seen > self.worker_wait_s:
                raise ExecutorError(
                    f"{self.scheduler} has had no worker for {self.worker_wait_s:g} s; start some "
                    "by `dask worker ADDRESS`, or wait longer by --worker-wait, and repeat the "
                    "command: what came back is kept."
                )
            time.sleep(_ASK_EVERY_S)

    def _look_again(self) -> None:
        if time.monotonic() - self._looked > _LOOK_EVERY_S:
            self._look()

    def _look(self) -> dict[str, Any]:
        # All of them: some versions list a few only, if not asked.
        self._workers = dict(self._client.scheduler_info(n_workers=-1)["workers"])
        self._looked = time.monotonic()
        # The wait begins with the first look.
        if self._workers or not self._seen:
            self._seen = self._looked
        return self._workers


def _outcomes(batch: list[Job], future: Any) -> list[Outcome[Job, Returned]] | None:
    """The outcomes of a task; None where its jobs have to run one by one."""
    from distributed import CancelledError, KilledWorker

    try:
        outcomes: list[Outcome[Job, Returned]] = future.result()
    except ExecutorError:
        raise
    except CancelledError as error:
        raise ExecutorError(
            f"the dask scheduler is gone, or has given up the run ({error}); what came back is "
            "kept: repeat the command when it is there again."
        ) from None
    except KilledWorker as error:
        reason = f"the dask worker died {error.allowed_failures + 1} times"
    # Such as a result that cannot be sent.
    except Exception as error:
        reason = error_text(error)
    else:
        return outcomes
    return None if len(batch) > 1 else failed(batch, reason)
