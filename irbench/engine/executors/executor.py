"""What runs jobs: processes on this machine, or the workers of a cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from irbench.errors import UsageError

Job = TypeVar("Job")
Returned = TypeVar("Returned")


class ExecutorError(UsageError):
    """What runs the jobs cannot continue: no fault of a method, so that none is recorded."""


@dataclass(frozen=True)
class Outcome(Generic[Job, Returned]):
    """What became of a job.

    Attributes
    ----------
    job : object
    returned : object or None
        None where it failed.
    error : str
        Why it failed; empty where it did not.
    seconds : float
        That it took in its worker; 0 where that is not known.
    worker_lost : bool
        Whether the job cost its worker process, which is replaced.
    """

    job: Job
    returned: Returned | None
    error: str = ""
    seconds: float = 0.0
    worker_lost: bool = False


class Executor(ABC):
    """Runs jobs in other processes; a context manager.

    Whatever it is, a job runs with one thread per library, a job that raises, hangs or kills
    its process becomes an :class:`Outcome` with an error, and no outcome comes twice. So the
    results of a run do not depend on the executor.
    """

    @abstractmethod
    def __enter__(self) -> Executor:
        """Make it ready; workers may start later."""

    @abstractmethod
    def __exit__(self, *raised: object) -> None:
        """Give up what still runs, and let the workers go."""

    @abstractmethod
    def run(
        self,
        function: Callable[[Job], Returned],
        jobs: Iterable[Job],
        device: str = "cpu",
    ) -> Iterator[Outcome[Job, Returned]]:
        """Run jobs and yield their outcomes as they come, in no fixed order.

        Jobs are drawn from ``jobs`` as workers get free, so that memory does not grow with
        their number; a caller that has seen enough closes the iterator.

        Parameters
        ----------
        function : callable
            Importable by name.
        jobs : iterable
        device : str
            Where they compute, such as ``"cpu"`` or ``"cuda"``; of those on a GPU, one runs on
            each GPU at a time.

        Yields
        ------
        Outcome
        """

    @abstractmethod
    def run_alone(
        self,
        function: Callable[[Job], Returned],
        job: Job,
        timeout_s: float | None,
        device: str = "cpu",
    ) -> Outcome[Job, Returned]:
        """Run one job in a fresh process, while nothing else of this executor runs.

        Parameters
        ----------
        function : callable
            Importable by name.
        job : object
        timeout_s : float or None
            Instead of the executor's own.
        device : str
        """

    def start(self) -> bool:
        """Start workers before it is entered, where that is of use.

        They end with :meth:`let_go`, whether or not it was entered.

        Returns
        -------
        bool
            Whether it may run jobs already.
        """
        return False

    def let_go(self) -> None:  # noqa: B027 -- most start none
        """End the workers that :meth:`start` has started, if they are still there."""

    @property
    def leaves_a_core(self) -> bool:
        """Whether this process may compute while jobs run, as it may where there are several."""
        return True

    @property
    def shares_files(self) -> bool:
        """Whether its workers see the temporary files of this process; only on this machine."""
        return False

    def facts(self) -> dict[str, Any]:
        """What ``run.json`` records of it; nothing for this machine alone."""
        return {}
