"""How worker processes are started: on Linux, forked from one that has loaded what they need.

A worker imports for a second or two before its first job, most of it the compiled conversion. A
server process does so once, and each worker is a copy of it: the second worker costs next to
nothing, and so does one that replaces another. The server never has a second thread, whose locks
a fork would copy. Elsewhere, and for whom a fresh process is asked for, each is spawned.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from irbench.resources import single_thread_environment

PRELOADED = "irbench.engine.executors.preloaded"
"""The module that the server imports."""

STATED_PATH = "IRBENCH_STATED_PYTHONPATH"
"""Holds the user's ``PYTHONPATH`` while the server starts with another one."""

if sys.platform == "linux":
    from multiprocessing import reduction, spawn, util
    from multiprocessing.context import ForkServerProcess, set_spawning_popen
    from multiprocessing.forkserver import ForkServer, read_signed
    from multiprocessing.popen_forkserver import Popen

    class _Popen(Popen):
        """Asks the server of these workers, not the one that Python has for everybody.

        That one may have been started by the caller's program, without what is wanted here; and
        the caller's processes are not to be copies of this one.
        """

        _fds: list[int]

        def _launch(self, process_obj: BaseProcess) -> None:
            message = io.BytesIO()
            set_spawning_popen(self)
            try:
                reduction.dump(spawn.get_preparation_data(process_obj.name), message)
                reduction.dump(process_obj, message)
            finally:
                set_spawning_popen(None)
            self.sentinel, writer = STARTER.server.connect_to_new_process(self._fds)
            # The worker takes the end of this pipe for that of this process.
            held_open = os.dup(writer)
            self.finalizer = util.Finalize(self, _close, (held_open, self.sentinel))
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(message.getbuffer())
            self.pid = read_signed(self.sentinel)

    def _close(*files: int) -> None:
        for file in files:
            os.close(file)

    class _ForkedProcess(ForkServerProcess):
        _Popen = _Popen


class ProcessStarter:
    """What worker processes are started with; of pools that overlap, until the last has ended."""

    def __init__(self) -> None:
        # A file beside the user's data, such as signal.py, is no module of Python's: a new
        # interpreter would look into the current folder first. PYTHONPATH is honoured as ever.
        self._variables = {**single_thread_environment(), "PYTHONSAFEPATH": "1"}
        self._before: dict[str, str | None] = {}
        # Some of what is needed of a ForkServer is not public.
        self._server: Any = None
        self._n_pools = 0
        # The threads of a dask worker have pools of their own.
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if not self._n_pools:
                self._before = {name: os.environ.get(name) for name in self._variables}
                os.environ.update(self._variables)
                if sys.platform == "linux":
                    self._server = ForkServer()
                    self._server.set_forkserver_preload([PRELOADED])
            self._n_pools += 1

    def __exit__(self, *raised: object) -> None:
        with self._lock:
            self._n_pools -= 1
            if self._n_pools:
                return
            self._end_server()
            for name, value in self._before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    @property
    def server(self) -> Any:
        """The process that workers are forked from; started when it is asked for one."""
        if self._server is None:
            raise OSError("workers are not forked here")
        return self._server

    def start_server(self) -> bool:
        """Let the server import what workers need, without waiting for it.

        Returns
        -------
        bool
            Whether there is one.
        """
        try:
            self._ensure_running()
        except OSError:
            return False
        return True

    def start(
        self, target: Callable[..., None], args: tuple[Any, ...], *, fresh: bool = False
    ) -> BaseProcess:
        """Start a process.

        Parameters
        ----------
        target : callable
            Importable by name.
        args : tuple
        fresh : bool
            With an interpreter of its own.
        """
        if sys.platform == "linux" and not fresh and self._server is not None:
            forked = _ForkedProcess(target=target, args=args)
            try:
                self._ensure_running()
                forked.start()
            except (OSError, EOFError):
                # It cannot be started here, or was killed: as on other systems from now on.
                with self._lock:
                    self._end_server()
            else:
                return forked
        spawned = SpawnProcess(target=target, args=args)
        spawned.start()
        return spawned

    def _ensure_running(self) -> None:
        """Start the server unless it runs, with the modules that this process finds.

        Its interpreter is a new one, and would find an installed irbench where this process is of
        a checkout: a worker has the code that it is forked with.
        """
        path = [str(Path(entry).absolute()) for entry in sys.path]
        if any(os.pathsep in entry for entry in path):
            raise OSError("a folder of modules has a name that PYTHONPATH cannot hold")
        stated = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join(path)
        if stated is not None:
            os.environ[STATED_PATH] = stated
        try:
            self.server.ensure_running()
        finally:
            os.environ.pop(STATED_PATH, None)
            os.environ.pop("PYTHONPATH")
            if stated is not None:
                os.environ["PYTHONPATH"] = stated

    def _end_server(self) -> None:
        server, self._server = self._server, None
        if server is None or server._forkserver_pid is None:
            return
        # It has nothing to lose, and would wait for whatever a worker has left behind.
        os.kill(server._forkserver_pid, signal.SIGKILL)
        server._stop()


STARTER = ProcessStarter()
