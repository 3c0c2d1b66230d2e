"""A whole run: one detector after another, each isolated from the failure of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial

from irbench.engine.executors.executor import Executor, ExecutorError
from irbench.engine.executors.worker_pool import WorkerPool
from irbench.engine.planning.plan import MethodPlan, RunPlan
from irbench.engine.planning.request import RunRequest
from irbench.engine.run.method_outcome import MethodOutcome
from irbench.engine.run.method_run import MethodRun
from irbench.engine.run.session import Session, UnreadableResultsError
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.results import RunResults, load_run
from irbench.errors import IrbenchError, WriteError
from irbench.messages.events import Events
from irbench.messages.progress import Progress
from irbench.process.background_calls import BackgroundCalls
from irbench.resources import n_cores
from irbench.scoring.calibration import Calibration


def prepare_run(
    request: RunRequest,
    progress: Progress | None = None,
    events: Events | None = None,
    executor: Executor | None = None,
) -> Runner:
    """Plan what is asked for; :meth:`Runner.execute` then does it.

    Parameters
    ----------
    request : RunRequest
    progress, events, executor : optional
        See :class:`Runner`.

    Raises
    ------
    UsageError
        For a request that cannot be met; nothing is written then.
    """
    events = Events() if events is None else events
    elsewhere = not isinstance(executor, WorkerPool | None)
    if executor is None:
        executor = WorkerPool(request.jobs or n_cores(), request.timeout_s)
    with ExitStack() as stack:
        stack.callback(executor.let_go)
        # Workers import what they need while this process does, and plans.
        executor.start()
        plan, directory = request.plan(events, elsewhere=elsewhere)
        stack.pop_all()
    return Runner(plan, RunDirectory(directory), progress, events, executor)


class Runner:
    """Runs a plan in a run directory, resuming what is there.

    Parameters
    ----------
    plan : RunPlan
    directory : RunDirectory
    progress : Progress, optional
    events : Events, optional
    executor : Executor, optional
        Not entered yet; by default ``plan.n_jobs`` processes on this machine.
    """

    def __init__(
        self,
        plan: RunPlan,
        directory: RunDirectory,
        progress: Progress | None = None,
        events: Events | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.plan = plan
        self.executor = WorkerPool(plan.n_jobs, plan.timeout_s) if executor is None else executor
        progress = Progress() if progress is None else progress
        self.session = Session(plan, directory, progress, events)
        self._begun: dict[str, MethodRun] = {}
        self._choosing: ThreadPoolExecutor

    def execute(self) -> RunResults:
        """Run all methods of the plan.

        Returns
        -------
        RunResults
            Rows of earlier commands in this directory included.

        Raises
        ------
        RunKeyError
            If the directory holds another run.
        RunLockedError
            If another process writes to it.
        UnreadableResultsError
            If what an earlier command found cannot be read.
        WriteError
            If the disk is full; the same command resumes once there is room.
        KeyboardInterrupt, ExecutorError
            After the directory was left in a state to resume from.
        """
        session = self.session
        with ExitStack() as stack:
            stack.callback(self.executor.let_go)
            pool = self.executor if self.executor.start() else None
            stack.enter_context(session.opened(pool))
            pending = list(self.plan.methods)
            try:
                with (
                    self._chosen_beside(),
                    BackgroundCalls(
                        at_once=not self.executor.leaves_a_core, report=session.progress.say
                    ) as background,
                    # Workers end while the last method is scored.
                    self.executor as executor,
                ):
                    background.submit(session.write_truths, "writing the ground truth")
                    if facts := executor.facts():
                        session.run["machine"]["cluster"] = facts
                    while pending:
                        with self._blaming(pending[0]):
                            self._run(pending[0], pending[1:], executor, background)
                        pending.pop(0)
            except (KeyboardInterrupt, ExecutorError) as error:
                reason = str(error) or "stopped by the user"
                for method in pending:
                    # What an earlier command finished was only waiting to be scored again.
                    if not session.is_done(method):
                        session.record(method, "interrupted", reason)
                raise
        return load_run(session.directory.path)

    def _run(
        self,
        method: MethodPlan,
        following: Sequence[MethodPlan],
        executor: Executor,
        background: BackgroundCalls,
    ) -> None:
        session = self.session
        run = None
        leak = session.leak(method)
        if leak:
            self._give_up(method, "skipped", leak)
            return
        outcome = session.stored(method)
        if outcome is None:
            obstacle = None if method.network is None else method.network.obstacle
            if obstacle is not None:
                self._give_up(method, obstacle.state, obstacle.reason)
                return
            if method.network is not None and method.network.weights is not None:
                summary = method.network.weights.card.summary
                session.progress.say(f"{method.info.title}: weights {summary}")
            run = self._begin(method, background)
            beside = partial(self._beside, executor, background, following)
            outcome = run.execute(executor, session.run["key"], beside)
        elif self.plan.n_timing_images and (self.plan.time_again or outcome.timing is None):
            outcome = self._method_run(method, background).time_again(executor, outcome)
        if run is None and session.lacks_own_counts(method):
            self._method_run(method, background).count_maps_again(executor, outcome)
        # Takes this process a second or two, in which the workers continue with the next method.
        what = f"scoring {method.info.title}"
        background.submit(partial(self._finish, method, run, outcome), what)

    def _begin(self, method: MethodPlan, background: BackgroundCalls) -> MethodRun:
        """Record that a method is run, unless it was begun beside the one before it."""
        if method.name not in self._begun:
            self.session.begin(method)
            self._begun[method.name] = self._method_run(method, background)
        return self._begun[method.name]

    def _beside(
        self,
        executor: Executor,
        background: BackgroundCalls,
        following: Sequence[MethodPlan],
        choose: Callable[[], Calibration],
    ) -> Calibration:
        """Choose extent and threshold while the workers do the next method's validation images.

        So the next method's are chosen while this one is tested, and workers never wait for it.
        """
        if not (executor.leaves_a_core and following and self._can_begin(following[0])):
            return choose()
        chosen = self._choosing.submit(choose)
        try:
            key = self.session.run["key"]
            self._begin(following[0], background).work_ahead(executor, key, self._choosing)
        except (WriteError, ExecutorError):
            raise
        except IrbenchError:
            # It is met again when its turn comes, and recorded as that method's.
            pass
        return chosen.result()

    @contextmanager
    def _chosen_beside(self) -> Iterator[None]:
        """Have a thread that chooses extents and thresholds, and close the journals at the end."""
        self._choosing = ThreadPoolExecutor(1, "calibrating")
        try:
            yield
        finally:
            self._choosing.shutdown(cancel_futures=True)
            for run in self._begun.values():
                run.close()

    def _can_begin(self, method: MethodPlan) -> bool:
        """Whether a method is to be run, and needs nothing but the workers for it."""
        return method.network is None and not self.session.is_done(method)

    def _method_run(self, method: MethodPlan, background: BackgroundCalls) -> MethodRun:
        session = self.session
        return MethodRun(
            self.plan,
            method,
            session.directory,
            session.scans,
            session.progress,
            session.log.events,
            partial(self._wait_for_all, background),
        )

    def _wait_for_all(self, background: BackgroundCalls) -> None:
        """Return once this process does nothing else."""
        background.wait()
        # One thread, which takes what it gets in turn.
        self._choosing.submit(lambda: None).result()

    def _finish(self, method: MethodPlan, run: MethodRun | None, outcome: MethodOutcome) -> None:
        with self._blaming(method):
            if run is not None:
                run.store(outcome)
            self.session.finish(method, outcome)
            # Everything in it now stands in the Parquet files.
            self.session.directory.journal_file(method.name).unlink(missing_ok=True)

    @contextmanager
    def _blaming(self, method: MethodPlan) -> Iterator[None]:
        """Record an error as the method's failure, and continue with the others."""
        try:
            yield
        except (WriteError, ExecutorError, UnreadableResultsError):
            # No fault of this method; the last, even of the one that is finished beside it.
            raise
        except IrbenchError as error:
            self._give_up(method, "failed", str(error))

    def _give_up(self, method: MethodPlan, state: str, reason: str) -> None:
        self.session.progress.say(f"{method.info.title}: {state}: {reason}")
        self.session.record(method, state, reason)
