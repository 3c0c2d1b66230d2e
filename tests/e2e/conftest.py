"""A small dataset on disk, and the command line in a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

PLUGIN = Path(__file__).with_name("plugin_detectors.py")


def make_scene(rng, shape):
    """A rough ramp with 0 to 2 bright targets."""
    rows, columns = np.indices(shape)
    image = 70 + 0.4 * rows + rng.normal(0, 3, shape)
    mask = np.zeros(shape, bool)
    for _ in range(rng.integers(0, 3)):
        row, column = rng.integers(6, shape[0] - 6), rng.integers(6, shape[1] - 6)
        spot = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 2.5)
        image = image + 100 * spot
        mask |= spot > 0.5
    return np.clip(image, 0, 255).astype(np.uint8), mask


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory):
    """12 validation and 14 test images with masks and split lists; a folder dataset."""
    root = tmp_path_factory.mktemp("data") / "my scenes"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    rng = np.random.default_rng(7)
    names = [f"scene_{index:02d}" for index in range(26)]
    for name in names:
        image, mask = make_scene(rng, (40, 56))
        cv2.imwrite(str(root / "images" / f"{name}.png"), image)
        cv2.imwrite(str(root / "masks" / f"{name}.png"), mask.astype(np.uint8) * 255)
    (root / "val.txt").write_text("\n".join(names[:12]) + "\n")
    (root / "test.txt").write_text("\n".join(names[12:]) + "\n")
    return root


class CommandLine:
    """Runs ``irbench`` as a user does, in a folder.

    ``inside`` lets :meth:`run` work in this process, with workers of its own all the same: for
    tests about what comes out, since the imports of a new process are most of its time.
    """

    def __init__(self, folder: Path, *, inside: bool = False) -> None:
        self.folder = folder
        self.inside = inside
        self.environment: dict[str, str] = {}

    def start(self, *arguments, **more) -> subprocess.Popen:
        command = [sys.executable, "-m", "irbench", *map(str, arguments)]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "COLUMNS": "100", **self.environment},
            **more,
        )

    def __call__(self, *arguments, status=0, **more) -> subprocess.CompletedProcess:
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=300)
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        assert done.returncode == status, f"{done.args}\n{out}\n{err}"
        return done

    def within(self, *arguments, status=0) -> subprocess.CompletedProcess:
        """The same as a call, in this process."""
        from irbench.cli.main import main

        words = [str(argument) for argument in arguments]
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self.folder),
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            patch.setattr(sys, "argv", ["irbench", *words])
            patch.setenv("COLUMNS", "100")
            with pytest.raises(SystemExit) as ended:
                main(words)
        done = subprocess.CompletedProcess(words, ended.value.code, out.getvalue(), err.getvalue())
        assert done.returncode == status, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    def run(self, dataset, methods, out="run", *more, **options):
        """With one worker and without times, unless ``more`` says otherwise."""
        call = self.within if self.inside else self
        return call(
            "run", "--methods", methods, "--dataset", dataset, "--plugin", PLUGIN, "--out", out,
            "--timing-images", 0, "--jobs", 1, *more, **options,
        )  # fmt: skip

    def results(self, out="run"):
        """``results.json`` without what differs from run to run."""
        from irbench.engine.storage.results import TIMING_FIELDS

        content = json.loads((self.folder / out / "results.json").read_text())
        for row in content["rows"]:
            for name in TIMING_FIELDS:
                row.pop(name, None)
        return content


@pytest.fixture
def irbench_command(tmp_path):
    return CommandLine(tmp_path, inside=True)


@pytest.fixture(scope="session")
def command_line():
    """Makes a command line that works in a folder; each call is a process of its own."""
    return CommandLine


@pytest.fixture(scope="session")
def unbroken_run(small_dataset, tmp_path_factory):
    """The results of ``boxes`` and ``slow``, from a run that nothing happened to."""
    command = CommandLine(tmp_path_factory.mktemp("unbroken"))
    command.run(small_dataset, "boxes,slow")
    return command.results()
