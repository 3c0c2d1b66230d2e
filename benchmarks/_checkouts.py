"""Checkouts of irbench side by side: the same Python and packages, each with its own code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
"""Set in some containers; of what pip installs the byte code is there, whatever is set."""


@dataclass(frozen=True)
class Usage:
    """What a whole command took.

    Attributes
    ----------
    processor_s : float
        User and system time, of its children too.
    clock_s : float
    """

    processor_s: float
    clock_s: float


class Checkout:
    """A checkout that can be run as if it were installed, without installing it.

    Parameters
    ----------
    label : str
        What tables call it.
    root : Path
        The folder with ``pyproject.toml``.
    folder : Path
        Where to put links that make one package of the folders of the checkout, and the
        metadata by which its built-in methods are found. Both come before what is installed.

    Raises
    ------
    SystemExit
        If ``root`` is no checkout of irbench.
    """

    def __init__(self, label: str, root: Path, folder: Path) -> None:
        self.label, self.root, self.folder = label, root.resolve(), folder
        if not (self.root / "irbench" / "__init__.py").is_file():
            raise SystemExit(f"{root} is no checkout of irbench: it has no irbench/__init__.py.")
        facts = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        package = folder / "irbench"
        package.mkdir(parents=True)
        for entry in (self.root / "irbench").iterdir():
            if entry.name != "__pycache__":
                (package / entry.name).symlink_to(entry)
        beside = facts.get("tool", {}).get("setuptools", {}).get("package-dir", {})
        for name, place in beside.items():
            link = package / name.removeprefix("irbench.").replace(".", "/")
            if name.startswith("irbench.") and not link.exists():
                link.symlink_to(self.root / place)
        project = facts["project"]
        version = project.get("version", "0+checkout")
        metadata = folder / "irbench-0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: irbench\nVersion: {version}\n"
        )
        lines = []
        for group, names in project.get("entry-points", {}).items():
            lines += [f"[{group}]", *(f"{name} = {value}" for name, value in names.items())]
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")

    @property
    def environment(self) -> dict[str, str]:
        """In which this checkout is what ``import irbench`` finds, compiled as if installed."""
        given = {key: value for key, value in os.environ.items() if key != NO_BYTECODE}
        return {
            **given,
            **dict.fromkeys(ONE_THREAD, "1"),
            "PYTHONPATH": str(self.folder),
            # Not the folder that the command is started in.
            "PYTHONSAFEPATH": "1",
        }

    def run(self, *arguments: str) -> Usage:
        """Run Python with arguments, in a fresh process.

        Raises
        ------
        SystemExit
            If it fails; with what it wrote last.
        """
        command = [sys.executable, *arguments]
        log = self.folder / "log.txt"
        start = time.perf_counter()
        with log.open("wb") as written:
            process = subprocess.Popen(
                command, stdout=written, stderr=written, cwd=self.folder, env=self.environment
            )
            _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            last = log.read_text(errors="replace").strip().splitlines()[-3:]
            raise SystemExit(f"{self.label} failed: {' '.join(arguments)}\n" + "\n".join(last))
        return Usage(used.ru_utime + used.ru_stime, seconds)

    def irbench(self, *arguments: str) -> Usage:
        """Run a command of irbench; see :meth:`run`."""
        return self.run("-m", "irbench", *arguments)

    def new_folder(self, name: str) -> Path:
        """An empty folder to write to."""
        folder = self.folder / "out" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder
