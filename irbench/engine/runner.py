"""A whole run: one detector after another, each isolated from the failure of the others."""

from __future__ import annotations

from irbench.engine.directory import RunDirectory
from irbench.engine.method_run import MethodRun
from irbench.engine.plan import MethodPlan, RunPlan
from irbench.engine.pool import WorkerPool
from irbench.engine.results import RunResults, load_run
from irbench.engine.session import Session
from irbench.errors import IrbenchError
from irbench.progress import Progress


class Runner:
    """Runs a plan in a run directory, going on with what is there.

    Parameters
    ----------
    plan : RunPlan
    directory : RunDirectory
    progress : Progress, optional
    """

    def __init__(
        self, plan: RunPlan, directory: RunDirectory, progress: Progress | None = None
    ) -> None:
        self.plan = plan
        self.session = Session(plan, directory, Progress() if progress is None else progress)

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
        KeyboardInterrupt
            After the directory was left in a state to go on from.
        """
        session = self.session
        with session.opened():
            pending = list(self.plan.methods)
            try:
                with WorkerPool(self.plan.n_jobs, self.plan.timeout_s) as pool:
                    while pending:
                        self._run(pending[0], pool)
                        pending.pop(0)
            except KeyboardInterrupt:
                for method in pending:
                    session.record(method, "interrupted", "stopped by the user")
                raise
        return load_run(session.directory.path)

    def _run(self, method: MethodPlan, pool: WorkerPool) -> None:
        session = self.session
        outcome = session.stored(method)
        if outcome is None:
            session.begin(method)
            run = MethodRun(self.plan, method, session.directory, session.scans, session.progress)
            try:
                outcome = run.execute(pool, session.run["key"])
            except IrbenchError as error:
                session.progress.say(f"{method.info.title}: failed: {error}")
                session.record(method, "failed", str(error))
                return
        session.finish(method, outcome)
        # Everything in it now stands in the Parquet files.
        session.directory.journal_file(method.name).unlink(missing_ok=True)
